/** Mirrors (`trust: copy`) as a user has them: into an archive, interrupted on the way, and looked at without a signer. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { describe, expect, it } from 'vitest';
import { command, folderWith, worldOf } from '../testing.ts';
import { runProgram } from './program.ts';

const SETTINGS = "trust: [{ match: '*', level: copy }]\n";

describe('a mirror', () => {
  it('that is interrupted leaves the archive as it was, and the next run goes on from there', async () => {
    await using hub = await startScriptedRegistry();
    for (const name of ['one', 'two', 'three']) seedImage(hub, name, name, { tag: '1' });
    const entry = (name: string): string =>
      `  - { source: '${hub.host}/${name}:1', destination: 'oci-archive:./images.tar:${name}' }\n`;
    const cwd = folderWith({ 'config.yaml': `sync:\n${entry('one')}`, 'slipway.config.yaml': SETTINGS });
    const archive = join(cwd, 'images.tar');
    expect(await command({ cwd }, 'sync')).toMatchObject({ code: 0 });
    const before = readFileSync(archive);

    writeFileSync(join(cwd, 'config.yaml'), `sync:\n${['one', 'two', 'three'].map(entry).join('')}`);
    const user = new AbortController();
    // The third image never comes: the user has had enough once the second is there.
    hub.onRequest = async ({ path }) => {
      if (!path.startsWith('/v2/three/blobs/')) return undefined;
      setImmediate(() => user.abort());
      return new Promise(() => undefined);
    };
    const interrupted = await command({ cwd, interrupt: user.signal }, 'sync', '--json');
    expect(interrupted.code, interrupted.stderr).toBe(130);
    // What is in an archive is there when all of it is.
    expect(interrupted.stdout).not.toContain('"outcome":"published"');
    expect(readFileSync(archive).equals(before)).toBe(true);

    hub.onRequest = undefined;
    const again = await command({ cwd }, 'sync', '--json');
    expect(again.code, again.stderr).toBe(0);
    expect(existsSync(join(cwd, '.images.tar.slipway'))).toBe(false);
    const looked = await command({ cwd }, 'verify');
    expect(looked).toMatchObject({ code: 0, stdout: expect.stringContaining('3 as they should be') });
  });

  it('that is interrupted when all of it is there is done, and leaves nothing to the next run', async () => {
    await using hub = await startScriptedRegistry();
    seedImage(hub, 'one', 'one', { tag: '1' });
    const cwd = folderWith({
      'config.yaml': `sync:\n  - { source: '${hub.host}/one:1', destination: '${hub.host}/mirror/one:1' }\n`,
      'slipway.config.yaml': SETTINGS,
    });
    const user = new AbortController();
    const { world, written } = worldOf({ cwd, interrupt: user.signal });
    const stderr = (text: string): void => {
      world.stderr(text);
      if (text.includes('"type":"run.done"')) user.abort();
    };
    expect(await runProgram({ ...world, stderr }, ['sync', '--progress', 'json', '--report', 'report'])).toBe(0);
    expect(user.signal.aborted).toBe(true);
    expect(written.stdout).toContain('1 published');
    // Named as `report` takes it, since a live view and `quiet` never named the run.
    const [, journal = ''] = /; journal: (\.slipway\/runs\/\S+\.ndjson)\n$/.exec(written.stdout) ?? [];
    expect(existsSync(join(cwd, journal)), written.stdout).toBe(true);
    expect(await command({ cwd }, 'report', journal)).toMatchObject({ code: 0 });
    expect(written.stderr).not.toContain('the next run finishes the rest');
  });

  it('needs no signer to be looked at, as long as nothing else is there', async () => {
    await using hub = await startScriptedRegistry();
    seedImage(hub, 'one', 'one', { tag: '1' });
    const config = `sync:\n  - { source: '${hub.host}/one:1', destination: '${hub.host}/mirror/one:1' }\n`;
    const cwd = folderWith({ 'config.yaml': config, 'slipway.config.yaml': SETTINGS });
    expect(await command({ cwd }, 'verify')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('there is no such tag'),
    });
    expect(await command({ cwd }, 'sync')).toMatchObject({ code: 0 });
    expect(await command({ cwd }, 'verify')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('neither scanned nor signed'),
    });
    expect(await command({ cwd }, 'plan', '--against', 'registry')).toMatchObject({
      code: 0,
      stdout: 'nothing has drifted\n',
    });
    const GITHUB_OUTPUT = join(cwd, 'output');
    const env = { GITHUB_ACTIONS: 'true', GITHUB_OUTPUT };
    expect(await command({ cwd, env }, 'run', '--against', 'registry')).toMatchObject({ code: 0 });
    expect(readFileSync(GITHUB_OUTPUT, 'utf8')).toMatch(/^published<<(\S+)\n0\n\1$/m);
    writeFileSync(join(cwd, 'config.yaml'), config.replace(`destination: '${hub.host}`, `destination: '127.0.0.1:1`));
    expect(await command({ cwd }, 'plan', '--against', 'registry')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^config\.yaml:2:5: destination registry: cannot talk to 127\.0\.0\.1:1/),
    });
    writeFileSync(join(cwd, 'config.yaml'), config);
    expect((await command({ cwd }, 'doctor')).stdout).not.toMatch(/signing|--to/);
    const elsewhere = ['--to', `${hub.host}/scratch`];
    expect((await command({ cwd }, 'doctor', ...elsewhere)).stdout).not.toMatch(/signing|--to/);
    writeFileSync(join(cwd, 'slipway.config.yaml'), '');
    expect((await command({ cwd }, 'doctor', ...elsewhere)).stdout).toContain(
      'nothing is signed or attached with this --to',
    );
    expect((await command({ cwd }, 'doctor')).stdout).toContain('nothing says who signs');
    for (const words of [['verify'], ['prune'], ['plan', '--against', 'registry']]) {
      expect(await command({ cwd }, ...words)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('nothing says whose signatures count'),
      });
    }
  });
});
