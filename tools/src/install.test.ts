import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installTools } from './install.ts';
import type { InstallProgress } from './install.ts';
import { freshFolder, script, tiny, tinyModule } from '../testing.ts';

const signal = new AbortController().signal;

function options(modules: string, cache: string) {
  const env = { ...process.env, SLIPWAY_TOOLS: cache };
  return { names: ['tiny'], catalogue: [tiny], modules, env, signal };
}

describe('installTools', { timeout: 120_000 }, () => {
  it('builds once when two start at once, and not again', async () => {
    const [modules, cache] = [freshFolder(), freshFolder()];
    tinyModule(modules);
    const events: InstallProgress[] = [];
    const install = () => installTools({ ...options(modules, cache), onProgress: (event) => void events.push(event) });
    const [first, second] = await Promise.all([install(), install()]);
    expect(first).toEqual(second);
    expect(first).toMatchObject({ ok: true, value: [{ name: 'tiny', version: '0.1.0' }] });
    expect(events.filter(({ state }) => state === 'built')).toHaveLength(1);
    await install();
    expect(events.filter(({ state }) => state === 'built')).toHaveLength(1);
    // Nothing but the tool is left behind.
    expect(readdirSync(cache)).toEqual(['tiny']);
  });

  it('says what Go said when the source does not compile, and leaves no half tool', async () => {
    const [modules, cache] = [freshFolder(), freshFolder()];
    tinyModule(modules, 'package main\n\nfunc main() { undefinedName() }\n');
    const result = await installTools(options(modules, cache));
    expect(result).toMatchObject({ ok: false, failure: { reason: 'tool', class: 'permanent' } });
    expect(JSON.stringify(result)).toContain('undefinedName');
    expect(existsSync(join(cache, 'tiny'))).toBe(false);
  });

  it('never adds a module that is not pinned', async () => {
    const [modules, cache] = [freshFolder(), freshFolder()];
    tinyModule(modules, 'package main\n\nimport "slipway.example/elsewhere"\n\nfunc main() { elsewhere.Do() }\n');
    const result = await installTools(options(modules, cache));
    expect(result).toMatchObject({ ok: false, failure: { reason: 'tool', class: 'permanent' } });
  });
});

