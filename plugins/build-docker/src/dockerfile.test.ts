import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Platform } from '@slipway/core';
import { imagesOf } from './dockerfile.ts';

const AMD64: Platform = { os: 'linux', architecture: 'amd64' };

function ask(text: string, args: Readonly<Record<string, string>> = {}, platform = AMD64) {
  return imagesOf(text, { file: 'images/app/Dockerfile', args, platform });
}

function images(text: string, args: Readonly<Record<string, string>> = {}, platform = AMD64): readonly string[] {
  const result = ask(text, args, platform);
  if (!result.ok) throw new Error(`${result.failure.message} ${JSON.stringify(result.failure.at)}`);
  return result.value.map((image) => image.text);
}

/** `3:6 message`. */
function problem(text: string, args: Readonly<Record<string, string>> = {}): string {
  const result = ask(text, args);
  if (result.ok) return 'no problem';
  const { message, at } = result.failure;
  expect(at?.file).toBe('images/app/Dockerfile');
  return `${at?.line}:${at?.column} ${message}`;
}

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('images of a Dockerfile', () => {
  it.each<[string, string, readonly string[]]>([
    ['an image', 'FROM alpine:3.20', ['alpine:3.20']],
    ['lower case, flags, a stage, spaces', ' from  --platform=$BUILDPLATFORM\talpine:3.20  as Build ', ['alpine:3.20']],
    ['a digest', `FROM r.example/a/b:1@${DIGEST}`, [`r.example/a/b:1@${DIGEST}`]],
    ['scratch', 'FROM scratch', []],
    ['a stage', 'FROM a:1 AS one\nFROM one AS two\nFROM two', ['a:1']],
    ['a stage that comes later is no stage yet', 'FROM two\nFROM a:1 AS two-x', ['two', 'a:1']],
    ['each text once', 'FROM a:1\nFROM b:1\nFROM a:1', ['a:1', 'b:1']],
    [
      'COPY --from, by name, number, stage',
      'FROM a:1 AS x\nCOPY --from=b:2 / /\nCOPY --chown=1 --from=0 / /\nCOPY --from=X / /',
      ['a:1', 'b:2'],
    ],
    ['COPY --from a later stage', 'FROM a:1\nCOPY --from=late / /\nFROM b:1 AS late', ['a:1', 'b:1']],
    ['COPY --from in quotes', 'FROM scratch\nCOPY --from="b:2" / /', ['b:2']],
    ['--from after the first path is a path', 'FROM scratch\nCOPY a --from=b:2', []],
    [
      'RUN --mount',
      'FROM a:1\nRUN --mount=type=bind,from=b:2,target=/x --mount=type=secret,id=s,FROM=c:1 make --from=d:1',
      ['a:1', 'b:2', 'c:1'],
    ],
    ['RUN --mount in CSV quotes', 'FROM scratch\nRUN --mount=type=bind,\\"from=b:2\\",target=/x true', ['b:2']],
    [
      'from=scratch, from of nothing',
      'FROM a:1\nRUN --mount=type=cache,from=scratch,target=/x --mount=from=,target=/y true',
      ['a:1'],
    ],
    ['ONBUILD', 'FROM a:1\nONBUILD COPY --from=b:2 / /', ['a:1', 'b:2']],
    ['comments', '# FROM x:1\n  # FROM y:1\nFROM a:1\n#FROM z:1', ['a:1']],
    ['continued lines, with comments and gaps in them', 'FROM \\\n  # FROM x\n\n  a:1 \\  \n  AS b', ['a:1']],
    ['a comment is not continued', '# text \\\nFROM a:1', ['a:1']],
    ['two backslashes continue nothing', 'FROM a:1\nRUN echo \\\\\nFROM b:1', ['a:1', 'b:1']],
    ['Windows lines and a byte order mark', '\uFEFFFROM \\\r\n  a:1\r\nCOPY --from=b:1 / /\r\n', ['a:1', 'b:1']],
    ['the escape directive', '# escape=`\nFROM `\n  a:1\nRUN dir C:\\\nFROM b:1', ['a:1', 'b:1']],
    ['an escape directive that comes too late', '# hello\n# escape=`\nFROM \\\n a:1', ['a:1']],
    ['a syntax directive', '# syntax=docker/dockerfile:1\n# Escape = `\nFROM `\n a:1', ['a:1']],
    [
      'heredocs',
      'FROM a:1\nRUN <<EOF cat && <<-"END" true\nFROM x:1\nEOF\nFROM y:1\n\t\tEND\nCOPY --from=b:1 / /',
      ['a:1', 'b:1'],
    ],
    ['a heredoc with a space before its name', 'FROM a:1\nRUN cat << EOF\nFROM x:1\nEOF\nFROM b:1', ['a:1', 'b:1']],
    [
      'no heredoc in quotes, as a here-string, or elsewhere',
      'FROM a:1\nRUN echo "<<EOF" <<<x\nENV A=<<EOF\nFROM b:1',
      ['a:1', 'b:1'],
    ],
    ['a heredoc that never ends', 'FROM a:1\nRUN <<EOF\nFROM x:1', ['a:1']],
  ])('%s', (_, text, expected) => {
    expect(images(text)).toEqual(expected);
  });

  it.each<[string, string, readonly string[]]>([
    ['the last stage, and no other', 'FROM a:1 AS dev\nCOPY --from=b:1 / /\nFROM c:1', ['c:1']],
    ['what the last is built on', 'FROM a:1 AS base\nFROM base AS two\nFROM x:1 AS Test\nFROM two', ['a:1']],
    [
      'what it copies from, by name and by number',
      'FROM a:1 AS One\nFROM b:1\nFROM x:1\nFROM c:1\nCOPY --from=one / /\nCOPY --from=1 / /',
      ['a:1', 'b:1', 'c:1'],
    ],
    ['what its mounts are from', 'FROM a:1 AS one\nFROM x:1\nFROM c:1\nRUN --mount=from=one true', ['a:1', 'c:1']],
    [
      'what a stage that it takes from takes',
      'FROM a:1 AS one\nFROM b:1 AS two\nCOPY --from=one / /\nFROM scratch\nCOPY --from=two / /',
      ['a:1', 'b:1'],
    ],
    ['what is ON BUILD', 'FROM a:1 AS one\nFROM b:1 AS two\nONBUILD COPY --from=one / /\nFROM two', ['a:1', 'b:1']],
    ['of two stages of one name, the last before FROM', 'FROM x:1 AS one\nFROM b:1 AS one\nFROM one', ['b:1']],
    ['and of all, for COPY', 'FROM x:1 AS one\nFROM b:1 AS one\nFROM c:1\nCOPY --from=one / /', ['b:1', 'c:1']],
    ['an image that a stage has too which is left out', 'FROM a:1 AS dev\nFROM a:1', ['a:1']],
    [
      'stages in a circle are for the builder to refuse',
      'FROM a:1 AS one\nCOPY --from=two / /\nFROM b:1 AS two\nCOPY --from=one / /',
      ['a:1', 'b:1'],
    ],
  ])('needed is %s', (_, text, expected) => {
    const result = ask(text);
    expect(result.ok && result.value.filter(({ needed }) => needed).map((image) => image.text)).toEqual(expected);
  });

  it('replaces variables in FROM', () => {
    expect(images('ARG V=3.20 R="r.example/x"\nARG I=$R/a\nFROM ${I}:${V}')).toEqual(['r.example/x/a:3.20']);
    expect(images('ARG V\nFROM a:$V', { V: '1' })).toEqual(['a:1']);
    expect(images('ARG V=1\nFROM a:$V', { V: '2' })).toEqual(['a:2']);
  });

  it('knows the forms with a default', () => {
    expect(
      images('ARG E=\nFROM a:${V:-1}\nFROM b:${E:-2}\nFROM c:${V-${W:-3}}\nFROM d:4${E+-x}\nFROM "e:5${V:+y}"'),
    ).toEqual(['a:1', 'b:2', 'c:3', 'd:4-x', 'e:5']);
  });

  it.each([
    ['${I%@*}', 'r.example/a.b/c:1.2-x'],
    ['x/${I%%.*}', 'x/r'],
    ['x.${I#*.}', `x.example/a.b/c:1.2-x@${DIGEST}`],
    ['x/${I##*/}', `x/c:1.2-x@${DIGEST}`],
    ['${I%nothing}', `r.example/a.b/c:1.2-x@${DIGEST}`],
    ['r/${N#?}', 'r/123'],
    ['r/${N%$E}', 'r/012'],
    ['r/${N%"3"}${N#\\*}', 'r/0120123'],
    ['r/a${N##*}', 'r/a'],
    ['r/a${N#*}', 'r/a0123'],
  ])('cuts what fits a pattern off: FROM %s', (from, expected) => {
    expect(images(`ARG I=r.example/a.b/c:1.2-x@${DIGEST}\nARG N=0123\nARG E=3\nFROM ${from}`)).toEqual([expected]);
  });

  it('cuts in a time that does not grow with the number of stars', () => {
    const long = `ARG V=${'a'.repeat(10_000)}\nFROM \${V#${'*a'.repeat(50)}!}`;
    expect(problem(long)).toContain('longer than 1024 characters');
  });

  it('ignores arguments that are given and not declared, and those after the first FROM', () => {
    expect(problem('FROM a:$V', { V: '1' })).toBe('1:6 FROM a:$V: the variable V has no value');
    expect(problem('FROM scratch\nARG V=1\nFROM a:$V')).toBe('3:6 FROM a:$V: the variable V has no value');
  });

  it('knows the platform that is built, and refuses that of the machine', () => {
    const text = 'FROM a:$TARGETARCH${TARGETVARIANT:+-$TARGETVARIANT}';
    expect(images(text)).toEqual(['a:amd64']);
    expect(images(text, {}, { os: 'linux', architecture: 'arm', variant: 'v7' })).toEqual(['a:arm-v7']);
    expect(images(`ARG TARGETARCH\n${text}`, {}, { os: 'linux', architecture: 'arm64', variant: 'v8' })).toEqual([
      'a:arm64',
    ]);
    const failed = ask('FROM a:$BUILDARCH');
    expect(failed.ok ? '' : failed.failure.hint).toContain('TARGETPLATFORM');
  });

  it.each<[string, string]>([
    ['# c\nARG V\nFROM --platform=linux/amd64 a:$V', '3:29 FROM a:$V: the variable V has no value'],
    ['FROM \\\n  ${V:?which}', '2:3 FROM ${V:?which}: V: which'],
    ['FROM ${V', '1:6 FROM ${V: what follows the variable V inside of its braces is not supported here'],
    [
      'ARG V=1\nFROM a:${V/x/y}',
      '2:6 FROM a:${V/x/y}: what follows the variable V inside of its braces is not supported here',
    ],
    ['FROM a:${V%x}', '1:6 FROM a:${V%x}: the variable V has no value'],
    ['ARG V=1\nFROM a:${V%x', '2:6 FROM a:${V%x: "}" is missing after a variable'],
    ['ARG V=1\nFROM a:${V%\\d}', '2:6 FROM a:${V%\\d}: V: "\\d" means nothing in a pattern'],
    ['FROM a:${', '1:6 FROM a:${: "${" is not followed by the name of a variable'],
    ['FROM "a', '1:6 FROM "a: a quote (") is not closed'],
    ['ARG V=\nFROM $V', '2:6 FROM $V names no image'],
    ['FROM', '1:1 FROM takes an image, and after AS the name of the stage'],
    ['FROM a b', '1:6 FROM takes an image, and after AS the name of the stage'],
    ['FROM A:1', '1:6 "A:1" is not an image reference: "library/A" is not a repository name'],
    ['FROM --help', '1:1 FROM takes an image, and after AS the name of the stage'],
    [
      'FROM scratch\nCOPY --from=a:1 \\\n  / /\nCOPY --chown=0 --from=$X / /',
      '4:16 COPY --from=$X has a variable in "from"',
    ],
    ['FROM scratch\nRUN --mount=from=$X true', '2:5 RUN --mount=from=$X has a variable in "from"'],
    ['FROM scratch\nCOPY --from=a:1@x / /', '2:6 "a:1@x" has no valid digest after "@"'],
    ['RUN true', '1:1 images/app/Dockerfile has no FROM'],
    ['', '1:1 images/app/Dockerfile has no FROM'],
    // The builder would put the image in the place of the stage, and leave out what the stage does.
    ['FROM alpine AS Alpine\nRUN true', '1:6 the stage "alpine" has the same name as the image "alpine"'],
  ])('%j is a mistake', (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  it('stops at deep nesting instead of running out of stack', () => {
    expect(problem(`FROM ${'${A:-'.repeat(100_000)}`)).toContain('nested too deeply');
  });

  it('never throws, whatever the text', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'FROM ',
        'ARG ',
        'COPY ',
        'RUN ',
        'ONBUILD ',
        '--from=',
        '--mount=',
        'AS ',
        '\n',
        '\r\n',
        '\\\n',
        '#',
        '# escape=`\n',
      ),
      fc.constantFrom(
        '${',
        '}',
        '$',
        ':-',
        '"',
        "'",
        '\\',
        '`',
        '<<',
        '<<-EOF',
        'EOF\n',
        '=',
        ',',
        ' ',
        'a',
        'a:1',
        '@',
        '\uFEFF',
        '\0',
      ),
      fc.string({ unit: 'grapheme', maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const result = ask(pieces.join(''));
        if (result.ok) return;
        expect(result.failure.at?.line).toBeGreaterThan(0);
        expect(result.failure.at?.column).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
