/** Numbers by seed: the same seed gives the same rounds, and is shown with what goes wrong. */
import { createHash, randomInt } from 'node:crypto';

export const seed = process.env['SLIPWAY_SEED'] ?? String(randomInt(1_000_000));

/** From 0 to 1, by what it is for. */
export function random(...what: readonly (string | number)[]): number {
  return (
    createHash('sha256')
      .update([seed, ...what].join(' '))
      .digest()
      .readUInt32BE() /
    2 ** 32
  );
}
