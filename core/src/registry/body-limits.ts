/**
 * How large one request to a registry may be. The registry itself takes a blob in one; what stands before it may not (a reverse
 * proxy, a network for content), and only answers 413 or gives up. https://www.rfc-editor.org/rfc/rfc9110#status.413
 */

/** Bytes, below the limits that such servers have when nobody sets them: 100 MB, 10 MB and 1 MB. */
const SIZES = [64 * 1024 * 1024, 8 * 1024 * 1024, 512 * 1024];

export interface BodyLimits {
  /** Bytes that one request to this registry may have, as far as it has shown. */
  of(registry: string): number;
  learn(registry: string, bytes: number): void;
}

export function createBodyLimits(): BodyLimits {
  const known = new Map<string, number>();
  return {
    of: (registry) => known.get(registry) ?? Number.POSITIVE_INFINITY,
    learn: (registry, bytes) => void known.set(registry, bytes),
  };
}

/** What to try when `refused` bytes were too many. `minimum`: the registry takes no smaller ones. Undefined: nothing is left. */
export function smallerBody(refused: number, minimum = 0): number | undefined {
  const fits = SIZES.find((size) => size < refused);
  if (fits === undefined) return undefined;
  const size = Math.max(fits, minimum);
  return size < refused ? size : undefined;
}
