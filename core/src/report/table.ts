/** The final table: a row a target. Pure: rows in, text out. */
import type { Row } from '../journal/events.ts';
import { clean, formatBytes, formatDigest, formatFailure, formatFindings, formatSeconds } from './wording.ts';

const HEADER = ['destination', 'outcome', 'digest', 'size', 'packages', 'findings', 'signed', 'seconds', 'what changed'] as const;

/** Aligned columns; the last is as long as it has to be. */
export function formatTable(rows: readonly Row[]): string {
  const cells = [HEADER, ...rows.map(cellsOf)];
  const widths = HEADER.map((_, column) => Math.max(...cells.map((line) => (line[column] ?? '').length)));
  const lines = cells.map((line) => line.map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ').trimEnd());
  return `${lines.join('\n')}\n`;
}

function cellsOf(row: Row): readonly string[] {
  return [
    row.destination,
    row.outcome,
    formatDigest(row.digest),
    row.size === null ? '-' : formatBytes(row.size),
    row.packages === null ? '-' : String(row.packages),
    formatFindings(row.findings),
    row.signed ? 'yes' : 'no',
    row.seconds.toFixed(1),
    whatChanged(row),
  ];
}

function whatChanged(row: Row): string {
  if (row.outcome === 'published') return row.before === null ? 'new' : `was ${formatDigest(row.before)}`;
  return clean(row.why);
}

/** Every failure once, whole, with what to do; after the table, where it is seen. */
export function formatFailures(rows: readonly Row[]): string {
  const lines: string[] = [];
  const said = new Set<string>();
  for (const row of rows) {
    if (row.failure === undefined || row.outcome === 'skipped' || row.outcome === 'cancelled' || said.has(row.id)) continue;
    said.add(row.id);
    const [first = '', ...rest] = formatFailure(row.failure);
    lines.push(`${row.outcome} ${row.id}`, `  ${first}`, ...rest.map((line) => `  ${line}`));
    if (row.failure.reason === 'policy') lines.push(...row.failure.refusals.map((refusal) => `    - ${clean(refusal)}`));
    if (row.failure.reason === 'tool' && row.failure.output !== undefined) {
      lines.push(...row.failure.output.split('\n').map((line) => `    | ${clean(line)}`));
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** `3 published, 2 unchanged, 1 refused in 4.2 s`. */
export function formatCounts(rows: readonly Row[], seconds: number): string {
  const counts = new Map<string, number>();
  for (const { outcome } of rows) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const said = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  return `${said === '' ? 'nothing to do' : said} in ${formatSeconds(seconds)}`;
}
