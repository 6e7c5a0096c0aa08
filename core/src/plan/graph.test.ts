import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCycle, findCycles, needsGraph, reachable, topologicalOrder } from './graph.ts';

function graphOf(needs: Readonly<Record<string, readonly string[]>>): ReturnType<typeof needsGraph> {
  return needsGraph(Object.keys(needs), (node) => needs[node] ?? []);
}

/** `n` diamonds on top of each other: paths double with each. */
function ladder(n: number): ReturnType<typeof needsGraph> {
  const needs: Record<string, string[]> = { top0: [] };
  for (let i = 0; i < n; i += 1) {
    needs[`left${i}`] = [`top${i}`];
    needs[`right${i}`] = [`top${i}`];
    needs[`top${i + 1}`] = [`left${i}`, `right${i}`];
  }
  return graphOf(needs);
}

describe('findCycle', () => {
  it('tells the whole cycle, from the node that was added first', () => {
    expect(findCycle(graphOf({ x: ['c'], a: ['b'], b: ['c'], c: ['a'] }))).toEqual(['a', 'b', 'c']);
  });

  it('sees a node that needs itself, and nothing where there is nothing', () => {
    expect(findCycle(graphOf({ a: ['a'] }))).toEqual(['a']);
    expect(findCycle(graphOf({ a: [], b: ['a'], c: ['a', 'b'] }))).toBeUndefined();
  });

  it('tells independent cycles at once, and no node twice', () => {
    expect(findCycles(graphOf({ a: ['b'], b: ['a', 'c'], c: ['b', 'd'], d: ['e'], e: ['d'] }))).toEqual([
      ['a', 'b'],
      ['d', 'e'],
    ]);
  });

  it('takes no time on a ladder of 24 diamonds, and no stack on 100,000 nodes in a row', () => {
    const started = performance.now();
    expect(findCycle(ladder(24))).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(100);
    const nodes = Array.from({ length: 100_000 }, (_, index) => String(index));
    const row = needsGraph(nodes, (node) => (node === '99999' ? [] : [String(Number(node) + 1)]));
    expect(findCycle(row)).toBeUndefined();
    expect(topologicalOrder(row)[0]).toBe('99999');
  });

  it('finds a cycle exactly where there is one, on any graph', () => {
    const size = 8;
    const edges = fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 20 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const needs = Object.fromEntries(Array.from({ length: size }, (_, node) => [`n${node}`, new Set<string>()]));
        for (const [from, to] of pairs) needs[`n${from}`]?.add(`n${to}`);
        const graph = needsGraph(Object.keys(needs), (node) => needs[node] ?? []);
        const needsItself = (node: string): boolean =>
          [...(needs[node] ?? [])].some((need) => reachable(graph, [need], 'needs').has(node));
        const cycle = findCycle(graph);
        expect(cycle !== undefined).toBe(Object.keys(needs).some(needsItself));
        cycle?.forEach((node, index) => expect(needs[node]?.has(cycle[(index + 1) % cycle.length] ?? '')).toBe(true));
        if (cycle !== undefined) return;
        const place = new Map(topologicalOrder(graph).map((node, index) => [node, index]));
        expect(place.size).toBe(size);
        for (const [node, all] of Object.entries(needs))
          for (const need of all) expect(place.get(need)).toBeLessThan(place.get(node) ?? -1);
      }),
    );
  });
});

describe('order and reach', () => {
  const graph = graphOf({ z: [], a: ['m'], m: ['z'], lone: [], end: ['a', 'z'] });

  it('keeps the order in which nodes were added where needs allow it', () => {
    expect(topologicalOrder(graph)).toEqual(['z', 'm', 'a', 'lone', 'end']);
  });

  it('refuses to order a cycle', () => {
    expect(() => topologicalOrder(graphOf({ a: ['b'], b: ['a'] }))).toThrow('cycle');
  });

  it('reaches both ways', () => {
    expect([...reachable(graph, ['a'], 'needs')].sort()).toEqual(['a', 'm', 'z']);
    expect([...reachable(graph, ['m'], 'dependents')].sort()).toEqual(['a', 'end', 'm']);
  });
});
