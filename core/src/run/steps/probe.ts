/**
 * `core.probe@1`: does the goal hold already? At most a HEAD of the source (none when it is pinned) or of each base of a build
 * that is no entry's image, a HEAD a target, and the list of referrers; no tool. What it saw is what later steps compare with.
 */
import type { BuildEntry, SyncEntry } from '../../config/model.ts';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import type { Change } from '../../journal/events.ts';
import { mediaType } from '../../oci/model.ts';
import { formatReference, parseReference, pin, type Digest, type Pinned } from '../../reference.ts';
import { judge } from '../../policy/gate.ts';
import { rulesFor } from '../../policy/rules.ts';
import type { Fact } from '../../trust/facts.ts';
import { missing, newestProvenance, newestScan } from '../../trust/required.ts';
import type { BuildKeys } from '../../trust/model.ts';
import { outsideBases } from '../bases.ts';
import { absent } from '../absent.ts';
import { believe } from '../believe.ts';
import { legacyLacks } from '../believe-legacy.ts';
import type { Probed, StepContext } from '../engine.ts';
import { changesOf, inputKeys, keyParts } from '../keys.ts';
import { shortDigest } from '../wording.ts';

/** What the plan gives a probe: digests that other entries came to in this run. */
export interface ProbeInput {
  /** Of a retag: the digest its source entry came to. */
  readonly of?: Digest;
  /** Of a build: text in its source → the digest of the entry it names. */
  readonly bases?: Readonly<Record<string, Digest>>;
  /** Text in the source → the target whose present digest is used, because its entry does not run here. */
  readonly current?: Readonly<Record<string, string>>;
}

export async function probe(step: StepContext, input: ProbeInput): Promise<Result<Probed>> {
  const targets = await lookAtTargets(step);
  if (!targets.ok) return targets;
  const current = await currentDigests(step, input.current ?? {});
  if (!current.ok) return current;
  const { entry } = step;
  if (step.engine.purpose === 'scan') return probePublished(step, targets.value);
  if (entry.kind === 'build') return probeBuild(step, entry, { ...input.bases, ...current.value }, targets.value);
  return probeSync(step, entry, input.of ?? Object.values(current.value)[0], targets.value);
}

interface Targets {
  /** Target → what its tag names now; `null`: no such tag. */
  readonly before: Readonly<Record<string, Digest | null>>;
  /** Of what the entry's own tag names. */
  readonly shape: 'index' | 'manifest';
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
  return type === mediaType.ociIndex || type === mediaType.dockerList ? 'index' : 'manifest';
}

