/** How digests and sizes are said to people. */
import type { Digest } from '../reference.ts';

/** `sha256:0123456789ab`. */
export function shortDigest(digest: Digest): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm}:${hex.slice(0, 12)}`;
}
