/** Which of upstream's referrers an entry asks for. Pure. */
import type { ReferrerFilter } from '../../config/model.ts';
import { glob } from '../../plan/pattern.ts';
import type { Pinned } from '../../reference.ts';

/** One digest at both ends. */
export interface Ends {
  readonly source: Pinned;
  readonly subject: Pinned;
}

/** Whether an artifact type is asked for. */
export function passes({ types }: ReferrerFilter): (type: string | undefined) => boolean {
  if (types === undefined) return () => true;
  const tests = types.map(glob);
  return (type) => type !== undefined && tests.some((test) => test(type));
}
