/** Our own predicate for synced images: where a copy came from. Fields: docs/attestations.md. */
import type { Digest } from '../../reference.ts';
import { asDigest, asList, asMap, asRecord, asText, asTime, optional } from '../strict.ts';

export interface Copy {
  /** The source as resolved, `registry/repository[:tag]`. */
  readonly source: string;
  /** What the source named, before any platforms were left out. */
  readonly sourceDigest: Digest;
  /** Only when the copy holds fewer platforms than the source. */
  readonly platforms?: readonly string[];
  /** `registry/repository:tag` of every target. */
  readonly targets: readonly string[];
  /** Target → the digest its tag named before; `null` when there was none. */
  readonly previous: Readonly<Record<string, Digest | null>>;
  /** RFC 3339. */
  readonly time: string;
}

const MAX_TARGETS = 1000;
const MAX_PLATFORMS = 256;

export function copyPredicate(copy: Copy): Readonly<Record<string, unknown>> {
  return {
    source: { reference: copy.source, digest: copy.sourceDigest },
    ...(copy.platforms === undefined ? {} : { platforms: copy.platforms }),
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
  const targets = readTargets(record['targets']);
  const previous = readPrevious(record['previous']);
  const time = asTime(record['copiedOn']);
  if (source === undefined || sourceDigest === undefined || platforms === undefined) return undefined;
  if (targets === undefined || previous === undefined || time === undefined) return undefined;
  return { source, sourceDigest, ...platforms, targets, previous, time };
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
