/** What the journal keeps of an image, so that reports need neither a registry nor a tool. */
import type { ImageEvidence, ListedPackage } from '../journal/events.ts';
import { formatPlatform } from '../oci/model.ts';
import { newestScan } from '../trust/required.ts';
import { listPackages } from '../trust/spdx.ts';
import type { SbomOutput } from './engine.ts';
import type { EntryRecord } from './record.ts';

/** Packages by the digest of the platform image; the documents themselves are let go. */
export function packagesOf({ documents }: SbomOutput): ReadonlyMap<string, readonly ListedPackage[]> {
  return new Map(documents.map(({ digest, spdx }) => [digest, listPackages(spdx)]));
}

/** Undefined when nothing is known of it: a mirror, or an entry that failed early. */
export function evidenceOf(record: EntryRecord): ImageEvidence | undefined {
  const { probed, image, packages } = record;
  const digest = image?.digest ?? probed?.digest;
  const facts = (record.facts ?? probed?.facts ?? []).filter(({ subject }) => subject === digest);
  const scan = record.scan ?? newestScan(facts)?.content.scan;
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
