/**
 * Tags that this config once made, as the signed attestations on them prove, and no longer names. They are listed, and deleted only if that
 * is asked for: tags alone, never an image by its digest, and each is written to a journal just before.
 */
import PQueue from 'p-queue';
import { isReferrersTag } from '../config/targets.ts';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { Asked } from '../journal/events.ts';
import { glob } from '../plan/pattern.ts';
import { formatReference, pin, type Digest, type Tag, type Tagged } from '../reference.ts';
import { believe, lookTask } from '../run/believe.ts';
import type { Engine } from '../run/engine.ts';
import type { Signing } from '../config/settings-model.ts';
import { factsOf, type Fact } from '../trust/facts.ts';
import { guard, prunable } from './may-go.ts';
import { deleteTag, tagsByDigest, type Deleted } from './delete-tag.ts';
import { namesOf, placesOf, type Place } from './places.ts';

export interface PruneOptions {
  readonly delete: boolean;
  /** So many may go; {@link DEFAULT_MAX}, and half of a repository, when it is not said. */
  readonly max?: number;
  /** Globs on destinations, with or without `sync:` or `build:` before them; all when empty. */
  readonly only: readonly string[];
  readonly exclude: readonly string[];
  /** Also tags that a template with {date} or {sha} could have made. */
  readonly templated: boolean;
  readonly version: string;
  readonly asked?: Asked;
  readonly signal: AbortSignal;
}

export interface PrunedTag {
  readonly destination: string;
  readonly digest: Digest;
  readonly state: 'listed' | 'deleted' | 'failed';
  /** What the attestation says of it. */
  readonly why: string;
  readonly failure?: Failure;
}

export interface Pruned {
  /** As its journal is named, which there is where something was to be deleted. */
  readonly run?: string;
  readonly tags: readonly PrunedTag[];
  /** Repositories that were left alone, and why. */
  readonly closed: readonly { readonly repository: string; readonly why: string }[];
  /** Why nothing was, or would be, deleted. */
  readonly refused?: Failure;
}

/** Tags whose attestations are read at once. */
const AT_ONCE = 8;

interface Candidate {
  readonly target: Tagged;
  readonly digest: Digest;
  readonly why: string;
}

interface Found {
  readonly name: string;
  readonly stored: readonly Tag[];
  readonly candidates: readonly Candidate[];
}

/** A registry that cannot be asked is a failure, never a repository without tags. */
export async function prune(engine: Engine, signing: Signing, options: PruneOptions): Promise<Result<Pruned>> {
  const places = [...placesOf(engine.config)];
  const closed = places.flatMap(([repository, place]) =>
    place.closed === undefined ? [] : [{ repository, why: place.closed }],
  );
  const found: Found[] = [];
  for (const [name, place] of places) {
    if (place.closed !== undefined) continue;
    const one = await lookAt(engine, signing, name, place, options);
    if (!one.ok) return one;
    found.push(one.value);
  }
  const shares = found
    .filter(({ candidates }) => candidates.length > 0)
    .map(({ name, stored, candidates }) => ({
      repository: name,
      stored: stored.length,
      going: candidates.length,
    }));
  const refused = guard(shares, options.max);
  if (!options.delete || refused !== undefined || shares.length === 0)
    return ok({ tags: found.flatMap(listed), closed, ...(refused === undefined ? {} : { refused }) });
  const tags = await deleteRecorded(engine, found, options);
  return tags.ok ? ok({ run: engine.run, tags: tags.value, closed }) : tags;
}

/** With a journal of its own; without one nothing is deleted. */
async function deleteRecorded(
  engine: Engine,
  found: readonly Found[],
  { version, asked, signal }: PruneOptions,
): Promise<Result<readonly PrunedTag[]>> {
  const { run, emit } = engine;
  const started = performance.now();
  emit({
    type: 'run.start',
    run,
    command: 'prune',
    version,
    entries: [],
    tasks: [],
    ...(asked === undefined ? {} : { asked }),
  });
  const unrecorded = engine.unrecorded();
  if (unrecorded !== undefined) return fail(unrecorded);
  const tags = await deleteAll(engine, found, signal);
  const exitCode = signal.aborted ? 130 : tags.some(({ state }) => state === 'failed') ? 1 : 0;
  emit({ type: 'run.done', exitCode, seconds: (performance.now() - started) / 1000 });
  return ok(tags);
}

function listed({ candidates }: Found): readonly PrunedTag[] {
  return candidates.map(({ target, digest, why }) => ({
    destination: formatReference(target),
    digest,
    state: 'listed',
    why,
  }));
}

