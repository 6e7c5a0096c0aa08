/** What is attached to an image, and what it lacks. */
import { ok, type Result } from '../../failure.ts';
import { pin } from '../../reference.ts';
import { plainText } from '../../trust/strict.ts';
import type { Fact } from '../../trust/facts.ts';
import { missing, missingOnChild } from '../../trust/required.ts';
import { believe } from '../believe.ts';
import { legacyLacks, legacyLacksOnChild } from '../believe-legacy.ts';
import type { Image, Looking } from '../engine.ts';

/** What the image lacks, as `sbom` or `linux/arm64: scan`; children are looked at when `deep`. */
export async function checkAttached(
  step: Looking,
  kind: 'sync' | 'build',
  image: Pick<Image, 'subject' | 'shape' | 'children' | 'digest'>,
  deep: boolean,
): Promise<Result<{ readonly lacks: readonly string[]; readonly facts: readonly Fact[] }>> {
  const { signing } = step.engine;
  if (signing === undefined) return ok({ lacks: [], facts: [] });
  const believed = await believe(step, image.subject, signing);
  if (!believed.ok) return believed;
  const facts = believed.value;
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
    const legacyChild = await legacyLacksOnChild(step, pin(image.subject, digest), signing);
    if (!legacyChild.ok) return legacyChild;
    const lacking = [...missingOnChild(child.value), ...legacyChild.value];
    lacks.push(...lacking.map((what) => `${plainText(`${platform.os}/${platform.architecture}`)}: ${what}`));
  }
  return ok({ lacks, facts });
}
