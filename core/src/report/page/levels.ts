/** Columns for a drawing: each entry stands right of everything that it takes, and near it. Pure. */
import type { Edges } from '../fold.ts';

export function levelsOf(ids: readonly string[], edges: Edges): readonly (readonly string[])[] {
  const shown = new Set(ids);
  const inside = edges.filter(([from, to]) => shown.has(from) && shown.has(to));
  const level = new Map(ids.map((id) => [id, 0]));
  // As often as the longest path can be; a journal that was made up may hold a circle.
  for (let round = 0; round < ids.length; round += 1) {
    let moved = false;
    for (const [from, to] of inside) {
      const least = (level.get(from) ?? 0) + 1;
      if ((level.get(to) ?? 0) >= least || least >= ids.length) continue;
      level.set(to, least);
      moved = true;
    }
    if (!moved) break;
  }
  const columns: string[][] = [];
  for (const id of ids) (columns[level.get(id) ?? 0] ??= []).push(id);
  return untangled(
    Array.from(columns, (column) => column ?? []).filter((column) => column.length > 0),
    inside,
  );
}

/** Each beside the middle of what it takes, so that few lines cross. */
function untangled(columns: readonly (readonly string[])[], edges: Edges): readonly (readonly string[])[] {
  const needs = Map.groupBy(edges, ([, to]) => to);
  const rows = new Map<string, number>();
  return columns.map((column) => {
    const middle = (id: string): number => {
      const at = (needs.get(id) ?? []).flatMap(([from]) => rows.get(from) ?? []);
      return at.length === 0 ? Number.POSITIVE_INFINITY : at.reduce((sum, row) => sum + row, 0) / at.length;
    };
    const middles = new Map(column.map((id) => [id, middle(id)]));
    const ordered = column.toSorted((a, b) => {
      const [x, y] = [middles.get(a) ?? 0, middles.get(b) ?? 0];
      return x === y ? 0 : x - y;
    });
    for (const [row, id] of ordered.entries()) rows.set(id, row);
    return ordered;
  });
}
