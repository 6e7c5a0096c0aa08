import { expect, it } from 'vitest';
import { refusalOf } from './gate.ts';

const at = { file: 'config.yaml', line: 1, column: 1 };
const built = { kind: 'build', at } as const;

it('what is refused is told with the waivers that held all the same', () => {
  const waived = [{ id: 'CVE-2', reason: 'not reachable', expires: '2027-01-31' }];
  const refusals = ['CVE-1 (HIGH) in musl', 'CVE-3 (HIGH) in zlib'];
  expect(refusalOf('abc for r/a:1', { refusals, waived }, built)).toMatchObject({
    message: 'the gate refused abc for r/a:1: CVE-1 (HIGH) in musl (and 1 more)',
    refusals,
    waived,
  });
  expect(refusalOf('abc for r/a:1', { refusals, waived: [] }, built)).not.toHaveProperty('waived');
});

it('nobody is told to rebuild an image that others make', () => {
  const judged = { refusals: ['CVE-1 (HIGH) in musl'], waived: [] };
  expect(refusalOf('abc for r/a:1', judged, built).hint).toMatch(/^rebuild/);
  expect(refusalOf('abc for r/a:1', judged, { kind: 'sync', at }).hint).toMatch(/^take an image that has the fixes/);
});
