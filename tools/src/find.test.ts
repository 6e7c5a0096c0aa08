import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { FoundTool, Result } from '@slipway/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { builtPath } from './cache.ts';
import { createToolFinder } from './find.ts';
import { freshFolder, script, tiny, tinyModule } from '../testing.ts';

interface World {
  readonly bin: string;
  readonly cache: string;
  readonly modules: string;
  readonly find: (name: string, range: string, path?: string, probeLimit?: number) => Promise<Result<FoundTool>>;
}

/** Each `find` is a new finder, as a new process would be. */
function world(): World {
  const [bin, cache, modules] = [freshFolder(), freshFolder(), freshFolder()];
  tinyModule(modules);
  const probe = { args: ['version'], pattern: /^tiny v(\S+)$/m };
  const catalogue = [
    { ...tiny, version: '1.5.0', probe },
    { ...tiny, name: 'own' },
  ];
  mkdirSync(join(modules, 'own'));
  writeFileSync(join(modules, 'own', 'go.mod'), 'module own\n');
  return {
    bin,
    cache,
    modules,
    find: (name, range, path = bin, probeLimit = 10_000) => {
      // /bin: the scripts need their `sleep`.
      const env = { PATH: `${path}:/usr/bin:/bin`, SLIPWAY_TOOLS: cache };
      return createToolFinder({ env, catalogue, modules, probeLimit }).find({ name, range });
    },
  };
}

function message(result: Result<FoundTool>): string {
  if (result.ok) throw new Error(`found ${result.value.path}`);
  expect(result.failure.reason).toBe('missing-tool');
  return `${result.failure.message}. ${result.failure.hint}`;
}

describe('a tool on PATH', () => {
  it('is taken when its version is in range', async () => {
    const { bin, find } = world();
    const path = script(bin, 'tiny', '[ "$1" = version ] && echo "tiny v1.4.2"');
    expect(await find('tiny', '>=1.4 <2')).toEqual({ ok: true, value: { name: 'tiny', path, version: '1.4.2' } });
  });

  it('tells its version also where there is no folder for temporary files', async () => {
    const { bin, find } = world();
    script(bin, 'tiny', 'echo "tiny v1.4.2"');
    vi.stubEnv('TMPDIR', join(bin, 'none'));
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await find('tiny', '>=1.4 <2')).toMatchObject({ ok: true, value: { version: '1.4.2' } });
  });

  it('is named with its version when it is too old', async () => {
    const { bin, find } = world();
    const path = script(bin, 'tiny', 'echo "tiny v1.3.9"');
    expect(message(await find('tiny', '>=1.4 <2'))).toContain(`${path} is 1.3.9`);
    expect(message(await find('tiny', '>=1.4 <2'))).toContain('slipway tools install');
  });

  it.each([
    ['garbage', 'head -c 3000 /dev/urandom'],
    ['nothing', 'true'],
    ['a version and a failure', 'echo "tiny v1.4.2"; exit 3'],
    ['more than anyone wants', 'echo "tiny v1.4.2"; yes | head -c 5000000'],
  ])('that prints %s is not taken', async (_, body) => {
    const { bin, find } = world();
    script(bin, 'tiny', body);
    expect(message(await find('tiny', '>=1.4 <2'))).toContain('does not tell its version');
  });

  it('that hangs is given up', async () => {
    const { bin, find } = world();
    script(bin, 'tiny', 'sleep 60');
    expect(message(await find('tiny', '>=1.4 <2', bin, 200))).toContain('does not tell its version');
  });

  it('is asked once, also by later processes, until the file changes', async () => {
    const { bin, cache, find } = world();
    const count = join(cache, 'count');
    const asked = (): number => readFileSync(count, 'utf8').length;
    script(bin, 'tiny', `printf x >>${count}; echo "tiny v1.4.2"`);
    await find('tiny', '1');
    await find('tiny', '1');
    expect(asked()).toBe(1);
    script(bin, 'tiny', `printf x >>${count}; echo "tiny v1.4.22"`);
    expect(await find('tiny', '1')).toMatchObject({ value: { version: '1.4.22' } });
    expect(asked()).toBe(2);
  });

  it('is found though the memory of versions is broken', async () => {
    const { bin, cache, find } = world();
    writeFileSync(join(cache, 'versions.json'), '[{');
    script(bin, 'tiny', 'echo "tiny v1.4.2"');
    expect(await find('tiny', '1')).toMatchObject({ ok: true });
  });

  it('is not taken from a relative folder', async () => {
    const { bin, find } = world();
    script(bin, 'tiny', 'echo "tiny v1.4.2"');
    expect(message(await find('tiny', '1', relative(process.cwd(), bin)))).toContain('not on PATH');
  });

  it('outside the catalogue is asked by --version', async () => {
    const { bin, find } = world();
    script(bin, 'other', '[ "$1" = --version ] && echo "other version 1.9.3 commit: 1.2.3"');
    expect(await find('other', '>=1.9')).toMatchObject({ value: { version: '1.9.3' } });
    expect(message(await find('other', '>=2'))).not.toContain('tools install');
  });

  it('outside the catalogue, that knows no --version, is asked by version, as openssl', async () => {
    const { bin, find } = world();
    script(bin, 'other', '[ "$1" = version ] && echo "Other 3.0.19 27 Jan 2026"');
    expect(await find('other', '>=3')).toMatchObject({ value: { version: '3.0.19' } });
  });
});

it('that Debian has is installed from there', async () => {
  const { find } = world();
  const text = message(await find('skopeo', '>=99'));
  expect(text).toContain('apt-get install skopeo');
  expect(text).not.toContain('tools install');
});

describe('without a home', () => {
  const env = { PATH: '', HOME: 'home' };

  it('a tool on PATH is found, and one that is not says where tools could be', async () => {
    const bin = freshFolder();
    script(bin, 'tiny', 'echo "tiny 1.4.2"');
    const finder = (path: string) => createToolFinder({ env: { ...env, PATH: path }, catalogue: [{ ...tiny, probe }] });
    const probe = { args: ['version'], pattern: /^tiny (\S+)$/m };
    expect(await finder(`${bin}:/bin`).find({ name: 'tiny', range: '1' })).toMatchObject({ ok: true });
    const text = message(await finder('/bin').find({ name: 'tiny', range: '0.1' }));
    expect(text).toContain('there is no home');
    expect(text).toContain('SLIPWAY_TOOLS');
    expect(existsSync('home')).toBe(false);
  });
});

describe('a built tool', () => {
  it('has the version of its pin, and is not started', async () => {
    const { cache, modules, find } = world();
    const pin = { ...tiny, version: '1.5.0' };
    const path = await builtPath(cache, pin, '1.26.8', { modules });
    script(dirname(path), 'tiny', `touch ${join(cache, 'started')}`);
    expect(await find('tiny', '^1.4')).toEqual({ ok: true, value: { name: 'tiny', path, version: '1.5.0' } });
    expect(existsSync(join(cache, 'started'))).toBe(false);
  });

  it('whose pin is out of range is not offered to be built', async () => {
    const { find } = world();
    const text = message(await find('tiny', '>=2'));
    expect(text).toContain('1.5.0');
    expect(text).not.toContain('tools install');
  });

  it('of our own is never taken from PATH', async () => {
    const { bin, find } = world();
    script(bin, 'own', 'echo 0.1.0');
    expect(message(await find('own', '0.1.0'))).toContain('own');
  });
});

it.each(['../tiny', '/bin/sh', '-rf', '', 'a/b'])('the name %j is refused', async (name) => {
  const { find } = world();
  expect(message(await find(name, '*'))).toContain('no name of a program');
});
