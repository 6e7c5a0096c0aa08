import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Document, Path } from './document.ts';
import { readPlainYaml } from './plain-yaml.ts';
import { parseYaml } from './yaml.ts';

/** What this reader leaves to the library, without moving anything. */
const BEYOND = '\n# é';

function byLibrary(text: string): Document | undefined {
  expect(readPlainYaml(text + BEYOND, 'f')).toBeUndefined();
  const parsed = parseYaml(text + BEYOND, 'f');
  return parsed.ok ? parsed.value : undefined;
}

/** Every path of the data, and one that is not there. */
function* pathsOf(data: unknown, path: Path = []): Generator<Path> {
  yield path;
  if (typeof data !== 'object' || data === null) return;
  yield [...path, Array.isArray(data) ? data.length : 'absent'];
  for (const [key, value] of Object.entries(data)) {
    yield* pathsOf(value, [...path, Array.isArray(data) ? Number(key) : key]);
  }
}

function expectSame(text: string, read: Document): void {
  const other = byLibrary(text);
  expect(other?.data, text).toEqual(read.data);
  for (const path of pathsOf(read.data)) {
    for (const part of ['key', 'value'] as const) {
      expect({ path, at: read.locate(path, part) }, text).toEqual({ path, at: other?.locate(path, part) });
    }
  }
}

const word = fc.stringMatching(/^[A-Za-z][\w-]{0,6}$/);
const scalar = fc.oneof(
  word,
  fc.constantFrom(
    'true',
    'false',
    'null',
    'True',
    'NULL',
    '1.20',
    '0x1f',
    '.5',
    '1e3',
    '-1',
    '~',
    '',
    'a: b',
    'a #b',
    'a#b',
  ),
  fc.constantFrom(
    'ghcr.io/a/b:1.0@sha256:0f',
    './images/a/Dockerfile',
    '"a: b # c"',
    "'it'",
    '{date}',
    'a/b:{date}',
    '&a x',
  ),
  fc.stringMatching(/^[\w./@+{}:-]{1,8}$/),
);
const comment = fc.constantFrom('', '', ' # told', '  #', '#x');
const lineBreak = fc.constantFrom('\n', '\n', '\n', '\n\n', '\n   # between\n', '\n# at the left\n');

interface Drawn {
  readonly indent: (spaces: string) => string;
}

const { value: block } = fc.letrec<{ value: Drawn; list: Drawn; mapping: Drawn }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, tie('list'), tie('mapping')),
  list: fc
    .array(fc.tuple(fc.oneof({ maxDepth: 3 }, scalar, tie('mapping')), comment, lineBreak), {
      minLength: 1,
      maxLength: 4,
    })
    .map((items) => ({
      indent: (spaces) =>
        items
          .map(([item, after, end]) =>
            typeof item === 'string'
              ? `${spaces}- ${item}${after}${end}`
              : `${spaces}- ${item.indent(`${spaces}  `).slice(spaces.length + 2)}`,
          )
          .join(''),
    })),
  mapping: fc
    .array(fc.tuple(word, fc.oneof({ maxDepth: 3 }, scalar, tie('value')), comment, lineBreak, fc.nat(3)), {
      minLength: 1,
      maxLength: 4,
    })
    .map((pairs) => ({
      indent: (spaces) =>
        pairs
          .map(([key, value, after, end, deeper]) =>
            typeof value === 'string'
              ? `${spaces}${key}: ${value}${after}${end}`
              : `${spaces}${key}:${after}${end}${value.indent(spaces + ' '.repeat(deeper))}`,
          )
          .join(''),
    })),
}));

describe('plain YAML', () => {
  it('is read as the library reads it, with the same places', () => {
    let certain = 0;
    fc.assert(
      fc.property(block, (drawn) => {
        const text = drawn.indent('');
        const read = readPlainYaml(text, 'f');
        if (read === undefined) return;
        certain += 1;
        expectSame(text, read);
      }),
      { numRuns: 3000 },
    );
    expect(certain).toBeGreaterThan(200);
  });

  it('is read as the library reads it, or not at all, whatever is changed in it', () => {
    let certain = 0;
    const sample =
      'sync:\n  # first\n  - source: a.example/b:1@sha256:0f # latest\n    destination: c.example/d:1\n    always: true\n' +
      '    tags:\n    - "1 2"\n    - x/y\nbuild:\n- source: ./a/image.yaml\n  destination: c.example/e\n  options:\n    deep: on\n';
    const piece = fc.constantFrom(...' \n-:#"\'&*!|>%@`{}[],?~ab1./\t\r'.split(''));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(sample.length), fc.nat(2), piece), { maxLength: 3 }), (changes) => {
        let text = sample;
        for (const [at, removed, added] of changes) text = text.slice(0, at) + added + text.slice(at + removed);
        const read = readPlainYaml(text, 'f');
        if (read === undefined) return;
        certain += 1;
        expectSame(text, read);
      }),
      { numRuns: 5000 },
    );
    expect(certain).toBeGreaterThan(1000);
  });

  it('holds for what configs usually are', () => {
    const text = 'sync:\n  - source: a.example/b:1\n    destination: c.example/d:1 # why\n\n# the end\n';
    const read = readPlainYaml(text, 'f');
    expect(read?.data).toEqual({ sync: [{ source: 'a.example/b:1', destination: 'c.example/d:1' }] });
    expect(read?.locate(['sync', 0, 'destination'], 'key')).toEqual({ file: 'f', line: 3, column: 5 });
  });

  it.each([
    ['a number that would lose its zero', 'tag: 1.20'],
    ['a key that is there twice', 'a: x\na: y'],
    ['an anchor', 'a: &b x'],
    ['a value of nothing', 'a:\nb: x'],
    ['text over two lines', 'a: x\n  y'],
    ['another document', 'a: x\n---\nb: y'],
    ['a tab', 'a:\n\t- x'],
  ])('leaves %s to the library', (_, text) => {
    expect(readPlainYaml(text, 'f')).toBeUndefined();
  });
});
