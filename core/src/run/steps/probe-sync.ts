/** The probe of a sync: what the source names now, what of it is wanted, and whether the destination has it with all that belongs to it. */
import type { SyncEntry } from '../../config/model.ts';
import { fail, ok, type Result } from '../../failure.ts';
import type { Change } from '../../journal/events.ts';
import { isLocation, pin, type Digest, type Pinned, type Tagged } from '../../reference.ts';
import { factsOf, type Fact } from '../../trust/facts.ts';
import { absent } from '../absent.ts';
import type { ProbedSync, StepContext } from '../engine.ts';
import { formatDigest } from '../../report/wording.ts';
import { sourceTag } from '../source-tags.ts';
import { ownDigest, type Before } from '../targets.ts';
import { isImmutable, keptDigest } from './immutable.ts';
import { isUnverified, lacksOrigin } from './origin.ts';
import type { ProbeInput } from './probe.ts';
import { addedUpstream } from './referrers.ts';
import { lagging, lookAt, unseen, type Targets } from './standing.ts';
import { wantedOf } from './subset.ts';

/** Tags that a failure names. */
const SHOWN = 10;

/** What is known of the source, and what is on its way. */
export interface SourceSoFar {
  /** Another entry came to it, or it is what is used in its place. */
  readonly of: Digest | undefined;
  /** Of {@link askedEarly}. */
  readonly source: Promise<Result<Pinned>> | undefined;
}

/** The source's digest where it will be needed whatever the destination has: nobody else names it, and tags of it may move. */
export function askedEarly(step: StepContext<SyncEntry>, input: ProbeInput): Promise<Result<Pinned>> | undefined {
  const named = input.of !== undefined || Object.keys(input.current ?? {}).length > 0;
  return named || isImmutable(step.entry) ? undefined : sourceOf(step, step.entry, undefined);
}

export async function compareSync(
  step: StepContext<SyncEntry>,
  { of, source: asked }: SourceSoFar,
  { before, shape }: Targets,
): Promise<Result<ProbedSync>> {
  const { entry } = step;
  const kept = keptDigest(entry, before);
  const known = kept ?? of;
  const source = await (asked ?? sourceOf(step, entry, known));
  if (!source.ok) return source;
  const published = ownDigest(entry, before);
  const part = kept === undefined ? await wantedOf(step, entry, source.value, published) : ok({ wanted: kept });
  if (!part.ok) return part;
  const digest = part.value.wanted;
  const found = {
    kind: 'sync',
    ...unseen,
    source: source.value,
    before,
    justNamed: known === undefined && entry.source.kind === 'tagged',
    ...part.value,
    changes: sourceChange(entry, before, digest),
  } as const;
  const behind = lagging(step, before, digest);
  if (behind !== undefined) return ok({ ...found, goal: false, why: behind });
  const isCopy = step.planned.trust === 'copy';
  const looked = isCopy
    ? ok({ ...unseen, why: entry.always ? 'always' : undefined })
    : await lookAt(step, digest, shape);
  if (!looked.ok) return looked;
  const { facts, waived } = looked.value;
  const open = kept === undefined ? await openQuestion(step, entry, found, facts) : ok(undefined);
  if (!open.ok) return open;
  const why = looked.value.why ?? open.value;
  if (isCopy) return ok({ ...found, digest, goal: why === undefined, why: why ?? 'the copy is there' });
  const repair = why !== undefined && kept !== undefined && entry.platforms !== undefined;
  const origin = repair ? await originOfKept(step, entry, source.value, facts) : source;
  if (!origin.ok) return origin;
  return ok({
    ...found,
    source: origin.value,
    digest,
    facts,
    waived,
    goal: why === undefined,
    why: why ?? `${formatDigest(digest)} is there, signed and attested`,
  });
}

/** Nothing has changed of what is not published yet. */
function sourceChange(entry: SyncEntry, before: Before, digest: Digest): readonly Change[] {
  const from = ownDigest(entry, before);
  return from === null || from === digest ? [] : [{ part: 'source', from, to: digest }];
}

/**
 * Why a copy needs work though it is complete: upstream has attached more to it, or it is not known who signed it, or of what it
 * is a part.
 */
async function openQuestion(
  step: StepContext,
  entry: SyncEntry,
  { source, wanted }: Pick<ProbedSync, 'source' | 'wanted'>,
  facts: readonly Fact[],
): Promise<Result<string | undefined>> {
  // The index of a subset is not upstream's: nobody there has attached anything to it.
  if (entry.referrers !== undefined && wanted === source.digest) {
    const subject = pin(entry.targets[0].destination, source.digest);
    const added = await addedUpstream(step, entry.referrers, { source, subject });
    if (!added.ok) return added;
    if (added.value > 0) return ok(`upstream has attached ${added.value} more to it`);
  }
  if (isUnverified(step.engine, entry, source, facts)) return ok('its source was not verified yet');
  return ok(step.planned.trust === 'copy' ? undefined : lacksOrigin(facts, entry, source.digest));
}

/** Whose subset an immutable tag names: its digest is not upstream's. */
function originOfKept(
  step: StepContext,
  entry: SyncEntry,
  source: Pinned,
  facts: readonly Fact[],
): Promise<Result<Pinned>> {
  const [attested] = factsOf(facts, 'copy');
  return attested === undefined
    ? sourceOf(step, entry, undefined)
    : Promise.resolve(ok(pin(source, attested.content.copy.sourceDigest, source.tag)));
}

async function sourceOf({ engine }: StepContext, entry: SyncEntry, of: Digest | undefined): Promise<Result<Pinned>> {
  const { source } = entry;
  if (of !== undefined) return ok(pin(source, of, source.tag));
  if (source.kind === 'pinned') return ok(source);
  const digest = await sourceTag(engine, source);
  if (!digest.ok) return digest;
  if (digest.value === undefined) {
    const hint = 'check the name and the tag; a private repository also answers so to whoever may not read it';
    const failure = absent(source, 'source', hint, entry.at);
    return fail(isLocation(source) ? { ...failure, hint: await namesIn(engine, source) } : failure);
  }
  return ok(pin(source, digest.value, source.tag));
}

/** Of a layout that lacks the tag asked for: what there is in its place costs nobody a request. */
async function namesIn({ registry }: StepContext['engine'], layout: Tagged): Promise<string> {
  const there = await registry.tags(layout, 'source');
  const [names, left] = there.ok ? [there.value.slice(0, SHOWN), there.value.length - SHOWN] : [[], 0];
  return names.length === 0
    ? 'check the path: no tag is there; without one, the only image of a layout is meant'
    : `check the path and the tag: it has ${names.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}
