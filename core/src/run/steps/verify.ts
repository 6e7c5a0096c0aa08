/** `core.verify@1`: what a consumer would see, read back from the registry: nothing that must be attached is missing. */
import { fail, ok, type Result } from '../../failure.ts';
import { formatPinned, pin } from '../../reference.ts';
import type { Fact } from '../../trust/facts.ts';
import { missing, missingOnChild } from '../../trust/required.ts';
import { believe } from '../believe.ts';
import { legacyLacks } from '../believe-legacy.ts';
import type { Image, StepContext, VerifyOutput } from '../engine.ts';
import { attachedKind } from './standing.ts';

export interface VerifyInput {
  readonly image: Image;
}

export async function verifyStep(step: StepContext, { image }: VerifyInput): Promise<Result<VerifyOutput>> {
  const checked = await checkAttached(step, attachedKind(step), image, true);
  if (!checked.ok) return checked;
  const { lacks, facts } = checked.value;
  if (lacks.length === 0) return ok({ digest: image.digest, facts });
  return fail({
    reason: 'registry',
    class: 'transient',
    side: 'destination',
    host: image.subject.registry,
    message: `${formatPinned(image.subject)} does not show what was attached to it: ${lacks.join(', ')}`,
    hint: 'a registry that shows new referrers late is asked again; if it stays so, run slipway doctor',
  });
}

/** What the image lacks, as `sbom` or `linux/arm64: scan`; children are looked at when `deep`. */
export async function checkAttached(
  step: Pick<StepContext, 'engine' | 'task' | 'signal'>,
  kind: 'sync' | 'build',
  image: Pick<Image, 'subject' | 'shape' | 'children' | 'digest'>,
  deep: boolean,
): Promise<Result<{ readonly lacks: readonly string[]; readonly facts: readonly Fact[] }>> {
  const { signing } = step.engine;
  if (signing === undefined) return ok({ lacks: [], facts: [] });
  const believed = await believe(step, image.subject, signing);
  if (!believed.ok) return believed;
  const { facts } = believed.value;
  const wanted = {
    kind,
    shape: image.shape,
    children: image.children.map(({ digest }) => digest),
  };
  const legacy = await legacyLacks(step, image.subject, signing, wanted);
  if (!legacy.ok) return legacy;
  const lacks: string[] = [...missing({ ...wanted, facts }), ...legacy.value];
  if (!deep) return ok({ lacks, facts });
  for (const { digest, platform } of image.children) {
    if (digest === image.digest) continue;
    const child = await believe(step, pin(image.subject, digest), signing);
    if (!child.ok) return child;
    const legacyChild = await legacyLacks(step, pin(image.subject, digest), signing, 'child');
    if (!legacyChild.ok) return legacyChild;
    const lacking = [...missingOnChild(child.value.facts), ...legacyChild.value];
    lacks.push(...lacking.map((what) => `${platform.os}/${platform.architecture}: ${what}`));
  }
  return ok({ lacks, facts });
}
