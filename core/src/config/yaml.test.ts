import { expect, test } from 'vitest';
import { complaints, hints, valueOf } from './fixtures.ts';
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

test('a merge key takes in what is not written beside it, the first mapping before the next, each at its place', () => {
  const text = `a: &a {x: 1, y: 1}
b: &b
  <<: *a
  y: 2
  z: 2
c:
  <<: [*b, {z: 3, w: 3}]
  own: 4
d: {"<<": 1}
`;
  const document = valueOf(parseYaml(text, '/f'));
  expect(document.data).toMatchObject({
    b: { x: 1, y: 2, z: 2 },
    c: { x: 1, y: 2, z: 2, w: 3, own: 4 },
    d: { '<<': 1 },
  });
  expect(document.locate(['c', 'x'])).toMatchObject({ line: 1, column: 11 });
  expect(document.locate(['c', 'y'])).toMatchObject({ line: 4, column: 6 });
  expect(document.locate(['c', 'w'])).toMatchObject({ line: 7, column: 22 });
  expect(document.locate(['c', 'own'], 'key')).toMatchObject({ line: 8, column: 3 });
  expect(complaints(parseYaml('a: &a [1]\nb: {<<: *a}\nc: {<<: [{}, 2]}\nd: {<<:}\n', '/f'))).toEqual([
    '2:9 "<<" takes in a mapping, or a list of them',
    '3:9 "<<" takes in a mapping, or a list of them',
    '4:8 "<<" takes in a mapping, or a list of them',
  ]);
});

test.each([
  [
    'a\n  b: 1\n',
    '1:1 not valid YAML: here is no key with a value',
    'a colon and a blank stand between them, as in key: value',
  ],
  [
    'a: 1\nb:2\nc: 3\n',
    '2:1 not valid YAML: here is no key with a value',
    'a colon and a blank stand between them, as in key: value',
  ],
  [
    'a: b: c\n',
    '1:4 not valid YAML: a key with a value inside another value',
    'a text that has ": " in it needs quotes; keys that belong together begin in the same column',
  ],
  [
    'a: >=1.2 <2\n',
    '1:5 not valid YAML: block scalar header includes extra characters: >=1.2',
    'a text that begins with > needs quotes',
  ],
  [
    'a: [>=1.2]\n',
    '1:5 not valid YAML: plain value cannot start with block scalar indicator >',
    'a text that begins with > needs quotes',
  ],
  ['a: [*-rc*]\n', '1:5 the alias "*-rc*" has no anchor before it', 'a text that begins with * needs quotes'],
  [
    'a: {path}/x\n',
    '1:10 not valid YAML: unexpected scalar at node end',
    'a text that begins with {, [ or a quote stands in quotes as a whole',
  ],
  [
    'a:\n  - b: 1\n   c: 2\n',
    '3:1 not valid YAML: a line that belongs to nothing above it',
    'keys that belong together begin in the same column',
  ],
  [
    'a:\n  - b: 1\n  c: 2\n',
    '3:1 not valid YAML: all mapping items must start at the same column',
    'keys that belong together begin in the same column',
  ],
  ['a: "\\d"\n', '1:5 not valid YAML: invalid escape sequence \\d', 'between single quotes a backslash is one'],
])('%j is answered once, with what to do', (text, complaint, hint) => {
  const result = parseYaml(text, '/f');
  expect(complaints(result)).toEqual([complaint]);
  expect(hints(result)).toEqual([hint]);
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
