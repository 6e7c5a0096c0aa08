/**
 * What a source must prove before anything of it is copied: `image.verify@1` says who signed it, and `core.admit@1` looks at its
 * age alone. A source that proves nothing is a failure of the source's side; one that is only too new waits.
 */
import type { SyncEntry } from '../../config/model.ts';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { formatReference } from '../../reference.ts';
import { signerText } from '../../trust/accept.ts';
import type { VerifiedSource } from '../../trust/predicates/copy.ts';
import type { ProbedSync, StepContext } from '../engine.ts';
import { signedSomewhere } from '../signed-somewhere.ts';
import { namedAlready, ownDigest } from '../targets.ts';
import { madeAt } from './made-at.ts';
import { knownSigner, noteSigner } from './origin.ts';

export interface AdmitInput {
  readonly probed: ProbedSync;
}

export interface Admitted {
  readonly probed: ProbedSync;
}

export async function admitStep(step: StepContext<SyncEntry>, { probed }: AdmitInput): Promise<Result<Admitted>> {
  const verified = await signerOf(step, probed);
  if (!verified.ok) return verified;
  const old = await checkAge(step, probed, verified.value);
  if (!old.ok) return old;
  return ok({ probed: { ...probed, ...(verified.value === undefined ? {} : { verified: verified.value }) } });
}

async function signerOf(step: StepContext<SyncEntry>, probed: ProbedSync): Promise<Result<VerifiedSource | undefined>> {
  const { entry } = step;
  const { source } = probed;
  const [first, ...others] = entry.verify?.accept ?? [];
  if (first === undefined) return ok(undefined);
  const known = knownSigner(step.engine, entry, source.digest, probed.facts);
  if (known !== undefined) return ok(known);
  const found = await signedSomewhere(step, source, [first, ...others], step.log);
  if (!found.ok) return found.failure.reason === 'trust' ? fail(refused(entry, probed, found.failure)) : found;
  step.log(`${formatReference(source)} was signed by ${found.value.signer}`);
  await noteSigner(step, entry, source.digest, found.value);
  return found;
}

function refused(entry: SyncEntry, { source, before, wanted }: ProbedSync, failure: Failure): Failure {
  const asked = (entry.verify?.accept ?? []).map(signerText).join(' or ');
  const tags = namedAlready(before, wanted);
  const already = tags.length === 0 ? '' : `; ${tags.join(', ')} names it already`;
  return {
    reason: 'trust',
    class: 'permanent',
    side: 'source',
    message: `${formatReference(source)} is not signed by ${asked}: ${failure.message}${already}`,
    hint: 'nothing was copied; find out who pushed it, and change "verify" only if they may',
    at: entry.at,
  };
}

/**
 * By the time of the verified signature, else by when the image says it was made, which whoever pushed it can have chosen: an
 * identity's signature always has a time, and whoever hides it would choose this one. What the tag names already is old enough to stay.
 */
async function checkAge(
  { engine, entry }: StepContext<SyncEntry>,
  { source, before, wanted }: ProbedSync,
  verified: VerifiedSource | undefined,
): Promise<Result<void>> {
  const minAge = entry.verify?.minAge;
  if (minAge === undefined) return ok(undefined);
  if (ownDigest(entry, before) === wanted) return ok(undefined);
  const signed = verified?.issuer !== undefined || verified?.signedAt !== undefined;
  const made = signed ? ok(timeOf(verified)) : await madeAt(engine, source, entry.platforms);
  if (!made.ok) return made;
  const name = formatReference(source);
  if (made.value === undefined) {
    return fail({
      reason: 'trust',
      class: 'permanent',
      side: 'source',
      message: `nothing says when ${name} was ${signed ? 'signed' : 'made'}, so it cannot be known to be old enough`,
      hint: signed
        ? 'a log or a timestamp authority must prove the time of its signature; or leave "minAge" out'
        : 'ask for its signature under "verify", whose time counts, or leave "minAge" out',
      at: entry.at,
    });
  }
  const until = made.value + minAge;
  if (engine.now().getTime() >= until) return ok(undefined);
  const [when, from] = [made.value, until].map((time) => new Date(time).toISOString());
  const how = signed ? 'signed' : 'made';
  return fail({
    reason: 'wait',
    class: 'permanent',
    until: from ?? '',
    message: `${name} was ${how} at ${when}, and is too new until ${from}; the tag stays as it is`,
    hint: '"minAge" of the entry says how old it must be',
  });
}

function timeOf({ signedAt }: VerifiedSource): number | undefined {
  return signedAt === undefined ? undefined : Date.parse(signedAt);
}
