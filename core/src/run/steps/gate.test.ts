import { expect, it } from 'vitest';
import { refusalOf } from './gate.ts';

const at = { file: 'config.yaml', line: 1, column: 1 };

it('what is refused is told with the waivers that held all the same', () => {
  const waived = [{ id: 'CVE-2', reason: 'not reachable', expires: '2027-01-31' }];
  const refusals = ['CVE-1 (HIGH) in musl', 'CVE-3 (HIGH) in zlib'];
  expect(refusalOf('abc for r/a:1', { refusals, waived }, at)).toMatchObject({
    message: 'the gate refused abc for r/a:1: CVE-1 (HIGH) in musl (and 1 more)',
    refusals,
    waived,
  });
  expect(refusalOf('abc for r/a:1', { refusals, waived: [] }, at)).not.toHaveProperty('waived');
});
