/**
 * `core.probe@1`: does the goal hold already? At most a HEAD of the source (none when it is pinned) or of each base of a build
 * that is no entry's image, a HEAD a target, and the list of referrers; no tool. What it saw is what later steps compare with.
 */
import type { BuildEntry, Entry, SyncEntry } from '../../config/model.ts';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { parseLocation } from '../../location.ts';
import { isIndexType } from '../../oci/parse.ts';
import { modeBehind } from '../../plan/modes.ts';
import { formatReference, pin, type Digest } from '../../reference.ts';
import { isSigned, type Fact } from '../../trust/facts.ts';
import { isTooOld, missing, newestProvenance } from '../../trust/required.ts';
import type { BuildKeys } from '../../trust/model.ts';
import { outsideBases } from '../bases.ts';
import { believe } from '../believe.ts';
import type { Probed, ProbedBuild, ProbedPublished, ProbedSync, ProbedUnasked, StepContext } from '../engine.ts';
import { changesOf, inputKeys, keyParts } from '../keys.ts';
import { lacksName } from '../named-for.ts';
import { isOfKind, ofKind } from '../of-kind.ts';
import { oncePer } from '../once-per.ts';
import { ownDigest } from '../targets.ts';
import { probeWithHints } from './hinted.ts';
import { askedEarly, compareSync } from './probe-sync.ts';
import { attachedKind, lagging, lookAt, unseen, type Targets } from './standing.ts';

/** What the plan gives a probe: digests that other entries came to in this run. */
export interface ProbeInput {
  /** Of a retag: the digest its source entry came to. */
  readonly of?: Digest;
  /** Of a build: text in its source → the digest of the entry it names. */
  readonly bases?: Readonly<Record<string, Digest>>;
  /** Text in the source → the target whose present digest is used, because its entry does not run here. */
  readonly current?: Readonly<Record<string, string>>;
}

export function probe(step: StepContext, input: ProbeInput): Promise<Result<Probed>> {
  if (step.engine.purpose === 'scan') return probePublished(step);
  return isOfKind(step, 'build') ? probeBuild(step, input) : probeSync(ofKind(step, 'sync'), input);
}

export function probeSync(
  step: StepContext<SyncEntry>,
  input: ProbeInput,
): Promise<Result<ProbedSync | ProbedUnasked>> {
  return probeWithHints(step, async (asking) => {
    // Both ends are asked at once: that halves the time of an image for which nothing is to be done.
    const source = askedEarly(asking, input);
    const targets = await lookAtTargets(asking);
    if (!targets.ok) return targets;
    const current = await currentDigests(asking, input.current ?? {});
    if (!current.ok) return current;
    return compareSync(asking, { of: input.of ?? Object.values(current.value)[0], source }, targets.value);
  });
}

async function lookAtTargets({ engine, entry }: StepContext): Promise<Result<Targets>> {
  const heads = await Promise.all(
    entry.targets.map(
      async ({ destination }) =>
        [formatReference(destination), await engine.registry.head(destination, 'destination')] as const,
    ),
  );
  const before: Record<string, Digest | null> = {};
  for (const [text, head] of heads) {
    if (!head.ok) return head;
    before[text] = head.value?.digest ?? null;
  }
  const own = heads[0]?.[1];
  const type = own?.ok === true ? own.value?.mediaType : undefined;
  return ok({ before, shape: shapeOf(type) });
}

function shapeOf(type: string | undefined): Targets['shape'] {
  return type !== undefined && isIndexType(type) ? 'index' : 'manifest';
}

