/** What a sync's copy attestation must say, and what earlier ones say of its source already. */
import type { SyncEntry } from '../../config/model.ts';
import { formatPlatform } from '../../oci/model.ts';
import { formatReference, type Digest, type Pinned } from '../../reference.ts';
import { lastingTargets } from '../targets.ts';
import { trustFingerprint } from '../trust-fingerprint.ts';
import { factsOf, type Fact, type FactOf } from '../../trust/facts.ts';
import { isFrom, readVerified, type Copy, type Origin, type VerifiedSource } from '../../trust/predicates/copy.ts';
import { readJson } from '../../trust/strict.ts';
import { isAccepted } from '../../trust/upstream.ts';
import type { Engine, StepContext } from '../engine.ts';
import { formatDigest } from '../../report/wording.ts';

const MAX_NOTE = 16 * 1024;

/** As a copy attestation says it. */
export function originOf({ platforms, missingPlatforms }: SyncEntry, sourceDigest: Digest): Origin {
  return {
    sourceDigest,
    ...(platforms === undefined ? {} : { platforms: platforms.map(formatPlatform) }),
    ...(missingPlatforms === undefined ? {} : { missingPlatforms }),
  };
}

/** Earlier attestations of the very same origin, the oldest first: what a new one says of it holds for their tags as well. */
export function sameOrigin(facts: readonly Fact[], entry: SyncEntry, sourceDigest: Digest): readonly FactOf<'copy'>[] {
  const origin = originOf(entry, sourceDigest);
  const asked = entry.verify?.accept ?? [];
  const source = formatReference(entry.source);
  return factsOf(facts, 'copy')
    .filter(({ content: { copy } }) => {
      // Who signed it must not be forgotten, and not be said of what was not asked.
      const verified = asked.length === 0 ? copy.verified === undefined : isVerifiedAs(copy, asked);
      return copy.source === source && isFrom(copy, origin) && verified;
    })
    .toSorted((a, b) => Date.parse(a.content.copy.time) - Date.parse(b.content.copy.time));
}

function isVerifiedAs({ verified }: Copy, asked: NonNullable<SyncEntry['verify']>['accept']): boolean {
  return verified !== undefined && isAccepted(verified, asked);
}

/** Whether one of these facts says all that the entry's copy attestation would say: source, part of it, signer, and each tag. */
export function saysOrigin(facts: readonly Fact[], entry: SyncEntry, sourceDigest: Digest): boolean {
  const origin = originOf(entry, sourceDigest);
  const asked = entry.verify?.accept ?? [];
  return factsOf(facts, 'copy').some(
    ({ content: { copy } }) =>
      isFrom(copy, origin) &&
      (asked.length === 0 || isVerifiedAs(copy, asked)) &&
      lastingTargets(entry).every(({ destination }) => copy.targets.includes(formatReference(destination))),
  );
}

/** Why the published image needs a new copy attestation though its digest is right. */
export function lacksOrigin(facts: readonly Fact[], entry: SyncEntry, source: Digest): string | undefined {
  // Without a subset, that the digest is there says where it is from.
  if (entry.platforms === undefined) return undefined;
  const origin = originOf(entry, source);
  if (factsOf(facts, 'copy').some(({ content }) => isFrom(content.copy, origin))) return undefined;
  return `nothing says yet that it is of ${formatDigest(source)}`;
}

/**
 * Who signed the source, when that is known without asking again: a believed copy attestation says so, or this machine has
 * verified the digest before under the same rules.
 */
export function knownSigner(
  engine: Engine,
  { verify }: SyncEntry,
  source: Digest,
  facts: readonly Fact[],
): VerifiedSource | undefined {
  const accept = verify?.accept ?? [];
  const attested = factsOf(facts, 'copy').find(
    ({ content: { copy } }) => copy.sourceDigest === source && isVerifiedAs(copy, accept),
  )?.content.copy.verified;
  if (attested !== undefined) return attested;
  const noted = engine.notes.get('verified', source, rulesOf(engine, accept));
  const json = noted === undefined ? undefined : readJson(noted, MAX_NOTE, 'a note');
  const signer = json?.ok === true ? readVerified(json.value) : undefined;
  return signer !== undefined && isAccepted(signer, accept) ? signer : undefined;
}

export function noteSigner(
  { engine }: StepContext,
  { verify }: SyncEntry,
  source: Digest,
  signer: VerifiedSource,
): Promise<void> {
  return engine.notes.put(JSON.stringify(signer), 'verified', source, rulesOf(engine, verify?.accept ?? []));
}

function rulesOf(engine: Engine, accept: NonNullable<SyncEntry['verify']>['accept']): string {
  return trustFingerprint(accept, trustedRootOf(engine));
}

/** What upstream's certificates are verified against, as ours are. */
export function trustedRootOf({ settings, signing }: Engine): string | undefined {
  return settings.signing?.trustedRoot ?? signing?.trustedRoot;
}

/** Whether who signed it must be found out before the entry counts as done. */
export function isUnverified(engine: Engine, entry: SyncEntry, { digest }: Pinned, facts: readonly Fact[]): boolean {
  return (entry.verify?.accept ?? []).length > 0 && knownSigner(engine, entry, digest, facts) === undefined;
}
