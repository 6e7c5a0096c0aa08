/** A probe that begins with what lists of tags say, and asks for a tag itself where something would be done. */
import type { SyncEntry } from '../../config/model.ts';
import { ok, type Result } from '../../failure.ts';
import { formatReference, type Digest, type Reference, type Tagged } from '../../reference.ts';
import { trustedMirrors } from '../../registry/mirrors.ts';
import type { Head, Registry, Side } from '../../registry/model.ts';
import type { ProbedSync, ProbedUnasked, StepContext } from '../engine.ts';
import { lastingTargets } from '../targets.ts';
import { isImmutable } from './immutable.ts';
import { unseen } from './standing.ts';

/**
 * With hints the probe asks less; without any it is the probe alone. Where the goal does not hold, each hint is compared with
 * what its tag names now: if all are right the answer stands, else the probe is made again without hints.
 */
export async function probeWithHints(
  step: StepContext<SyncEntry>,
  probe: (step: StepContext<SyncEntry>) => Promise<Result<ProbedSync>>,
): Promise<Result<ProbedSync | ProbedUnasked>> {
  if (isImmutable(step.entry) && (await isImmutableThere(step))) {
    return ok({ kind: 'unasked', ...unseen, before: {}, goal: true, why: 'its tag is immutable, and it is there' });
  }
  const wanted = listable(step);
  const hints = wanted.length === 0 ? undefined : await hintsFor(step, wanted);
  if (hints === undefined || hints.size === 0) return probe(step);
  const { registry } = step.engine;
  const used: { readonly reference: Reference; readonly side: Side; readonly digest: Digest }[] = [];
  const head: Registry['head'] = async (reference, side) => {
    const hint = hints.get(keyOf(reference, side));
    if (hint === undefined) return registry.head(reference, side);
    used.push({ reference, side, digest: hint.digest });
    return ok(hint);
  };
  const answer = await probe({ ...step, engine: { ...step.engine, registry: { ...registry, head } } });
  if (answer.ok && answer.value.goal) return answer;
  const confirmed = await Promise.all(
    used.map(async ({ reference, side, digest }) => {
      const now = await registry.head(reference, side);
      return now.ok && now.value?.digest === digest;
    }),
  );
  return confirmed.every(Boolean) ? answer : probe(step);
}

interface Listable {
  readonly reference: Tagged;
  readonly side: Side;
}

/**
 * The source's tag, and tags whose image nobody looks into: a list does not say what kind of manifest a tag names. Only where
 * somebody can list them.
 */
function listable({ engine, entry, planned }: StepContext<SyncEntry>): readonly Listable[] {
  const { settings, tagLists } = engine;
  const wanted: Listable[] = [];
  if (entry.source.kind === 'tagged' && entry.immutable !== true) {
    // A mirror that says what tags name may say something else than the registry's list.
    const { source } = entry;
    if (tagLists.knows(source) && trustedMirrors(settings.mirrors, source).length === 0)
      wanted.push({ reference: source, side: 'source' });
  }
  if (planned.trust === 'copy') {
    for (const { destination } of entry.targets)
      if (tagLists.knows(destination)) wanted.push({ reference: destination, side: 'destination' });
  }
  return wanted;
}

async function hintsFor(
  { engine: { tagLists, context }, task, signal }: StepContext,
  wanted: readonly Listable[],
): Promise<ReadonlyMap<string, Head>> {
  const found = await Promise.all(
    wanted.map(async ({ reference, side }) => {
      const digest = await tagLists.digestOf(reference, side, (contract) => context(task, contract, signal));
      const head = digest === undefined ? undefined : { digest, mediaType: '' };
      return [keyOf(reference, side), head] as const;
    }),
  );
  return new Map(found.flatMap(([key, head]) => (head === undefined ? [] : [[key, head] as const])));
}

/**
 * Nothing but the names of the tags is needed to leave an immutable one alone, where nobody looks into the image and no other
 * entry takes its digest.
 */
async function isImmutableThere({ engine, entry, planned }: StepContext): Promise<boolean> {
  if (planned.trust !== 'copy' || entry.always) return false;
  if (engine.tagLists.isTaken(entry.id)) return false;
  const names = await engine.tagLists.namesOf(entry.targets[0].destination);
  return names.ok && lastingTargets(entry).every(({ destination }) => names.value.has(destination.tag));
}

function keyOf(reference: Reference, side: Side): string {
  return `${side} ${formatReference(reference)}`;
}
