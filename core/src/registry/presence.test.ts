import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { mediaType, type ManifestContent } from '../oci/model.ts';
import { createManifestCache } from './manifest-cache.ts';
import { createPresence } from './presence.ts';

const at = (path: string, registry = 'one.example') => ({ registry, path });
const [A, B] = [sha256('a'), sha256('b')];

test('what is in a repository is known there, and elsewhere on the same host', () => {
  const known = createPresence();
  known.add(at('x'), A);
  expect(known.has(at('x'), A)).toBe(true);
  expect(known.has(at('y'), A)).toBe(false);
  expect(known.has(at('x'), B)).toBe(false);
  expect(known.has(at('x', 'two.example'), A)).toBe(false);
  expect(known.elsewhere(at('y'), A)).toEqual([at('x')]);
  expect(known.elsewhere(at('x'), A)).toEqual([]);
  expect(known.elsewhere(at('y', 'two.example'), A)).toEqual([]);
  known.remove(at('x'), A);
  expect(known.elsewhere(at('y'), A)).toEqual([]);
});

test('a size is kept from when the blob was measured', () => {
  const known = createPresence();
  known.add(at('x'), A);
  expect(known.sizeOf(at('x'), A)).toBeUndefined();
  known.add(at('x'), A, 7);
  known.add(at('y'), A);
  expect(known.sizeOf(at('y'), A)).toBe(7);
  expect(known.sizeOf(at('y', 'two.example'), A)).toBeUndefined();
});

test('memory is bounded, and what was used last is kept', () => {
  const digest = fc.integer({ min: 0, max: 30 }).map((n) => sha256(String(n)));
  const step = fc.record({ path: fc.constantFrom('x', 'y', 'z'), digest, add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const known = createPresence(10);
      const all = new Set<string>();
      for (const { path, digest: name, add } of steps) {
        if (add) known.add(at(path), name);
        else known.remove(at(path), name);
        if (add) all.add(name);
        else expect(known.has(at(path), name)).toBe(false);
        if (add) expect(known.has(at(path), name)).toBe(true);
        const pairs = [...all].flatMap((each) =>
          ['x', 'y', 'z'].filter((where) => known.has(at(where), each as typeof name)),
        );
        expect(pairs.length).toBeLessThanOrEqual(10);
      }
    }),
  );
});

test('manifests are kept by what they weigh', () => {
  const manifest = (name: string, size: number): ManifestContent => ({
    kind: 'index',
    descriptor: { mediaType: mediaType.ociIndex, digest: sha256(name), size },
    bytes: new Uint8Array(size),
    value: { schemaVersion: 2, manifests: [] },
  });
  const cache = createManifestCache(4000);
  cache.put(manifest('a', 400));
  cache.put(manifest('b', 400));
  expect(cache.get(sha256('a'))).toBeDefined();
  cache.put(manifest('c', 400));
  expect(cache.get(sha256('b'))).toBeUndefined();
  expect(cache.get(sha256('a'))).toBeDefined();
  cache.put(manifest('large', 600));
  expect(cache.get(sha256('large'))).toBeUndefined();
});
