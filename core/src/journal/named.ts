/** What a tag names at the end of its row: what was refused or failed is not public, whatever became of it. Pure. */
import type { Row } from './events.ts';

/** `null`: nothing, or nobody got to ask. */
export function namedBy({ outcome, digest, before }: Pick<Row, 'outcome' | 'digest' | 'before'>): string | null {
  return outcome === 'published' || outcome === 'unchanged' ? digest : before;
}
