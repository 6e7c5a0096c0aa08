/** What a scan comes to in a row: counts over all platforms, and of what the counts say little or nothing. Pure. */
import type { FindingCounts } from '../journal/events.ts';
import type { Scan } from '../trust/model.ts';
import { mergeFindings } from '../trust/summary.ts';
import { endedSystems } from './ended.ts';
import { countFindings } from './gate.ts';

export interface Tally {
  /** `null` when no platform was scanned: an image that nobody could look into is never shown as one without findings. */
  readonly findings: FindingCounts | null;
  /** Platforms that no scanner could read; `findings` says nothing of them. */
  readonly unscanned: readonly string[];
  /** Operating systems at their end of life: `findings` lacks what became known since. */
  readonly endOfLife: readonly string[];
  /** Most packages found on one platform; `null` when not known. */
  readonly packages: number | null;
}

export function tallyOf(scan: Scan | undefined): Tally {
  const platforms = scan?.platforms ?? [];
  const scanned = platforms.filter(({ status }) => status !== 'unscanned');
  const unscanned = platforms.filter(({ status }) => status === 'unscanned').map(({ platform }) => platform);
  return {
    findings: scanned.length === 0 ? null : countFindings(mergeFindings(scanned)),
    unscanned,
    endOfLife: [...endedSystems(platforms).keys()],
    packages: scanned.length === 0 ? null : Math.max(...scanned.map((platform) => platform.packages)),
  };
}
