import { describe, expect, it } from 'vitest';
import { pin, type Digest } from '@slipway/core';
import { argsWith, frontendOf } from './frontend.ts';

const file = 'images/app/Dockerfile';

function frontend(text: string, args: Readonly<Record<string, string>> = {}) {
  const found = frontendOf(text, { file, args });
  if (!found.ok) throw new Error(found.failure.message);
  return found.value;
}

describe('the frontend of a Dockerfile', () => {
  it.each<[string, string, string | undefined]>([
    ['none', 'FROM a:1\n# syntax=b:1\n', undefined],
    ['a line', '# syntax=docker/dockerfile:1\nFROM a:1', 'docker/dockerfile:1'],
    ['blanks, other case', '\uFEFF#   SYNTAX = docker/dockerfile:1  \r\nFROM a:1', 'docker/dockerfile:1'],
    ['after another directive', '# escape=`\n# syntax=b:1\nFROM a:1', 'b:1'],
    ['after a comment it is one too', '# text\n# syntax=b:1\nFROM a:1', undefined],
    ['after the line for the shell', '#!/usr/bin/env docker\n# syntax=b:1\nFROM a:1', 'b:1'],
    ['a comment of another language', '// syntax=b:1\nFROM a:1', 'b:1'],
    ['the first of two', '# syntax=b:1\n# syntax=c:1\nFROM a:1', 'b:1'],
    ['without what is for it', '# syntax=b:1 some words\nFROM a:1', 'b:1'],
  ])('%s', (_, text, expected) => {
    expect(frontend(text)?.text).toBe(expected);
  });

  it('is that of the build argument, where there is one', () => {
    expect(frontend('# syntax=b:1\nFROM a:1', { BUILDKIT_SYNTAX: 'c:1' })?.text).toBe('c:1');
  });

  it('is named with its place when it is no image', () => {
    expect(frontendOf('# escape=\\\n# syntax=not//one\nFROM a:1', { file, args: {} })).toMatchObject({
      ok: false,
      failure: { reason: 'config', at: { file, line: 2, column: 10 } },
    });
    expect(frontendOf('FROM a:1', { file, args: { BUILDKIT_SYNTAX: '' } })).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining('BUILDKIT_SYNTAX') },
    });
  });

  it('is given to the builder by digest, with what is for it; one in a layout by its context alone', () => {
    const digest = `sha256:${'a'.repeat(64)}` as Digest;
    const found = frontend('# syntax=b:1 some words\nFROM a:1');
    const at = (registry: string) => ({ 'b:1': pin({ registry, path: 'x/b' }, digest) });
    expect(argsWith({ A: '1' }, found, at('r.example'))).toEqual({
      A: '1',
      BUILDKIT_SYNTAX: `r.example/x/b@${digest} some words`,
    });
    expect(argsWith({ A: '1' }, found, at('oci:'))).toEqual({ A: '1' });
    expect(argsWith({ A: '1' }, undefined, {})).toEqual({ A: '1' });
  });
});
