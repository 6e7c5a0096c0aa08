/** What the journal keeps of an image, so that reports need neither a registry nor a tool. */
import type { ImageEvidence } from '../journal/events.ts';
import { formatPlatform } from '../oci/model.ts';
import { knownOf, type EntryRecord } from './record.ts';

/** Undefined when nothing is known of it: a mirror, or an entry that failed early. */
export function evidenceOf(record: EntryRecord): ImageEvidence | undefined {
  const { image, packages } = record;
  const { digest, facts, scan } = knownOf(record);
  if (digest === undefined || (scan === undefined && packages === undefined && facts.length === 0)) return undefined;
  return {
    digest,
    ...(scan === undefined ? {} : { scan }),
    packages: (image?.children ?? []).flatMap((child) => {
      const listed = packages?.get(child.digest);
      return listed === undefined ? [] : [{ platform: formatPlatform(child.platform), packages: listed }];
    }),
    attachments: facts.map(({ predicateType, referrer, signer, time }) => ({
      predicateType,
      referrer,
      signer,
      ...(time === undefined ? {} : { time }),
    })),
  };
}
