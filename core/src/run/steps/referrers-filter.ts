/** Which of upstream's referrers an entry asks for. Pure. */
import type { ReferrerFilter } from '../../config/model.ts';
import { glob } from '../../plan/pattern.ts';
import { pin, type Pinned } from '../../reference.ts';

/** One digest at both ends. */
export interface Ends {
  readonly source: Pinned;
  readonly subject: Pinned;
}

/** Where an image's referrers are: often beside it, and with some publishers in a registry for them. */
export function upstreamOf({ from }: ReferrerFilter, source: Pinned): Pinned {
  return from === undefined ? source : pin(from, source.digest);
}

/** Whether an artifact type is asked for. */
export function passes({ types }: ReferrerFilter): (type: string | undefined) => boolean {
  if (types === undefined) return () => true;
  const tests = types.map(glob);
  return (type) => type !== undefined && tests.some((test) => test(type));
}
