/** What is gathered of an entry while its tasks end; its rows and its evidence are made of it. */
import type { UsedWaiver } from '../failure.ts';
import type { ListedPackage } from '../journal/events.ts';
import type { Step } from '../plan/model.ts';
import type { Digest } from '../reference.ts';
import { isSigned, type Fact } from '../trust/facts.ts';
import type { Scan } from '../trust/model.ts';
import { newestScan } from '../trust/required.ts';
import { listPackages } from '../trust/spdx.ts';
import type { GateOutput, Image, Probed, SbomOutput, VerifyOutput } from './engine.ts';
import type { NotOk } from './loop.ts';
import type { Resolution } from './steps/resolve.ts';
import type { ScanOutput } from './steps/scan.ts';

/** What became of an entry, gathered while its tasks ended. */
export interface EntryRecord {
  probed?: Probed;
  image?: Image;
  scan?: Scan;
  /** Of each platform image whose SBOM was made, by digest. */
  packages?: ReadonlyMap<string, readonly ListedPackage[]>;
  /** What the verification read back. */
  facts?: readonly Fact[];
  signed: boolean;
  /** Without these the policy refused it: the gate's, or where nothing was to be done, the probe's. */
  waived?: readonly UsedWaiver[];
  /** Targets that name the image now, with what kept the old one: known although the step may fail at another. */
  tagged?: Map<string, string | undefined>;
  /** The first task of it that did not succeed. */
  broken?: { readonly step: string | undefined; readonly end: NotOk };
  ms: number;
}

export interface Known {
  readonly digest: Digest | undefined;
  readonly facts: readonly Fact[];
  readonly scan: Scan | undefined;
}

/** The image that the entry came to, with what is believed of that one: the probe may also have looked at the one that it replaces. */
export function knownOf({ probed, image, facts, scan }: EntryRecord): Known {
  const digest = image?.digest ?? probed?.digest;
  const own = (facts ?? probed?.facts ?? []).filter(({ subject }) => subject === digest);
  return { digest, facts: own, scan: scan ?? newestScan(own)?.content.scan };
}

/** Steps hand their outputs on as they are; this is the one place that knows which step makes which. */
export function remember(record: EntryRecord, step: Step | undefined, output: unknown): void {
  switch (step) {
    case 'probe':
      record.probed = output as Probed;
      record.waived = record.probed.waived;
      // What was believed is about this digest: without one it is about an image that will be replaced.
      record.signed = record.probed.digest !== undefined && isSigned(record.probed.facts);
      break;
    case 'resolve': {
      const { image } = output as Resolution;
      if (image !== undefined) record.image = image;
      break;
    }
    case 'copy':
    case 'push':
      record.image = output as Image;
      break;
    case 'scan':
      record.scan = (output as ScanOutput).scan;
      break;
    case 'verify':
      record.facts = (output as VerifyOutput).facts;
      record.signed = isSigned(record.facts);
      break;
    case 'sbom':
      record.packages = packagesOf(output as SbomOutput);
      break;
    case 'gate':
      record.waived = (output as GateOutput).judgement.waived;
      break;
    case 'admit':
    case 'build':
    case 'sign':
    case 'attach':
    case 'tag':
    case undefined:
      break;
  }
}

/** Packages by the digest of the platform image; the documents themselves are let go. */
function packagesOf({ documents }: SbomOutput): ReadonlyMap<string, readonly ListedPackage[]> {
  return new Map(documents.map(({ digest, spdx }) => [digest, listPackages(spdx)]));
}