/** An entry that is left out of this run is used as it stands, if what is attached to it verifies. */
async function currentDigests(
  step: StepContext,
  current: Readonly<Record<string, string>>,
): Promise<Result<Record<string, Digest>>> {
  const digests: Record<string, Digest> = {};
  for (const [text, target] of Object.entries(current)) {
    const reference = parseReference(target);
    if (!reference.ok) return reference;
    const head = await step.engine.registry.head(reference.value, 'destination');
    if (!head.ok) return head;
    if (head.value === undefined) return fail(notUsable(target, 'it is not published'));
    const { digest } = head.value;
    const { signing, planned } = step.engine;
    const owner = [...planned.entries.values()].find((entry) =>
      entry.targets.some(({ destination }) => formatReference(destination) === target),
    );
    if (signing !== undefined && owner !== undefined) {
      const believed = await believe(step, pin(reference.value, digest), signing);
      if (!believed.ok) return believed;
      const lacks = missing({ kind: owner.kind, shape: shapeOf(head.value.mediaType), facts: believed.value.facts });
      if (lacks.length > 0) return fail(notUsable(target, `it lacks ${lacks.join(', ')}`));
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
async function probePublished(step: StepContext, { before }: Targets): Promise<Result<Probed>> {
  const { engine, entry } = step;
  const { destination } = entry.targets[0];
  const text = formatReference(destination);
  const digest = before[text] ?? null;
  if (digest === null) return fail(notPublished(text));
  const subject = pin(destination, digest);
  const believed = engine.signing === undefined ? undefined : await believe(step, subject, engine.signing);
  if (believed !== undefined && !believed.ok) return believed;
  const facts = believed?.value.facts ?? [];
  return ok({ source: subject, digest, before, facts, goal: false, why: 'scanned again' });
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

async function probeSync(
  step: StepContext,
  entry: SyncEntry,
  of: Digest | undefined,
  { before, shape }: Targets,
): Promise<Result<Probed>> {
  const source = await sourceOf(step, entry, of);
  if (!source.ok) return source;
  const { digest } = source.value;
  const found = { source: source.value, before, ...sourceChange(entry, before, digest) };
  const behind = lagging(step, before, digest);
  if (behind !== undefined) return ok({ ...found, goal: false, why: behind });
  if (step.planned.trust === 'copy') return ok({ ...found, digest, goal: true, why: 'the copy is there' });
  const looked = await lookAt(step, digest, shape);
  if (!looked.ok) return looked;
  const { facts, why } = looked.value;
  return ok({
    ...found,
    digest,
    facts,
    goal: why === undefined,
    why: why ?? `${shortDigest(digest)} is there, signed and attested`,
  });
}

/** Nothing has changed of what is not published yet. */
function sourceChange(
  { targets }: SyncEntry,
  before: Targets['before'],
  digest: Digest,
): { readonly changes?: readonly Change[] } {
  const from = before[formatReference(targets[0].destination)] ?? null;
  return from === null || from === digest ? {} : { changes: [{ part: 'source', from, to: digest }] };
}

async function sourceOf({ engine }: StepContext, entry: SyncEntry, of: Digest | undefined): Promise<Result<Pinned>> {
  const { source } = entry;
  if (of !== undefined) return ok(pin(source, of, source.tag));
  if (source.kind === 'pinned') return ok(source);
  const head = await engine.registry.head(source, 'source');
  if (!head.ok) return head;
  if (head.value === undefined) {
    const hint = 'check the name and the tag; a private repository also answers so to whoever may not read it';
    return fail(absent(source, 'source', hint, entry.at));
  }
  return ok(pin(source, head.value.digest, source.tag));
}

async function probeBuild(
  step: StepContext,
  entry: BuildEntry,
  ofEntries: Readonly<Record<string, Digest>>,
  { before, shape }: Targets,
): Promise<Result<Probed>> {
  const { engine, planned } = step;
  const inputs = engine.planned.inputs.get(entry.id);
  if (inputs === undefined) throw new Error(`no inputs were planned for ${entry.id}`);
  const outside = await outsideBases(engine, entry, inputs.bases, ofEntries);
  if (!outside.ok) return outside;
  const bases = { ...ofEntries, ...outside.value };
  const parts = await keyParts(engine, entry, contractMode(planned.mode), inputs, bases);
  if (!parts.ok) return parts;
  const keys = inputKeys(parts.value);
  const published = before[formatReference(entry.targets[0].destination)] ?? null;
  if (published === null) return ok({ before, bases, keys, goal: false, why: 'not published yet' });
  if (planned.trust === 'copy' || engine.signing === undefined) {
    return ok({ before, bases, keys, goal: false, why: 'nothing says what it was made from' });
  }
  const looked = await lookAt(step, published, shape);
  if (!looked.ok) return looked;
  const { facts, why } = looked.value;
  const seen = { before, bases, keys, facts };
  const provenance = newestProvenance(facts)?.content.provenance;
  if (provenance === undefined)
    return ok({ ...seen, goal: false, why: 'no provenance of ours says what it was made from' });
  const age = engine.now().getTime() - Date.parse(provenance.finishedOn);
  const stale = inputs.maxAge !== undefined && age > inputs.maxAge ? { stale: true as const } : {};
  const made = provenance.keys;
  if (made.input !== keys.input) {
    const changes = changesOf(made, keys);
    const why = `changed: ${changes.map(({ part }) => part).join(', ')}`;
    return ok({ ...seen, ...stale, goal: false, why, changes });
  }
  if (stale.stale) return ok({ ...seen, ...stale, goal: false, why: `its build is from ${provenance.finishedOn}` });
  const behind = lagging(step, before, published);
  const reason = behind ?? why;
  return ok({
    ...seen,
    digest: published,
    reuse: published,
    goal: reason === undefined,
    why: reason ?? 'its inputs are unchanged',
  });
}

/** `melange+apko` is apko's contract behind packages. */
export function contractMode(mode: string | undefined): string {
  return mode === 'melange+apko' ? 'apko' : (mode ?? '');
}

/** What the published image was made from, as its newest believed provenance says. */
export function provenanceKeys(facts: readonly Fact[]): BuildKeys | undefined {
  return newestProvenance(facts)?.content.provenance.keys;
}

/**
 * Why the tags are behind `digest`; `undefined` when they are not. A tag from `{date}` or `{sha}` moves only together with a
 * newly published digest, so it is never behind by itself.
 */
function lagging(
  { entry }: StepContext,
  before: Readonly<Record<string, Digest | null>>,
  digest: Digest,
): string | undefined {
  for (const [position, { destination, templated }] of entry.targets.entries()) {
    if (templated && position > 0) continue;
    const text = formatReference(destination);
    const now = before[text] ?? null;
    if (now === null) return position === 0 ? 'not published yet' : `${destination.tag} is not there yet`;
    if (now !== digest) return `${destination.tag} names ${shortDigest(now)}, not ${shortDigest(digest)}`;
  }
  return undefined;
}

interface Looked {
  readonly facts: readonly Fact[];
  readonly why: string | undefined;
}

/** What is believed of the published image, and why it needs work all the same. */
async function lookAt(step: StepContext, digest: Digest, shape: Targets['shape']): Promise<Result<Looked>> {
  const { engine, entry, planned } = step;
  const { signing } = engine;
  if (signing === undefined) return ok({ facts: [], why: 'unsigned runs never count as done' });
  const believed = await believe(step, pin(entry.targets[0].destination, digest), signing);
  if (!believed.ok) return believed;
  const { facts } = believed.value;
  if (entry.always) return ok({ facts, why: 'always' });
  const wanted = { kind: attachedKind(step), shape };
  const legacy = await legacyLacks(step, pin(entry.targets[0].destination, digest), signing, wanted);
  if (!legacy.ok) return legacy;
  const lacks = [...missing({ ...wanted, facts }), ...legacy.value];
  if (lacks.length > 0) return ok({ facts, why: `missing: ${lacks.join(', ')}` });
  const scan = newestScan(facts)?.content.scan;
  const age = engine.settings.policy.scanMaxAge;
  if (scan !== undefined && age !== undefined && engine.now().getTime() - Date.parse(scan.finishedAt) > age) {
    return ok({ facts, why: `its scan is from ${scan.finishedAt}` });
  }
  if (scan !== undefined) {
    const rules = rulesFor(engine.settings.policy, {
      id: entry.id,
      kind: attachedKind(step),
      destination: planned.destination,
    });
    // The image that the tag names is never worse than itself.
    const judgement = judge({ rules, scan, before: scan, today: engine.now().toISOString().slice(0, 10) });
    if (judgement.verdict === 'refuse') return ok({ facts, why: 'the policy refuses it now' });
  }
  return ok({ facts, why: undefined });
}

/** A retag is judged, and needs what is attached, as its source entry does. */
export function attachedKind({
  engine,
  entry,
  planned,
}: Pick<StepContext, 'engine' | 'entry' | 'planned'>): 'sync' | 'build' {
  if (planned.retagOf === undefined) return entry.kind;
  return engine.planned.entries.get(planned.retagOf)?.kind ?? 'build';
}
