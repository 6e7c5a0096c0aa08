/** Columns for a drawing: each entry stands right of everything that it takes. Pure. */

export function levelsOf(
  ids: readonly string[],
  edges: readonly (readonly [from: string, to: string])[],
): readonly (readonly string[])[] {
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
  return Array.from(columns, (column) => column ?? []).filter((column) => column.length > 0);
}
