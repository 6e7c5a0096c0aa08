/** Which images nobody publishes advisories for any more: of those, no findings means nothing. Pure. */
import type { Row } from '../journal/events.ts';
import { clean, counted } from './wording.ts';

/** Operating systems that are named. */
const NAMED = 3;

/** A sentence on all that are; empty when none is. */
export function endOfLifeLine(rows: readonly Pick<Row, 'endOfLife'>[]): string {
  const ended = rows.filter(({ endOfLife = [] }) => endOfLife.length > 0);
  if (ended.length === 0) return '';
  const systems = [...new Set(ended.flatMap(({ endOfLife = [] }) => endOfLife))].toSorted();
  const named = systems.slice(0, NAMED).map(clean);
  if (systems.length > NAMED) named.push(`${systems.length - NAMED} more`);
  const have = ended.length === 1 ? 'has' : 'have';
  return `${counted(ended.length, 'image')} ${have} an operating system at its end of life (${named.join(', ')}), which gets no advisories any more: new vulnerabilities in it are not found`;
}
