/** `core.verify@1`: what a consumer would see, read back from the registry: nothing that must be attached is missing. */
import { fail, ok, type Result } from '../../failure.ts';
import { placeName } from '../../location.ts';
import { formatPinned } from '../../reference.ts';
import type { Image, StepContext, VerifyOutput } from '../engine.ts';
import { checkAttached } from './attached.ts';
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
    host: placeName(image.subject),
    message: `${formatPinned(image.subject)} does not show what was attached to it: ${lacks.join(', ')}`,
    hint: 'a registry that shows new referrers late is asked again; if it stays so, run slipway doctor',
  });
}
