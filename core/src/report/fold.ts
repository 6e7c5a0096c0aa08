/** A graph of entries for people: what is alike in all that a drawing shows is one box, with a number. Pure. */

export type Edges = readonly (readonly [from: string, to: string])[];

interface Entry {
  readonly id: string;
  readonly outcome: string;
}

/** An entry, or several that stand at one place and came to the same. */
export interface Box<T> {
  readonly id: string;
  readonly all: readonly [T, ...T[]];
}

export interface Drawing<T> {
  readonly boxes: readonly Box<T>[];
  readonly edges: Edges;
}

/** So many are told apart at a glance; of more, only their number is. */
const MAX_ALIKE = 3;

/** One for each entry: of the targets of an entry, the first names it. */
export function firstOfEach<T extends { readonly id: string }>(rows: readonly T[]): readonly T[] {
  const first = new Map<string, T>();
  for (const row of rows) if (!first.has(row.id)) first.set(row.id, row);
  return [...first.values()];
}

/** Siblings take the same, came to the same, and nothing takes them. */
export function folded<T extends Entry>(entries: readonly T[], edges: Edges): Drawing<T> {
  const shown = new Set(entries.map(({ id }) => id));
  const inside = edges.filter(([from, to]) => shown.has(from) && shown.has(to));
  const taken = new Set(inside.map(([from]) => from));
  const needs = Map.groupBy(inside, ([, to]) => to);
  const groups = Map.groupBy(entries, ({ id, outcome }) =>
    JSON.stringify(taken.has(id) ? [id] : [outcome, ...(needs.get(id) ?? []).map(([from]) => from).toSorted()]),
  );
  const boxes = [...groups.values()].flatMap((group): readonly Box<T>[] => {
    const [first, ...others] = group;
    if (first === undefined) return [];
    if (group.length > MAX_ALIKE) return [{ id: first.id, all: [first, ...others] }];
    return group.map((one) => ({ id: one.id, all: [one] }));
  });
  const boxOf = new Map(boxes.flatMap(({ id, all }) => all.map((one) => [one.id, id] as const)));
  const mapped = inside.map(([from, to]) => [boxOf.get(from) ?? from, boxOf.get(to) ?? to] as const);
  return { boxes, edges: [...new Map(mapped.map((edge) => [edge.join('\n'), edge])).values()] };
}

/** What failed or was refused, and all that takes it, directly or through others. */
export function heldUp<T extends Entry>(entries: readonly T[], edges: Edges): readonly T[] {
  const held = new Set(
    entries.filter(({ outcome }) => outcome === 'failed' || outcome === 'refused').map(({ id }) => id),
  );
  const takers = Map.groupBy(edges, ([from]) => from);
  // A set is gone through to its end, also what was added meanwhile.
  for (const id of held) for (const [, to] of takers.get(id) ?? []) held.add(to);
  return entries.filter(({ id }) => held.has(id));
}
