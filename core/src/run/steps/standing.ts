/** How what is published stands: which tags are behind, what is believed of the image, and what it lacks. */
import type { GateRules } from '../../config/settings-model.ts';
import { ok, type Result, type UsedWaiver } from '../../failure.ts';
import { formatReference, pin, type Digest } from '../../reference.ts';
import { judge } from '../../policy/gate.ts';
import { rulesFor } from '../../policy/rules.ts';
import type { Fact } from '../../trust/facts.ts';
import { isTooOld, missing, newestScan } from '../../trust/required.ts';
import { believe } from '../believe.ts';
import { legacyLacks } from '../believe-legacy.ts';
import type { Engine, StepContext } from '../engine.ts';
import { lacksName } from '../named-for.ts';
import { lastingTargets, type Before } from '../targets.ts';
import { formatDigest } from '../../report/wording.ts';
import { checkAttached } from './attached.ts';
import { readImage } from './image.ts';
import { isImmutable } from './immutable.ts';

export interface Targets {
  readonly before: Before;
  /** Of what the entry's own tag names. */
  readonly shape: 'index' | 'manifest';
}

/** Of an image that nobody has looked at. */
export const unseen = { changes: [], facts: [], waived: [] } as const;

/**
 * Why the tags are behind `digest`; `undefined` when they are not. A tag from `{date}` or `{sha}` moves only together with a
 * newly published digest, so it is never behind by itself.
 */
export function lagging({ entry }: StepContext, before: Before, digest: Digest): string | undefined {
  for (const [position, { destination }] of lastingTargets(entry).entries()) {
    const text = formatReference(destination);
    const now = before[text] ?? null;
    if (now === null) return position === 0 ? 'not published yet' : `${destination.tag} is not there yet`;
    if (now !== digest && !isImmutable(entry))
      return `${destination.tag} names ${formatDigest(now)}, not ${formatDigest(digest)}`;
  }
  return undefined;
}

interface Looked {
  readonly facts: readonly Fact[];
  readonly why: string | undefined;
  /** Of the policy, where it was looked at now. */
  readonly waived: readonly UsedWaiver[];
}

/** What is believed of the published image, and why it needs work all the same. */
export async function lookAt(step: StepContext, digest: Digest, shape: Targets['shape']): Promise<Result<Looked>> {
  const { engine, entry } = step;
  const { signing } = engine;
  if (signing === undefined) return ok({ facts: [], why: 'unsigned runs never count as done', waived: [] });
  const believed = await believe(step, pin(entry.targets[0].destination, digest), signing);
  if (!believed.ok) return believed;
  const facts = believed.value;
  const lacking = (why: string): Result<Looked> => ok({ facts, why, waived: [] });
  if (entry.always) return lacking('always');
  const wanted = { kind: attachedKind(step), shape };
  const legacy = await legacyLacks(step, pin(entry.targets[0].destination, digest), signing, wanted);
  if (!legacy.ok) return legacy;
  const ofChildren = engine.deep === true ? await childrenLack(step, digest) : ok([]);
  if (!ofChildren.ok) return ofChildren;
  const lacks = [...missing({ ...wanted, facts }), ...legacy.value, ...ofChildren.value];
  if (lacks.length > 0) return lacking(`missing: ${lacks.join(', ')}`);
  for (const { destination, templated } of entry.targets) {
    // A tag from a template is moved to what is new only.
    if (templated) continue;
    const unnamed = lacksName(engine, entry, formatReference(destination), facts);
    if (unnamed !== undefined) return lacking(`missing: ${unnamed} ${destination.tag}`);
  }
  const scan = newestScan(facts)?.content.scan;
  if (scan === undefined) return ok({ facts, why: undefined, waived: [] });
  if (isTooOld(scan.finishedAt, engine.settings.policy.scanMaxAge, engine.now())) {
    return lacking(`its scan is from ${scan.finishedAt}`);
  }
  // The image that the tag names is never worse than itself.
  const judgement = judge({ rules: policyFor(step), scan, before: scan, today: today(engine) });
  if (judgement.verdict === 'refuse') return lacking('the policy refuses it now');
  return ok({ facts, why: undefined, waived: judgement.waived });
}

/** What the platforms of an image lack, and the image itself once they are known. */
async function childrenLack(step: StepContext, digest: Digest): Promise<Result<readonly string[]>> {
  const image = await readImage(step.engine.registry, pin(step.entry.targets[0].destination, digest));
  if (!image.ok) return image;
  const checked = await checkAttached(step, attachedKind(step), image.value, true);
  return checked.ok ? ok(checked.value.lacks) : checked;
}

/** What the policy asks of the entry's images. */
export function policyFor(step: Pick<StepContext, 'engine' | 'entry' | 'planned'>): GateRules {
  const { engine, entry, planned } = step;
  const kind = attachedKind(step);
  return rulesFor(engine.settings.policy, { id: entry.id, kind, destination: planned.destination });
}

/** The day by which waivers end: `2026-11-25`, UTC. */
export function today({ now }: Pick<Engine, 'now'>): string {
  return now().toISOString().slice(0, 10);
}

/** A retag is judged, and needs what is attached, as its source entry does. */
export function attachedKind({ engine, entry }: Pick<StepContext, 'engine' | 'entry'>): 'sync' | 'build' {
  const origin = engine.planned.origins.get(entry.id);
  if (origin === undefined) return entry.kind;
  return engine.planned.entries.get(origin)?.kind ?? 'build';
}
