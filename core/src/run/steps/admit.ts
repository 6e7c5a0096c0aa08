/**
 * What a source must prove before anything of it is copied: `image.verify@1` says who signed it, and `core.admit@1` looks at its
 * age alone. A source that proves nothing is a failure of the source's side; one that is only too new waits.
 */
import type { SyncEntry } from '../../config/model.ts';
import type { Accept } from '../../config/settings-model.ts';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { formatReference, sameRepository, type Pinned } from '../../reference.ts';
import { mirrorLocations, trustedMirrors } from '../../registry/mirrors.ts';
import { signerText } from '../../trust/accept.ts';
import type { VerifiedSource } from '../../trust/predicates/copy.ts';
import type { Probed, StepContext } from '../engine.ts';
import { namedAlready, ownDigest } from '../targets.ts';
import { wantedDigest } from '../wanted.ts';
import { madeAt } from './made-at.ts';
import { knownSigner, noteSigner, trustedRootOf } from './origin.ts';

export interface AdmitInput {
  readonly probed: Probed;
}

export interface Admitted {
  readonly probed: Probed;
}

export async function admitStep(step: StepContext, { probed }: AdmitInput): Promise<Result<Admitted>> {
  const { entry } = step;
  const { source } = probed;
  if (entry.kind !== 'sync' || source === undefined) throw new Error(`${entry.id} has no source to be admitted`);
  const verified = await signerOf(step, entry, source, probed);
  if (!verified.ok) return verified;
  const old = await checkAge(step, entry, source, probed, verified.value);
  if (!old.ok) return old;
  return ok({ probed: { ...probed, ...(verified.value === undefined ? {} : { verified: verified.value }) } });
}

async function signerOf(
  step: StepContext,
  entry: SyncEntry,
  source: Pinned,
  probed: Probed,
): Promise<Result<VerifiedSource | undefined>> {
  const [first, ...others] = entry.verify?.accept ?? [];
  if (first === undefined) return ok(undefined);
  const known = knownSigner(step.engine, entry, source.digest, probed.facts ?? []);
  if (known !== undefined) return ok(known);
  const found = await verifySomewhere(step, source, [first, ...others]);
  if (!found.ok) return found.failure.reason === 'trust' ? fail(refused(entry, source, probed, found.failure)) : found;
  step.log(`${formatReference(source)} was signed by ${found.value.signer}`);
  await noteSigner(step, entry, source.digest, found.value);
  return found;
}

/** Signatures are looked for wherever the image may be read: they name its digest, so it does not matter who keeps them. */
async function verifySomewhere(
  { engine, task, signal, log }: StepContext,
  source: Pinned,
  accept: readonly [Accept, ...Accept[]],
): Promise<Result<VerifiedSource>> {
  const { mirrors } = engine.settings;
  const trusted = trustedMirrors(mirrors, source);
  const trustedRoot = trustedRootOf(engine);
  /** What was said where it counts, and what was said last. */
  let verdict: Failure | undefined;
  let last: Failure | undefined;
  for (const image of mirrorLocations(mirrors, source)) {
    await using context = await engine.context(task, 'image.verify@1', signal);
    const input = { image, accept, ...(trustedRoot === undefined ? {} : { trustedRoot }) };
    const verified = await engine.host.call('image.verify@1', input, context);
    if (verified.ok) return verified;
    last = verified.failure;
    log(last.message);
    // A mirror that may not say what a tag names may lack signatures: then the origin must be heard.
    const counts = sameRepository(image, source) || trusted.some((place) => sameRepository(place, image));
    if (last.reason === 'trust' && counts) verdict = last;
  }
  const failure = verdict ?? last;
  if (failure === undefined) throw new Error('there is no place to look for signatures');
  return fail(failure);
}

function refused(entry: SyncEntry, source: Pinned, probed: Probed, failure: Failure): Failure {
  const asked = (entry.verify?.accept ?? []).map(signerText).join(' or ');
  const tags = namedAlready(probed.before, wantedDigest(probed));
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
 * By the time of the verified signature, else by when the image says it was made, which whoever pushed it can have chosen. What
 * the tag names already is old enough to stay.
 */
async function checkAge(
  step: StepContext,
  entry: SyncEntry,
  source: Pinned,
  probed: Probed,
  verified: VerifiedSource | undefined,
): Promise<Result<void>> {
  const minAge = entry.verify?.minAge;
  if (minAge === undefined) return ok(undefined);
  if (ownDigest(entry, probed.before) === wantedDigest(probed)) return ok(undefined);
  const { engine } = step;
  const made =
    verified?.signedAt === undefined
      ? await madeAt(engine, source, entry.platforms)
      : ok(Date.parse(verified.signedAt));
  if (!made.ok) return made;
  const name = formatReference(source);
  if (made.value === undefined) {
    return fail({
      reason: 'trust',
      class: 'permanent',
      side: 'source',
      message: `nothing says when ${name} was made, so it cannot be known to be old enough`,
      hint: 'ask for its signature under "verify", whose time counts, or leave "minAge" out',
      at: entry.at,
    });
  }
  const until = made.value + minAge;
  if (engine.now().getTime() >= until) return ok(undefined);
  const [when, from] = [made.value, until].map((time) => new Date(time).toISOString());
  const how = verified?.signedAt === undefined ? 'made' : 'signed';
  return fail({
    reason: 'wait',
    class: 'permanent',
    until: from ?? '',
    message: `${name} was ${how} at ${when}, and is too new until ${from}; the tag stays as it is`,
    hint: '"minAge" of the entry says how old it must be',
  });
}
