/** The table of `slipway diff`. */
import type { Diff, DiffKind, DiffRow } from '../diff/model.ts';
import { clean, formatBytes, formatDigest } from './wording.ts';

const KINDS: readonly DiffKind[] = ['new', 'moved', 'gone', 'waits', 'failed', 'same'];

/** What differs, a line each; then what selections drop, and what the sync costs. */
export function formatDiff({ rows, selections, cost, hosts, quota }: Diff): string {
  const differing = rows.filter(({ kind }) => kind !== 'same');
  const header =
    cost === undefined ? ['', 'destination', 'digest'] : ['', 'destination', 'digest', 'bytes', 'requests', 'pulls'];
  const table = differing.length === 0 ? [] : [header, ...differing.map((row) => cells(row, cost !== undefined))];
  const lines = [...align(table), ...selections.map(attritionLine)];
  const counts = KINDS.flatMap((kind) => {
    const count = rows.filter((row) => row.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  lines.push(counts.length === 0 ? 'nothing is synced' : counts.join(', '));
  if (cost !== undefined) {
    const each = Object.entries(hosts).map(([host, count]) => `${host} ${count}`);
    const asked = `${cost.requests} requests${each.length === 0 ? '' : ` (${each.join(', ')})`}`;
    const left = quota === undefined ? '' : ` of ${quota.remaining} left`;
    const pulls = cost.pulls === 0 && quota === undefined ? '' : `, ${cost.pulls}${left} pulls of Docker Hub`;
    lines.push(clean(`a sync sends ${formatBytes(cost.bytes)} in ${asked}${pulls}`));
  }
  return `${lines.join('\n')}\n`;
}

function cells(row: DiffRow, withCost: boolean): readonly string[] {
  const { kind, destination, from, to, why, failure, cost } = row;
  const digests = [from, to].flatMap((digest) => (digest === undefined ? [] : [formatDigest(digest)])).join(' → ');
  const what = [kind, destination, failure?.message ?? why ?? digests];
  if (!withCost || cost === undefined) return what;
  return [...what, formatBytes(cost.bytes), String(cost.requests), String(cost.pulls)];
}

function attritionLine({ id, seen, selected, dropped, failure }: Diff['selections'][number]): string {
  if (failure !== undefined) return clean(`${id}: ${failure.message}`);
  const parts = Object.entries(dropped).map(([test, count]) => `, ${count} dropped by ${test}`);
  return clean(`${id}: ${selected} of ${seen} tags${parts.join('')}`);
}

function align(rows: readonly (readonly string[])[]): string[] {
  const safe = rows.map((row) => row.map(clean));
  // What ends its row, as the reason of a failure, widens no column.
  const width = (row: readonly string[], column: number): number =>
    column < row.length - 1 ? (row[column]?.length ?? 0) : 0;
  const widths = safe[0]?.map((_, column) => Math.max(...safe.map((row) => width(row, column)))) ?? [];
  return safe.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
