/** Which tags may go, and whether so many may. Pure: what is made, stored and named comes from elsewhere. */
import { configFailure, type Failure } from '../failure.ts';

export interface Tags {
  /** Every tag of the repository that names an image. */
  readonly stored: readonly string[];
  /** Those that a believed attestation says this config's signer made, for this very name. */
  readonly made: ReadonlySet<string>;
  /** Those that the config names now. */
  readonly named: ReadonlySet<string>;
  /** Those that the config could have made on another day, or that keep what was overwritten. */
  readonly kept: (tag: string) => boolean;
}

/** Stored, made by us, and no longer named or kept. Never a tag that somebody else made. */
export function prunable({ stored, made, named, kept }: Tags): readonly string[] {
  return stored.filter((tag) => made.has(tag) && !named.has(tag) && !kept(tag));
}

/** As many tags may go unless --max says otherwise. */
export const DEFAULT_MAX = 10;

export interface Share {
  /** `registry/path`. */
  readonly repository: string;
  readonly stored: number;
  readonly going: number;
}

/**
 * Why nothing is deleted: a config that lost its entries by mistake must not take the images with it. `max`, when it is given,
 * says that so many are meant, however large a part of a repository they are.
 */
export function guard(shares: readonly Share[], max: number | undefined): Failure | undefined {
  const total = shares.reduce((sum, { going }) => sum + going, 0);
  const limit = max ?? DEFAULT_MAX;
  const meant = `look at the list, and if all of it is meant, say so with --max ${total}`;
  if (total > limit) {
    return configFailure(`${total} tags would be deleted, which is more than ${limit}; nothing was deleted`, meant);
  }
  const worst = max === undefined ? shares.find(({ stored, going }) => going * 2 > stored) : undefined;
  if (worst === undefined) return undefined;
  const { repository, going, stored } = worst;
  return configFailure(
    `${going} of the ${stored} tags of ${repository} would be deleted, which is more than half; nothing was deleted`,
    meant,
  );
}
