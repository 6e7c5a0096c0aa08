/** Our own predicate for synced images: where a copy came from. Fields: docs/attestations.md. */
import type { Digest } from '../../reference.ts';
import { asDigest, asList, asMap, asRecord, asText, asTime, oneOf, optional } from '../strict.ts';

export interface Copy {
  /** The source as resolved, `registry/repository[:tag]`. */
  readonly source: string;
  /** What the source named, before any platforms were left out. */
  readonly sourceDigest: Digest;
  /** Only when the copy was asked to be of these platforms. */
  readonly platforms?: readonly string[];
  /** Those of them that the source lacked were left out, and what is no index was copied as it is. */
  readonly missingPlatforms?: 'skip';
  /** `registry/repository:tag` of every target. */
  readonly targets: readonly string[];
  /** Target → the digest its tag named before; `null` when there was none. */
  readonly previous: Readonly<Record<string, Digest | null>>;
  /** Who was found to have signed the source, when that was asked for. */
  readonly verified?: VerifiedSource;
  /** RFC 3339. */
  readonly time: string;
}

export interface VerifiedSource {
  /** The subject of a certificate, or a key's fingerprint: sha256 of the SPKI DER, hex. */
  readonly signer: string;
  /** Of an identity. */
  readonly issuer?: string;
  /** When, if a log or a timestamp authority says so: RFC 3339. */
  readonly signedAt?: string;
}

/** Targets that one statement may name. */
export const MAX_TARGETS = 1000;
const MAX_PLATFORMS = 256;

export function copyPredicate(copy: Copy): Readonly<Record<string, unknown>> {
  return {
    source: { reference: copy.source, digest: copy.sourceDigest },
    ...(copy.platforms === undefined ? {} : { platforms: copy.platforms }),
    ...(copy.missingPlatforms === undefined ? {} : { missingPlatforms: copy.missingPlatforms }),
    ...(copy.verified === undefined ? {} : { verified: copy.verified }),
    targets: copy.targets,
    previous: copy.previous,
    copiedOn: copy.time,
  };
}

export function readCopy(predicate: unknown): Copy | undefined {
  const record = asRecord(predicate);
  const from = asRecord(record?.['source']);
  if (record === undefined || from === undefined) return undefined;
  const source = asText(from['reference']);
  const sourceDigest = asDigest(from['digest']);
  const platforms = optional(record, 'platforms', (value) => asList(value, MAX_PLATFORMS, asText));
  const missing = optional(record, 'missingPlatforms', oneOf('skip'));
  const verified = optional(record, 'verified', readVerified);
  const targets = readTargets(record['targets']);
  const previous = readPrevious(record['previous']);
  const time = asTime(record['copiedOn']);
  if (source === undefined || sourceDigest === undefined) return undefined;
  if (platforms === undefined || missing === undefined || verified === undefined) return undefined;
  if (targets === undefined || previous === undefined || time === undefined) return undefined;
  return { source, sourceDigest, ...platforms, ...missing, ...verified, targets, previous, time };
}

export function readVerified(value: unknown): VerifiedSource | undefined {
  const record = asRecord(value);
  const signer = asText(record?.['signer']);
  const issuer = record === undefined ? undefined : optional(record, 'issuer', asText);
  const signedAt = record === undefined ? undefined : optional(record, 'signedAt', asTime);
  if (signer === undefined || issuer === undefined || signedAt === undefined) return undefined;
  return { signer, ...issuer, ...signedAt };
}

/** What an entry would have a copy attestation say. */
export interface Origin {
  readonly sourceDigest: Digest;
  /** As `linux/amd64`, in the entry's order. */
  readonly platforms?: readonly string[];
  readonly missingPlatforms?: 'skip';
}

/** Whether it is about these very bytes at the source, and the same part of them. */
export function isFrom(copy: Copy, { sourceDigest, platforms, missingPlatforms }: Origin): boolean {
  const samePart = copy.platforms?.join() === platforms?.join() && copy.missingPlatforms === missingPlatforms;
  return copy.sourceDigest === sourceDigest && samePart;
}

export function readTargets(value: unknown): readonly string[] | undefined {
  return asList(value, MAX_TARGETS, asText);
}

/** `null` stands for a tag that did not exist; a reader's `undefined` means refused, hence the wrapping. */
export function readPrevious(value: unknown): Readonly<Record<string, Digest | null>> | undefined {
  const wrapped = asMap(value, MAX_TARGETS, (item) => {
    const digest = item === null ? null : asDigest(item);
    return digest === undefined ? undefined : { digest };
  });
  if (wrapped === undefined) return undefined;
  return Object.fromEntries(Object.entries(wrapped).map(([target, { digest }]) => [target, digest]));
}
