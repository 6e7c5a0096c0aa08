/** The lock on the command line: `update` writes it, `--frozen` runs it, and what does not fit is exit 2 with its place. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedImage, startScriptedRegistry, type ScriptedRegistry } from '@slipway/core/testing';
import { describe, expect, it } from 'vitest';
import { answerOf, command, folderWith } from '../testing.ts';

const SETTINGS = "trust: [{ match: '*', level: copy }]\n";

function configOf({ host }: ScriptedRegistry): string {
  return `# what we mirror
sync:
  - source: '${host}/plain:1' # a tag
    destination: s.example/plain:1
  - source: ${host}/pinned:1@sha256:${'0'.repeat(64)}   # pinned
    destination: s.example/pinned:1
  - source: ${host}/chosen
    destination: s.example/chosen:{tag}
    select: { semver: '>=1', latest: 1 }
`;
}

async function world() {
  const registry = await startScriptedRegistry();
  seedImage(registry, 'plain', 'one', { tag: '1' });
  seedImage(registry, 'pinned', 'one', { tag: '1' });
  for (const tag of ['1.0.0', '1.1.0']) seedImage(registry, 'chosen', tag, { tag });
  const cwd = folderWith({ 'config.yaml': configOf(registry), 'slipway.config.yaml': SETTINGS });
  const read = (file: string): string => readFileSync(join(cwd, file), 'utf8');
  return { registry, cwd, read, run: (...args: readonly string[]) => command({ cwd, env: {} }, ...args) };
}

describe('slipway update', () => {
  it('writes the lock and the config; --check says before that it would, and after that it would not', async () => {
    const { registry, cwd, read, run } = await world();
    await using _ = registry;
    const before = await run('update', '--check', '--json');
    expect(before.code).toBe(1);
    expect(answerOf(before)).toMatchObject({ ok: false, stale: true, written: false });
    expect(existsSync(join(cwd, 'slipway.lock.yaml'))).toBe(false);
    expect(read('config.yaml')).toBe(configOf(registry));

    const updated = await run('update');
    expect(updated.stderr).toBe('');
    expect(updated.code).toBe(0);
    const digest = registry.manifest('pinned', '1')?.digest ?? '';
    expect(updated.stdout).toContain(
      `moved ${registry.host}/pinned:1  sha256:000000000000 → ${digest.slice(0, 19)} (in the config)`,
    );
    expect(updated.stdout).toContain('2 new, 1 moved, 0 gone, 0 same');
    expect(read('config.yaml')).toBe(configOf(registry).replace(`sha256:${'0'.repeat(64)}`, digest));
    expect(read('slipway.lock.yaml')).toContain(registry.manifest('chosen', '1.1.0')?.digest);

    const lock = read('slipway.lock.yaml');
    expect(await run('update', '--check')).toMatchObject({ code: 0, stderr: '' });
    expect(answerOf(await run('update', '--json'))).toMatchObject({ ok: true, stale: false, written: false });
    expect(read('slipway.lock.yaml')).toBe(lock);
  });

  it('keeps what another update has written of other entries while it was at work', async () => {
    const { registry, read, run } = await world();
    await using _ = registry;
    expect(await run('update')).toMatchObject({ code: 0 });
    seedImage(registry, 'plain', 'two', { tag: '1' });
    seedImage(registry, 'chosen', 'other', { tag: '1.1.0' });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    registry.onRequest = ({ path }) => (path.startsWith('/v2/plain/') ? promise : undefined);
    const slow = run('update', '--only', 's.example/plain:1');
    await expect.poll(() => registry.log.at(-1)?.path, { timeout: 10_000 }).toBe('/v2/plain/manifests/1');
    expect(await run('update', '--only', 's.example/chosen:*')).toMatchObject({ code: 0 });
    resolve(undefined);
    expect(await slow).toMatchObject({ code: 0, stdout: expect.stringContaining('1 moved') });
    for (const [name, tag] of [
      ['plain', '1'],
      ['chosen', '1.1.0'],
    ] as const)
      expect(read('slipway.lock.yaml'), name).toContain(registry.manifest(name, tag)?.digest);
  });

  it('writes what it can, and is exit 1 with the place of what it cannot', async () => {
    const { registry, read, run } = await world();
    await using _ = registry;
    registry.onRequest = ({ path }) => (path.includes('/plain/') ? { kind: 'answer', status: 404 } : undefined);
    const { code, stderr, stdout } = await run('update');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^config\.yaml:3:5: .*plain:1 is not in its registry/);
    expect(stdout).toContain('1 new, 1 moved, 0 gone, 0 same; 1 could not be asked');
    expect(read('slipway.lock.yaml')).not.toContain('/plain:1');
  });

  it('refuses a lock that it did not write, with the place', async () => {
    const { registry, cwd, run } = await world();
    await using _ = registry;
    writeFileSync(join(cwd, 'slipway.lock.yaml'), 'version: 1\nsources: 3\nselections: {}\n');
    const { code, stderr } = await run('update');
    expect(code).toBe(2);
    expect(stderr).toContain('slipway.lock.yaml:2:10: ');
  });
});

describe('--frozen', () => {
  it('plans exactly what is locked, and asks nobody', async () => {
    const { registry, run } = await world();
    await using _ = registry;
    await run('update');
    seedImage(registry, 'chosen', '2.0.0', { tag: '2.0.0' });
    seedImage(registry, 'plain', 'two', { tag: '1' });
    const before = registry.log.length;
    const planned = answerOf(await run('plan', '--frozen', '--json')) as unknown as {
      readonly entries: readonly { readonly source: string }[];
    };
    expect(planned.entries.map(({ source }) => source)).toEqual([
      expect.stringMatching(/\/plain:1@sha256:/),
      expect.stringMatching(/\/pinned:1@sha256:/),
      expect.stringMatching(/\/chosen:1\.1\.0@sha256:/),
    ]);
    expect(registry.log).toHaveLength(before);
  });

  it.each(['plan', 'run', 'sync', 'scan', 'verify', 'doctor'])(
    '%s is exit 2 without a lock, at the entry',
    async (name) => {
      const { registry, run } = await world();
      await using _ = registry;
      const { code, stderr } = await run(name, '--frozen');
      expect(code).toBe(2);
      expect(stderr).toMatch(/^config\.yaml:3:5: there is no slipway\.lock\.yaml/);
      expect(stderr).toContain('run slipway update');
      expect(registry.log).toHaveLength(0);
    },
  );

  it('goes on without what update could not look up, once that is left out', async () => {
    const { registry, run } = await world();
    await using _ = registry;
    registry.onRequest = ({ path }) => (path.includes('/pinned/') ? undefined : { kind: 'answer', status: 404 });
    expect((await run('update')).code).toBe(1);
    const { code, stderr } = await run('plan', '--frozen');
    expect(code).toBe(2);
    expect(stderr).toContain('config.yaml:3:5: "sync:s.example/plain:1" is not in slipway.lock.yaml');
    expect(stderr).toContain("--exclude 'sync:s.example/chosen:{tag}'");
    for (const options of [
      ['--exclude', 'sync:s.example/plain:1', '--exclude', 'sync:s.example/chosen:{tag}'],
      ['--exclude', '*/plain:*', '--exclude', '*/chosen:*'],
      ['--only', 's.example/pinned:1'],
    ]) {
      const planned = await run('plan', '--frozen', '--json', ...options);
      expect(planned.code).toBe(0);
      expect(answerOf(planned)).toMatchObject({ entries: [{ id: 'sync:s.example/pinned:1' }] });
    }
    expect((await run('plan', '--frozen', '--only', '*/pinned:1', '--only', '*/chosen:1.*')).code).toBe(2);
  });

  it('plans what it can where locked tags go to one destination, and is exit 1 with the place', async () => {
    const { registry, cwd, run } = await world();
    await using _ = registry;
    const twice = `sync:
  - { source: '${registry.host}/chosen', destination: s.example/x, select: { regex: '.*' } }
  - { source: '${registry.host}/other', destination: s.example/x, select: { regex: '.*' } }
`;
    writeFileSync(join(cwd, 'config.yaml'), twice);
    seedImage(registry, 'other', 'other', { tag: '1.1.0' });
    expect((await run('update')).code).toBe(0);
    const planned = await run('plan', '--frozen', '--json');
    expect(planned.code).toBe(1);
    expect(planned.stderr).toMatch(/^config\.yaml:3:\d+: source registry: the destination s\.example\/x:1\.1\.0 /);
    expect(answerOf(planned).entries.map(({ id }) => id)).toEqual(['sync:s.example/x:1.0.0', 'sync:s.example/x:1.1.0']);
  });

  it('is exit 2 where the config was changed after the lock', async () => {
    const { registry, cwd, read, run } = await world();
    await using _ = registry;
    await run('update');
    writeFileSync(join(cwd, 'config.yaml'), read('config.yaml').replace('latest: 1', 'latest: 2'));
    const { code, stderr } = await run('plan', '--frozen');
    expect(code).toBe(2);
    expect(stderr).toContain(
      'config.yaml:7:5: what slipway.lock.yaml has of "sync:s.example/chosen:{tag}" was made for',
    );
  });
});
