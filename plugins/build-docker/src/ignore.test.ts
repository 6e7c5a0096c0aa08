import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { parseIgnore } from './ignore.ts';

const PATHS = [
  '.git/HEAD',
  'README.md',
  'a.log',
  'docs/README.md',
  'docs/deep/a.log',
  'src/a.log',
  'src/main.c',
  'x/src/main.c',
];

function kept(text: string): readonly string[] {
  const ignored = parseIgnore(text);
  return PATHS.filter((path) => !ignored(path));
}

function without(...gone: readonly string[]): readonly string[] {
  return PATHS.filter((path) => !gone.includes(path));
}

describe('.dockerignore', () => {
  it.each<[string, string, readonly string[]]>([
    ['nothing', '', PATHS],
    ['comments and empty lines', '# README.md\n\n   \n', PATHS],
    ['a name is only that of the top', 'main.c\nREADME.md', without('README.md')],
    ['a folder with all in it', 'src', without('src/a.log', 'src/main.c')],
    ['slashes around it', '/src/\r\n', without('src/a.log', 'src/main.c')],
    ['a star stays in its folder', '*.log', without('a.log')],
    ['a star for a folder', '*/a.log', without('src/a.log')],
    ['any folder', '**/a.log', without('a.log', 'src/a.log', 'docs/deep/a.log')],
    ['any folder in between', 'docs/**/*.log', without('docs/deep/a.log')],
    ['all below', 'docs/**', without('docs/README.md', 'docs/deep/a.log')],
    ['a folder anywhere', '**/src', without('src/a.log', 'src/main.c', 'x/src/main.c')],
    ['a question mark', 'src/?.log', without('src/a.log')],
    ['a set', 'src/[l-n]ain.c', without('src/main.c')],
    ['a set turned round', 'src/[^a]*', without('src/main.c')],
    ['an escaped star', 'src/\\*', PATHS],
    ['two stars before plain text, whatever is before it', '**.log', without('a.log', 'docs/deep/a.log', 'src/a.log')],
    ['two stars before more than that are folders', '**.l?g', PATHS],
    ['an exception with two stars', '**\n!**.md', ['README.md', 'docs/README.md']],
    ['dots are dots', 'aXlog\na?log', without('a.log')],
    ['an exception', '**\n!docs', ['docs/README.md', 'docs/deep/a.log']],
    ['the last rule decides', '!README.md\n*.md\n!docs/README.md', without('README.md')],
    ['an exception from an exception', '*\n!docs\ndocs/deep', ['docs/README.md']],
    ['a byte order mark and spaces', '\uFEFF  *.md  ', without('README.md')],
    ['normalised paths', './docs/../src', without('src/a.log', 'src/main.c')],
  ])('%s', (_, text, expected) => {
    expect(kept(text)).toEqual(expected);
  });

  it.each([
    ['a[\\]x]b', ['a]b', 'axb'], ['a\\b', 'ab']],
    ['a[x\\-z]b', ['axb', 'a-b', 'azb'], ['ayb']],
    ['a[x-z]b', ['ayb'], ['a-b']],
    ['a[^\\]]b', ['axb'], ['a]b', 'a/b']],
    ['a[\\[]b', ['a[b'], ['a\\b']],
  ])('a set has what is escaped in it: %s', (pattern, gone, there) => {
    const ignored = parseIgnore(pattern);
    expect([...gone, ...there].filter(ignored)).toEqual(gone);
  });

  it('takes a time that does not grow with the number of stars', () => {
    const ignored = parseIgnore(`${'**/*a'.repeat(200)}!`);
    expect(ignored(`${'a/'.repeat(500)}b`)).toBe(false);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('*', '/', '!', '[', ']', '\\', '^', '-', '.', 'a', '\n', '?', '#') }),
        (text) => {
          expect(parseIgnore(text)('a/b.c')).toBeTypeOf('boolean');
        },
      ),
    );
  });
});