/** Target → entry. Once a run: thousands of images may be made on one that is left out. */
const ownersOf = oncePer(
  (entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> =>
    new Map(
      [...entries.values()].flatMap((entry) =>
        entry.targets.map(({ destination }) => [formatReference(destination), entry] as const),
      ),
    ),
);

/** An entry that is left out of this run is used as it stands, if what is attached to it verifies. */
async function currentDigests(
  step: StepContext,
  current: Readonly<Record<string, string>>,
): Promise<Result<Record<string, Digest>>> {
  const digests: Record<string, Digest> = {};
  for (const [text, target] of Object.entries(current)) {
    const reference = parseLocation(target);
    if (!reference.ok) return reference;
    const head = await step.engine.registry.head(reference.value, 'destination');
    if (!head.ok) return head;
    if (head.value === undefined) return fail(notUsable(target, 'it is not published'));
    const { digest } = head.value;
    const { signing, planned } = step.engine;
    const owner = ownersOf(planned.entries).get(target);
    if (signing !== undefined && owner !== undefined) {
      const believed = await believe(step, pin(reference.value, digest), signing);
      if (!believed.ok) return believed;
      const kind = attachedKind({ engine: step.engine, entry: owner });
      const lacks = missing({ kind, shape: shapeOf(head.value.mediaType), facts: believed.value });
      if (lacks.length > 0) return fail(notUsable(target, `it lacks ${lacks.join(', ')}`));
      const unnamed = lacksName(step.engine, owner, target, believed.value);
      if (unnamed !== undefined) return fail(notUsable(target, `it has no ${unnamed}`));
    }
    digests[text] = digest;
  }
  return ok(digests);
}

function notUsable(target: string, why: string): Failure {
  return {
    reason: 'need',
    class: 'permanent',
    need: target,
    message: `${target} does not run here, and as it stands it cannot be used: ${why}`,
    hint: 'run its entry too',
  };
}

/** `slipway scan` is about what is published, whatever the source or the inputs would give now. */
async function probePublished(step: StepContext): Promise<Result<ProbedPublished>> {
  const { engine, entry } = step;
  const targets = await lookAtTargets(step);
  if (!targets.ok) return targets;
  const { before } = targets.value;
  const { destination } = entry.targets[0];
  const digest = ownDigest(entry, before);
  if (digest === null) return fail(notPublished(formatReference(destination)));
  const subject = pin(destination, digest);
  const believed = await believe(step, subject, engine.signing);
  if (!believed.ok) return believed;
  const facts = believed.value;
  const unsigned = engine.signing !== undefined && !isSigned(facts);
  const why = unsigned ? 'scanned again; nothing was attached, since it has no signature of ours' : 'scanned again';
  return ok({ kind: 'published', ...unseen, source: subject, digest, before, facts, goal: false, why });
}

function notPublished(target: string): Failure {
  return {
    reason: 'need',
    class: 'permanent',
    need: target,
    message: `${target} is not published yet`,
    hint: 'slipway run publishes it, with a scan',
  };
}

async function probeBuild(step: StepContext<BuildEntry>, input: ProbeInput): Promise<Result<ProbedBuild>> {
  const { engine, entry, planned } = step;
  const targets = await lookAtTargets(step);
  if (!targets.ok) return targets;
  const { before, shape } = targets.value;
  const current = await currentDigests(step, input.current ?? {});
  if (!current.ok) return current;
  const ofEntries = { ...input.bases, ...current.value };
  const inputs = engine.planned.inputs.get(entry.id);
  if (inputs === undefined) throw new Error(`no inputs were planned for ${entry.id}`);
  const outside = await outsideBases(engine, entry, inputs.bases, ofEntries);
  if (!outside.ok) return outside;
  const bases = { ...ofEntries, ...outside.value };
  const parts = await keyParts(engine, entry, modeBehind(planned.mode), inputs, bases);
  if (!parts.ok) return parts;
  const keys = inputKeys(parts.value);
  const published = ownDigest(entry, before);
  const undone = { kind: 'build', ...unseen, before, bases, keys, stale: false, goal: false } as const;
  if (published === null) return ok({ ...undone, why: 'not published yet' });
  if (planned.trust === 'copy' || engine.signing === undefined) {
    return ok({ ...undone, why: 'nothing says what it was made from' });
  }
  const looked = await lookAt(step, published, shape);
  if (!looked.ok) return looked;
  const { facts, why, waived } = looked.value;
  const seen = { ...undone, facts, waived };
  const provenance = newestProvenance(facts, formatReference(entry.targets[0].destination))?.content.provenance;
  if (provenance === undefined) return ok({ ...seen, why: 'no provenance of ours says what it was made from' });
  const stale = isTooOld(provenance.finishedOn, inputs.maxAge, engine.now());
  const made = provenance.keys;
  if (made.input !== keys.input) {
    const changes = changesOf(made, keys);
    const why = `changed: ${changes.map(({ part }) => part).join(', ')}`;
    return ok({ ...seen, stale, why, changes });
  }
  if (stale) return ok({ ...seen, stale, why: `its build is from ${provenance.finishedOn}` });
  const behind = lagging(step, before, published);
  const reason = behind ?? why;
  return ok({
    ...seen,
    digest: published,
    goal: reason === undefined,
    why: reason ?? 'its inputs are unchanged',
  });
}

/** What the published image was made from, as the newest believed provenance of the entry says. */
export function provenanceKeys({ targets }: BuildEntry, facts: readonly Fact[]): BuildKeys | undefined {
  return newestProvenance(facts, formatReference(targets[0].destination))?.content.provenance.keys;
}
