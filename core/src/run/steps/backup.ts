/**
 * `backup:` of a sync: what a tag is about to stop naming is kept under another tag first. Such a tag names only what was public
 * already; nothing of it is scanned, signed or verified, and it never takes the place of another backup.
 */
import type { Entry, Target } from '../../config/model.ts';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { placeName } from '../../location.ts';
import { formatReference, parseTag, pin, type Digest, type Tag, type Tagged } from '../../reference.ts';
import type { StepContext } from '../engine.ts';
import { formatDigest } from '../../report/wording.ts';

const DATE = String.raw`\d{4}-\d\d-\d\d`;
const SHA = '[0-9a-f]{7,40}';
const OF_A_DAY: ReadonlyMap<string, string> = new Map([
  ['{date}', DATE],
  ['{sha}', SHA],
]);

/** Backups under one name, as `backup-1`, `backup-1-2` and so on, before somebody has to look. */
const MAX_NUMBER = 100;

/** Where what `destination` names is kept now, as a reference; `undefined` when it is not overwritten, or not to be kept. */
export async function backUp(
  step: StepContext,
  destination: Tagged,
  digest: Digest,
  seen: Digest | null,
): Promise<Result<string | undefined>> {
  const { entry, engine } = step;
  const template = entry.kind === 'sync' ? entry.backup?.dated : undefined;
  if (template === undefined || seen === null || seen === digest) return ok(undefined);
  const { registry } = engine;
  const now = await registry.head(destination, 'destination');
  if (!now.ok) return now;
  // Whoever moved it in the meantime: the comparison that follows tells.
  if (now.value?.digest !== seen) return ok(undefined);
  for (const tag of namesOf(template.replaceAll('{tag}', destination.tag))) {
    if (tag === undefined) return fail(unusable(step, destination, template));
    const backup: Tagged = { ...destination, tag };
    const text = formatReference(backup);
    const there = await registry.head(backup, 'destination');
    if (!there.ok) return there;
    if (there.value !== undefined && there.value.digest !== seen) continue;
    if (there.value === undefined) {
      const put = await registry.tag(pin(destination, seen), tag);
      if (!put.ok) return put;
      const after = await registry.head(backup, 'destination');
      if (!after.ok) return after;
      if (after.value?.digest !== seen) return fail(taken(backup, seen));
    }
    step.log(`${formatReference(destination)} named ${formatDigest(seen)}, which is kept as ${text}`);
    return ok(text);
  }
  return fail(full(destination, template));
}

/** Whether a tag may be a backup of one of the entry's targets, of any day; `undefined` when it keeps none. */
export function backupNames(entry: Entry): ((tag: string) => boolean) | undefined {
  const template = entry.kind === 'sync' ? entry.backup?.template : undefined;
  if (template === undefined) return undefined;
  const patterns = entry.targets.map((target) => {
    // The name of another day's target is another.
    const tag = namePattern(target);
    return new RegExp(`^${patternOf(template, new Map([...OF_A_DAY, ['{tag}', tag]]))}(?:-\\d{1,3})?$`);
  });
  return (tag) => patterns.some((pattern) => pattern.test(tag));
}

/** A pattern of the tag; of those that its template with {date} or {sha} made of it, or will make on other days. */
export function namePattern({ destination, template = destination.tag }: Target): string {
  return patternOf(template, OF_A_DAY);
}

/** `parts`: what stands in braces → the pattern of what comes in its place. */
function patternOf(template: string, parts: ReadonlyMap<string, string>): string {
  return template
    .split(/(\{[a-z]+\})/)
    .map((part) => parts.get(part) ?? literal(part))
    .join('');
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|-]/g, String.raw`\$&`);
}

/** `undefined` for one that is no tag. */
function* namesOf(name: string): Generator<Tag | undefined> {
  yield parseTag(name);
  for (let number = 2; number <= MAX_NUMBER; number += 1) yield parseTag(`${name}-${number}`);
}

function unusable({ entry }: StepContext, destination: Tagged, template: string): Failure {
  return {
    reason: 'config',
    class: 'permanent',
    message: `"backup" makes of ${destination.tag} no tag: ${template}`,
    hint: 'a tag has up to 128 characters',
    at: entry.at,
  };
}

function taken(backup: Tagged, seen: Digest): Failure {
  return {
    reason: 'trust',
    class: 'permanent',
    message: `somebody else moved ${formatReference(backup)}, which was to keep ${formatDigest(seen)}`,
    hint: 'find out who else publishes this tag; nothing was overwritten',
  };
}

function full(destination: Tagged, template: string): Failure {
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'destination',
    host: placeName(destination),
    message: `${formatReference(destination)} has ${MAX_NUMBER} backups named ${template.replaceAll('{tag}', destination.tag)}`,
    hint: 'write {date} into "backup", or delete old backups; the tag was not moved',
  };
}
