/** What a sync's tags are to name. */
import type { Digest } from '../reference.ts';
import type { Probed } from './engine.ts';

export function wantedDigest({ wanted, source }: Pick<Probed, 'wanted' | 'source'>): Digest | undefined {
  return wanted ?? source?.digest;
}
