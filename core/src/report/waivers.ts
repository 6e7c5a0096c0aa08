/** By which waivers of the policy what is public is so, the one that ends first first. Pure. */
import type { Failure, UsedWaiver } from '../failure.ts';
import type { Row } from '../journal/events.ts';
import { counted } from './wording.ts';

/** Days from a run in which somebody has to see to what a waiver accepts. */
const SOON = 14;

export interface Waived<T> extends UsedWaiver {
  readonly images: readonly T[];
  /** From the day of the run to its last; not a number where that is no day. */
  readonly days: number;
  readonly soon: boolean;
}

/** `day`: of the run, `2026-11-25`, UTC. */
export function waiversOf<T extends Pick<Row, 'waived'>>(rows: readonly T[], day: string): readonly Waived<T>[] {
  const uses = rows.flatMap((row) => (row.waived ?? []).map((waiver) => ({ waiver, row })));
  const groups = Map.groupBy(uses, ({ waiver: { id, expires, reason } }) => JSON.stringify([expires, id, reason]));
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, all]) => {
      const [first] = all;
      if (first === undefined) return [];
      const { id, reason, expires } = first.waiver;
      const days = daysBetween(day, expires);
      return [{ id, reason, expires, images: all.map(({ row }) => row), days, soon: days <= SOON }];
    });
}

/** `12 images pass the policy only by waivers, of which 1 ends within 14 days of this run`; empty when none does. */
export function waiversLine(all: readonly Waived<unknown>[]): string {
  const images = new Set(all.flatMap((one) => one.images)).size;
  if (images === 0) return '';
  const soon = all.filter((one) => one.soon).length;
  const ends = soon === 1 ? 'ends' : 'end';
  const when =
    soon === 0 ? `the first ends on ${all[0]?.expires ?? ''}` : `${soon} ${ends} within ${SOON} days of this run`;
  return `${counted(images, 'image')} ${images === 1 ? 'passes' : 'pass'} the policy only by ${counted(all.length, 'waiver')}: ${when}`;
}

/** `waived all the same: CVE-1 until 2027-01-31 (not reachable)`, of what was refused for more than that; empty when none is. */
export function waivedBesides(failure: Failure | undefined): string {
  const waived = failure?.reason === 'policy' ? (failure.waived ?? []) : [];
  const told = waived.map(({ id, expires, reason }) => `${id} until ${expires} (${reason})`);
  return told.length === 0 ? '' : `waived all the same: ${told.join(', ')}`;
}

/** Whether one of them ends before long. */
export function endsSoon({ waived = [] }: Pick<Row, 'waived'>, day: string): boolean {
  return waived.some(({ expires }) => daysBetween(day, expires) <= SOON);
}

/** `2026-12-01, 4 days after this run`. */
export function lastDay({ expires, days }: Pick<Waived<unknown>, 'expires' | 'days'>): string {
  if (Number.isNaN(days)) return expires;
  return days <= 0 ? `${expires}, the day of this run` : `${expires}, ${counted(days, 'day')} after this run`;
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}
