/** What the file system says of why it did not do something, as `ENOSPC`. Throws again what has no such code: that is a bug. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  if (!('code' in error) || typeof error.code !== 'string') throw error;
  return error.code;
}
