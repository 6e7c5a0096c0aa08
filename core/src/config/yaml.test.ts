import { expect, test } from 'vitest';
import { complaints, valueOf } from './fixtures.ts';
import { parseYaml } from './yaml.ts';

test('JSON with tabs, a byte order mark that was cut off, and CRLF have the places that editors show', () => {
  const json = valueOf(parseYaml('{\n\t"a": {\n\t\t"b": [1, 2]\n\t}\n}\n', '/f.json'));
  expect(json.data).toEqual({ a: { b: [1, 2] } });
  expect(json.locate(['a', 'b', 1])).toEqual({ file: '/f.json', line: 3, column: 12 });
  expect(json.locate(['a', 'b'], 'key')).toMatchObject({ line: 3, column: 3 });
  expect(valueOf(parseYaml('a: 1\r\nb:\r\n  - x\r\n', '/f')).locate(['b', 0])).toMatchObject({ line: 3, column: 5 });
});

test('a part that is empty or missing is placed at its key or its parent', () => {
  const document = valueOf(parseYaml('a:\nb: {c: 1}\n', '/f'));
  expect(document.locate(['a'])).toMatchObject({ line: 1, column: 1 });
  expect(document.locate(['b', 'x', 'y'])).toMatchObject({ line: 2, column: 4 });
  expect(valueOf(parseYaml('', '/f')).locate(['a', 0])).toMatchObject({ line: 1, column: 1 });
});

test('a value behind an alias is placed where it is written', () => {
  const document = valueOf(parseYaml('a: &x\n  b: 1\nc: *x\n', '/f'));
  expect(document.data).toEqual({ a: { b: 1 }, c: { b: 1 } });
  expect(document.locate(['c'])).toMatchObject({ line: 3, column: 4 });
  expect(document.locate(['c', 'b'])).toMatchObject({ line: 2, column: 6 });
});

test('an anchor that is used again names the last one before', () => {
  expect(valueOf(parseYaml('a: &x 1\nb: *x\nc: &x 2\nd: *x\n', '/f')).data).toEqual({ a: 1, b: 1, c: 2, d: 2 });
});

test('"__proto__" is a key like any other', () => {
  const { data } = valueOf(parseYaml('__proto__: {polluted: true}\n', '/f'));
  expect(Object.keys(Object(data))).toEqual(['__proto__']);
  expect('polluted' in Object(data)).toBe(false);
});

test('50,000 keys are not compared with one another', () => {
  const text = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1\n`).join('');
  expect(complaints(parseYaml(`${text}k7: 2\n`, '/f'))).toEqual(['50001:1 the key "k7" is already in line 8']);
});