async function lookAt(
  engine: Engine,
  signing: Signing,
  name: string,
  place: Place,
  { only, exclude, templated, signal }: PruneOptions,
): Promise<Result<Found>> {
  const tags = await engine.registry.tags(place.repository, 'destination');
  if (!tags.ok) return tags;
  const [chosen, excluded] = [matcherOf(place, only), matcherOf(place, exclude)];
  const stored = tags.value.filter((tag) => !isReferrersTag(tag));
  const kept = (tag: string): boolean =>
    place.isBackup(tag) || (!templated && place.isDated(tag)) || (only.length > 0 && !chosen(tag)) || excluded(tag);
  const open = stored.filter((tag) => !place.named.has(tag) && !kept(tag));
  const queue = new PQueue({ concurrency: AT_ONCE });
  const looked = await Promise.all(
    open.map((tag) =>
      queue.add(() => provenance(engine, signing, { kind: 'tagged', ...place.repository, tag }, signal)),
    ),
  );
  const candidates = new Map<string, Candidate>();
  for (const one of looked) {
    if (!one.ok) return one;
    if (one.value !== undefined) candidates.set(one.value.target.tag, one.value);
  }
  const going = prunable({ stored, made: new Set(candidates.keys()), named: place.named, kept });
  return ok({ name, stored, candidates: going.flatMap((tag) => candidates.get(tag) ?? []) });
}

/** Whether one of these globs matches a name of the tag. */
function matcherOf(place: Place, patterns: readonly string[]): (tag: string) => boolean {
  const globs = patterns.map(glob);
  return (tag) => namesOf(place, tag).some((name) => globs.some((matches) => matches(name)));
}

/** `undefined`: no attestation that is believed says that this very tag was made here. */
async function provenance(
  engine: Engine,
  signing: Signing,
  target: Tagged,
  signal: AbortSignal,
): Promise<Result<Candidate | undefined>> {
  const head = await engine.registry.head(target, 'destination');
  if (!head.ok || head.value === undefined) return head.ok ? ok(undefined) : head;
  const { digest } = head.value;
  const text = formatReference(target);
  const task = lookTask(`prune:${text}`);
  const believed = await believe({ engine, task, signal }, pin(target, digest), signing);
  if (!believed.ok) return believed;
  const why = madeBy(believed.value, text);
  return ok(why === undefined ? undefined : { target, digest, why });
}

function madeBy(facts: readonly Fact[], target: string): string | undefined {
  for (const { content } of factsOf(facts, 'copy')) {
    const { source, targets, time } = content.copy;
    if (targets.includes(target)) return `copied from ${source} on ${time}`;
  }
  for (const { content } of factsOf(facts, 'provenance')) {
    const { source, targets, finishedOn } = content.provenance;
    if (targets.includes(target)) return `built from ${source} on ${finishedOn}`;
  }
  return undefined;
}

/** One after the other: once a registry has deleted more than a tag, nothing else is deleted in that repository. */
async function deleteAll(engine: Engine, found: readonly Found[], signal: AbortSignal): Promise<readonly PrunedTag[]> {
  const tags: PrunedTag[] = [];
  for (const { stored, candidates } of found) {
    const going = new Set<string>(candidates.map(({ target }) => target.tag));
    const staying = stored.filter((tag) => !going.has(tag));
    const [first] = candidates;
    if (first === undefined) continue;
    // Looked up once for all the tags that go: a repository may have thousands that stay.
    const shared = await tagsByDigest(engine.registry, first.target, staying);
    let unsafe: Failure | undefined;
    for (const { target, digest, why } of candidates) {
      const destination = formatReference(target);
      if (unsafe !== undefined || signal.aborted) {
        tags.push({ destination, digest, state: 'listed', why });
        continue;
      }
      const announce = (): Failure | undefined => {
        engine.emit({ type: 'tag.delete', tag: destination, digest });
        return engine.unrecorded();
      };
      const done: Deleted = shared.ok
        ? await deleteTag(engine.registry, { target, digest, sharers: shared.value.get(digest) ?? [] }, announce)
        : { ok: false, failure: shared.failure, tag: 'kept' };
      if (!done.ok && done.tag === 'gone') unsafe = done.failure;
      const end = done.ok ? { state: 'deleted' as const } : { state: 'failed' as const, failure: done.failure };
      // Where nobody saw what became of the tag, the journal has no `tag.done`, which means that it may be gone.
      if (done.ok || done.tag !== 'unseen') {
        const state = done.ok || done.tag === 'gone' ? 'deleted' : 'failed';
        engine.emit({ type: 'tag.done', tag: destination, digest, ...end, state });
      }
      tags.push({ destination, digest, why, ...end });
    }
  }
  return tags;
}