describe('installTools without building', () => {
  it('says what to set where there is no home to keep tools in', async () => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: '' };
    const result = await installTools({ ...options(freshFolder(), ''), env });
    expect(result).toMatchObject({
      failure: {
        reason: 'config',
        message: expect.stringContaining('no home'),
        hint: expect.stringContaining('SLIPWAY_TOOLS'),
      },
    });
  });

  it('refuses a Go that is too old and names it', async () => {
    const [modules, cache, bin] = [freshFolder(), freshFolder(), freshFolder()];
    tinyModule(modules);
    const go = script(bin, 'go', 'echo go1.20.3');
    const result = await installTools({
      ...options(modules, cache),
      env: { PATH: `${bin}:/usr/bin:/bin`, SLIPWAY_TOOLS: cache },
    });
    expect(result).toMatchObject({ ok: false, failure: { reason: 'missing-tool', tool: 'go' } });
    expect(JSON.stringify(result)).toContain(`${go} is 1.20.3`);
    expect(JSON.stringify(result)).toContain('Go 1.26.0 or newer');
  });

  it('tries a broken network once more, and ends as transient', { timeout: 20_000 }, async () => {
    const [modules, cache, bin] = [freshFolder(), freshFolder(), freshFolder()];
    tinyModule(modules);
    const tries = join(cache, 'tries');
    const offline = `echo x >>${tries}; echo "dial tcp: lookup proxy: no such host" >&2; exit 1`;
    script(bin, 'go', `if [ "$1" = env ]; then echo go1.26.8; else ${offline}; fi`);
    const result = await installTools({
      ...options(modules, cache),
      env: { PATH: `${bin}:/usr/bin:/bin`, SLIPWAY_TOOLS: cache },
    });
    expect(result).toMatchObject({ ok: false, failure: { reason: 'tool', class: 'transient' } });
    expect(readFileSync(tries, 'utf8')).toBe('x\nx\n');
  });

  it('ends when it is aborted', async () => {
    const [modules, cache, bin] = [freshFolder(), freshFolder(), freshFolder()];
    tinyModule(modules);
    const stop = new AbortController();
    script(bin, 'go', 'if [ "$1" = env ]; then echo go1.26.8; else sleep 60; fi');
    const result = await installTools({
      ...options(modules, cache),
      env: { PATH: `${bin}:/usr/bin:/bin`, SLIPWAY_TOOLS: cache },
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    expect(result).toMatchObject({ ok: false, failure: { reason: 'cancelled' } });
    expect(readdirSync(cache)).toEqual([]);
  });

  it('says that it lost its lock, and is not taken for interrupted', async () => {
    const [modules, cache, bin] = [freshFolder(), freshFolder(), freshFolder()];
    tinyModule(modules);
    script(bin, 'go', `if [ "$1" = env ]; then echo go1.26.8; else rm -r ${cache}.lock; sleep 60; fi`);
    const result = await installTools({
      ...options(modules, cache),
      env: { PATH: `${bin}:/usr/bin:/bin`, SLIPWAY_TOOLS: cache },
    });
    expect(result).toMatchObject({
      failure: { reason: 'tool', class: 'transient', message: expect.stringContaining(`lock on ${cache} was lost`) },
    });
  });

  it.each([
    ['the folder', ''],
    ['that of the tool', 'tiny'],
  ])('says what to set where %s cannot be made', async (_, name) => {
    const [modules, folder, bin] = [freshFolder(), freshFolder(), freshFolder()];
    tinyModule(modules);
    script(bin, 'go', 'if [ "$1" = env ]; then echo go1.26.8; else echo built >"$7"; chmod +x "$7"; fi');
    const cache = join(folder, 'cache');
    if (name !== '') mkdirSync(cache);
    writeFileSync(join(cache, name), '');
    const result = await installTools({
      ...options(modules, cache),
      env: { PATH: `${bin}:/usr/bin:/bin`, SLIPWAY_TOOLS: cache },
    });
    expect(result).toMatchObject({
      failure: {
        reason: 'config',
        message: expect.stringMatching(new RegExp(`^tools cannot be kept in ${cache} \\(E[A-Z]+\\)$`)),
        hint: expect.stringContaining('SLIPWAY_TOOLS'),
      },
    });
  });

  it('says so where a new folder is said not to be there, as in /proc', async () => {
    const [modules, bin] = [freshFolder(), freshFolder()];
    tinyModule(modules);
    script(bin, 'go', 'echo go1.26.8');
    const env = { PATH: `${bin}:/usr/bin:/bin`, SLIPWAY_TOOLS: '/proc/slipway/tools' };
    expect(await installTools({ ...options(modules, ''), env })).toMatchObject({
      failure: { reason: 'config', message: 'tools cannot be kept in /proc/slipway/tools (ENOENT)' },
    });
  });

  it('knows the names it can build', async () => {
    const result = await installTools({ ...options(freshFolder(), freshFolder()), names: ['tiny', 'kubectl'] });
    expect(result).toMatchObject({ ok: false, failure: { reason: 'config' } });
    expect(JSON.stringify(result)).toContain('kubectl');
  });

  it('takes over from an installer that was killed long ago', { timeout: 20_000 }, async () => {
    const [modules, cache, bin] = [freshFolder(), freshFolder(), freshFolder()];
    tinyModule(modules);
    script(bin, 'go', 'if [ "$1" = env ]; then echo go1.26.8; else echo built >"$7"; chmod +x "$7"; fi');
    mkdirSync(`${cache}.lock`);
    utimesSync(`${cache}.lock`, 0, 0);
    mkdirSync(join(cache, '.build'));
    writeFileSync(join(cache, '.build', 'left'), 'by the killed one');
    const result = await installTools({
      ...options(modules, cache),
      env: { PATH: `${bin}:/usr/bin:/bin`, SLIPWAY_TOOLS: cache },
    });
    expect(result).toMatchObject({ ok: true });
    expect(readdirSync(cache)).toEqual(['tiny']);
    expect(existsSync(`${cache}.lock`)).toBe(false);
  });
});
