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
  return PATHS.filter((path) => !ignored.file(path));
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
    expect([...gone, ...there].filter(ignored.file)).toEqual(gone);
  });

  it.each<[string, string, boolean]>([
    ['a folder that is left out', 'src', true],
    ['one that is not', 'docs', false],
    ['only what is in it', 'src/*', false],
    ['an exception elsewhere', '*\n!docs\n!src.md', true],
    ['an exception in it', '*\n!src/deep/*.md', false],
    ['an exception that may be anywhere', '*\n!**/README.md', false],
    ['an exception that is taken back', '!src/a.log\n*', true],
  ])('says whether anything in a folder is left: %s', (_, text, expected) => {
    expect(parseIgnore(text).folder('src')).toBe(expected);
  });

  it('leaves out all that is in a folder of which nothing is left', () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 3 });
    const pattern = fc.string({ unit: fc.constantFrom('*', '**', '/', '!', 'a', 'b', '?', '\n'), maxLength: 16 });
    fc.assert(
      fc.property(pattern, names, names, (text, above, below) => {
        const ignored = parseIgnore(text);
        const folder = above.join('/');
        fc.pre(ignored.folder(folder));
        expect(ignored.file(`${folder}/${below.join('/')}`)).toBe(true);
      }),
    );
  });

  it('takes a time that does not grow with the number of stars', () => {
    const ignored = parseIgnore(`${'**/*a'.repeat(200)}!`);
    expect(ignored.file(`${'a/'.repeat(500)}b`)).toBe(false);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('*', '/', '!', '[', ']', '\\', '^', '-', '.', 'a', '\n', '?', '#') }),
        (text) => {
          expect(parseIgnore(text).file('a/b.c')).toBeTypeOf('boolean');
        },
      ),
    );
  });
});
