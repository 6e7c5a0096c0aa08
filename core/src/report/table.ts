/** The final table: a row a target. Pure: rows in, text out. */
import type { Failure } from '../failure.ts';
import type { Outcome, Row } from '../journal/events.ts';
import { causesOf } from './causes.ts';
import { firstOfEach } from './fold.ts';
import type { TaskLog } from './logs.ts';
import {
  clean,
  cut,
  formatBytes,
  formatDigest,
  formatFailure,
  formatFindings,
  formatSeconds,
  placeOf,
} from './wording.ts';

const HEADER = [
  'destination',
  'outcome',
  'digest',
  'size',
  'packages',
  'findings',
  'signed',
  'seconds',
  'what changed',
] as const;
const OUTCOME = HEADER.indexOf('outcome');
/** Columns of numbers, which are read from their right end. */
const NUMBERS: ReadonlySet<string> = new Set(['size', 'packages', 'seconds']);
/** Characters of a name up to which all rows make room for it. */
const MAX_NAME = 60;
/** Of longer ones, all but one in twenty have room when the others are so many characters shorter. */
const USUAL = 0.95;
const MUCH_LONGER = 20;
/** The last column is a remark; what needs more words has them below the table. */
const MAX_REMARK = 60;
/** An image can have thousands of findings; all of them are attached to it, and in the answer of `--json`. */
const MAX_REFUSALS = 20;
/** A registry that is down fails all of them. */
const MAX_ALIKE = 20;

/** What something came to; colours follow it. */
export type State = Outcome | 'ok' | 'warning' | 'run';

/** Adds colour; `text` is padded, so that colour never changes the alignment. */
export type Paint = (state: State, text: string) => string;

export const noPaint: Paint = (_, text) => text;

/** Aligned columns. */
export function formatTable(rows: readonly Row[], paint: Paint = noPaint): string {
  const cells = [HEADER, ...rows.map(cellsOf)];
  const widths = HEADER.map((_, column) =>
    column === 0
      ? usualWidth(cells.map(([name = '']) => name.length))
      : cells.reduce((width, line) => Math.max(width, (line[column] ?? '').length), 0),
  );
  const lines = cells.map((line, index) => {
    const outcome = rows[index - 1]?.outcome;
    return line
      .map((cell, column) => {
        const padded = pad(cell, column, widths[column] ?? 0);
        return column === OUTCOME && outcome !== undefined ? paint(outcome, padded) : padded;
      })
      .join('  ')
      .trimEnd();
  });
  return `${lines.join('\n')}\n`;
}

/** Some names that are much longer than the others move their own row only: else every row would be broken by the terminal. */
function usualWidth(lengths: readonly number[]): number {
  const sorted = lengths.toSorted((a, b) => a - b);
  const [longest = 0, usual = 0] = [sorted.at(-1), sorted[Math.floor((sorted.length - 1) * USUAL)]];
  return longest > MAX_NAME && longest - usual > MUCH_LONGER ? usual : longest;
}

function pad(cell: string, column: number, width: number): string {
  if (column === HEADER.length - 1) return cell;
  return NUMBERS.has(HEADER[column] ?? '') ? cell.padStart(width) : cell.padEnd(width);
}

function cellsOf(row: Row): readonly string[] {
  return [
    clean(row.destination),
    row.outcome,
    formatDigest(row.digest),
    row.size === null ? '-' : formatBytes(row.size),
    row.packages === null ? '-' : String(row.packages),
    formatFindings(row),
    row.signed ? 'yes' : 'no',
    row.seconds.toFixed(1),
    whatChanged(row),
  ];
}

function whatChanged(row: Row): string {
  switch (row.outcome) {
    case 'published':
      return row.before === null ? 'new' : `was ${formatDigest(row.before)}${backup(row)}`;
    case 'failed':
    case 'refused':
      return 'see below';
    case 'unchanged':
    case 'skipped':
    case 'cancelled':
      return cut(clean(row.why), MAX_REMARK);
  }
}

/** Nobody has verified what is kept, so it is not called more than it is. */
function backup({ backup: kept }: Row): string {
  return kept === undefined ? '' : `, kept as ${kept.slice(kept.lastIndexOf(':') + 1)} (unverified)`;
}

/**
 * Every cause once, with what to do, and whom else it concerns; after the table, where it is seen. `logs`: what the tools wrote, by entry id or
 * package task id. `folder`: what files are named from.
 */
export function formatFailures(
  rows: readonly Row[],
  logs: ReadonlyMap<string, TaskLog> = new Map(),
  paint: Paint = noPaint,
  folder = '',
): string {
  const lines: string[] = [];
  const bad = rows.filter(({ outcome }) => outcome !== 'skipped' && outcome !== 'cancelled');
  for (const { images } of causesOf(firstOfEach(bad.filter(({ failure }) => failure !== undefined)))) {
    const [{ id, outcome, failure }, ...others] = images;
    if (failure === undefined) continue;
    lines.push(
      `${paint(outcome, outcome)} ${clean(id)}`,
      ...formatFailure(failure, folder).map((line) => `  ${line}`),
      ...refusals(failure),
    );
    const log = failure.reason === 'need' ? logs.get(failure.need) : logs.get(id);
    if (log !== undefined && log.left > 0) lines.push(`    (${log.left} lines before these are in the journal)`);
    lines.push(
      ...(log?.lines ?? outputOf(failure)).map((line) => `    | ${clean(line)}`),
      ...alike(others, logs, folder),
    );
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function alike(others: readonly Row[], logs: ReadonlyMap<string, TaskLog>, folder: string): readonly string[] {
  if (others.length === 0) return [];
  const left = others.length - MAX_ALIKE;
  return [
    `  and ${others.length} more for the same cause${others.some(({ id }) => logs.has(id)) ? ', their logs are in the journal' : ''}:`,
    ...others
      .slice(0, MAX_ALIKE)
      .map(({ id, failure }) => `    ${clean(`${failure === undefined ? '' : placeOf(failure, folder)}${id}`)}`),
    ...(left > 0 ? [`    and ${left} more: the table has them`] : []),
  ];
}

/** The first stands in the message already. */
function refusals(failure: Failure): readonly string[] {
  if (failure.reason !== 'policy') return [];
  const shown = failure.refusals.slice(1, MAX_REFUSALS).map((refusal) => `    - ${clean(refusal)}`);
  const more = failure.refusals.length - MAX_REFUSALS;
  return more > 0 ? [...shown, `    and ${more} more: --json has them all`] : shown;
}

function outputOf(failure: Failure): readonly string[] {
  return failure.reason === 'tool' && failure.output !== undefined ? failure.output.split('\n') : [];
}

/** `3 published, 2 unchanged, 1 refused in 4.2 s`. */
export function formatCounts(rows: readonly Row[], seconds: number): string {
  const counts = new Map<string, number>();
  for (const { outcome } of rows) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const said = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  return `${said === '' ? 'nothing to do' : said} in ${formatSeconds(seconds)}`;
}
