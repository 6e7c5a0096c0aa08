import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findWays } from './critical-path.ts';

interface Node {
  readonly name: string;
  readonly dependents: Node[];
  way: number;
}

/** Name → what it needs; in this order. */
function nodesOf(needs: Readonly<Record<string, readonly string[]>>): readonly Node[] {
  const nodes = new Map(Object.keys(needs).map((name): [string, Node] => [name, { name, dependents: [], way: NaN }]));
  for (const node of nodes.values()) for (const need of needs[node.name] ?? []) nodes.get(need)?.dependents.push(node);
  return [...nodes.values()];
}

function waysOf(nodes: readonly Node[], weights: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  findWays(nodes, ({ name }) => weights[name] ?? 0);
  return Object.fromEntries(nodes.map(({ name, way }) => [name, way]));
}

describe('the heaviest way to the end', () => {
  it('counts the node itself, whatever the order of the nodes', () => {
    const weights = { z: 1, m: 10, a: 2, lone: 5, end: 3 };
    const expected = { z: 16, m: 15, a: 5, lone: 5, end: 3 };
    expect(waysOf(nodesOf({ z: [], a: ['m'], m: ['z'], lone: [], end: ['a', 'z'] }), weights)).toEqual(expected);
    expect(waysOf(nodesOf({ end: ['a', 'z'], lone: [], m: ['z'], a: ['m'], z: [] }), weights)).toEqual(expected);
  });

  it('refuses a cycle', () => {
    expect(() => waysOf(nodesOf({ a: ['b'], b: ['a'] }), {})).toThrow('cycle');
    expect(() => waysOf(nodesOf({ a: ['a'] }), {})).toThrow('cycle');
  });

  it('takes no stack on 100,000 nodes in a row, in either order', () => {
    const row = Array.from({ length: 100_000 }, (_, n): Node => ({ name: String(n), dependents: [], way: NaN }));
    row.forEach((node, n) => row[n + 1] !== undefined && node.dependents.push(row[n + 1] as Node));
    findWays(row.toReversed(), () => 1);
    expect(row[0]?.way).toBe(100_000);
  });

  it('is its own weight and the heaviest way of those that need it, on any graph', () => {
    const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 30 });
    const weights = fc.array(fc.nat(5), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(edges, weights, fc.boolean(), (pairs, weight, backwards) => {
        const nodes = Array.from({ length: 10 }, (_, n): Node => ({ name: String(n), dependents: [], way: NaN }));
        // From smaller to larger: no cycles.
        for (const [a, b] of pairs) if (a < b) nodes[a]?.dependents.push(nodes[b] as Node);
        const own = ({ name }: Node): number => weight[Number(name)] ?? 0;
        findWays(backwards ? nodes.toReversed() : nodes, own);
        for (const node of nodes)
          expect(node.way).toBe(own(node) + Math.max(0, ...node.dependents.map(({ way }) => way)));
      }),
    );
  });
});
