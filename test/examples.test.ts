/** The build modes of examples/, through the whole chain. */
import { cp, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { worldSettings } from '../demo/world/settings.ts';
import { crane, freshFolder, freshPath, root, slipway, world, writeFiles, writeSettings } from './world.ts';

interface Example {
  readonly folder: string;
  readonly destination: string;
  run(command: string): ReturnType<typeof slipway>;
}

/** The fixture of an example in a folder of its own, with its plugin in the settings. */
async function example(name: string, entry: Readonly<Record<string, unknown>>, options = {}): Promise<Example> {
  const folder = await freshFolder();
  const destination = `${world().destination.host}/${freshPath(name)}:1`;
  await cp(join(root, 'examples', name, 'fixture'), folder, { recursive: true, verbatimSymlinks: true });
  await writeFiles(folder, { 'config.yaml': JSON.stringify({ build: [{ ...entry, destination }] }) });
  const plugin = { name: relative(folder, join(root, 'examples', name, 'src', 'index.ts')), options };
  const plugins = worldSettings(world())['plugins'] as readonly unknown[];
  await writeSettings(folder, { plugins: [...plugins, plugin] });
  return { folder, destination, run: (command) => slipway([command, '--progress', 'quiet'], { cwd: folder, env }) };
}

/** Go's own library is compiled once on a machine, not once a test. */
const env = { GOCACHE: process.env['GOCACHE'] ?? join(homedir(), '.cache', 'go-build') };

const digestOf = async (reference: string): Promise<string> => (await crane('digest', reference)).stdout.trim();

describe('build-rootfs', () => {
  const entry = { source: './rootfs', rootfs: { entrypoint: ['/usr/bin/greeting'], user: '65532' } };

  it('publishes a folder, once, and verify finds everything attached', async () => {
    const { run, destination, folder } = await example('build-rootfs', entry);
    expect(await run('run')).toMatchObject({ code: 0 });
    expect(await run('verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('complete') });
    const config = JSON.parse((await crane('config', '--platform', 'linux/amd64', destination)).stdout);
    expect(config).toMatchObject({ config: { Entrypoint: ['/usr/bin/greeting'], User: '65532' } });
    const files = (await crane('export', '--platform', 'linux/amd64', destination, '-')).stdout;
    expect(files).toContain('hello from a folder');

    expect((await run('run')).stdout).toContain('its inputs are unchanged');
    const before = await digestOf(destination);
    await writeFiles(folder, { 'rootfs/usr/bin/greeting': '#!/bin/sh\necho "hello again"\n' });
    expect(await run('run')).toMatchObject({ code: 0 });
    expect(await digestOf(destination)).not.toBe(before);
  });

  it('is refused as unscannable without a package list and an os-release', async () => {
    const { run, destination, folder } = await example('build-rootfs', entry);
    await rm(join(folder, 'rootfs/etc'), { recursive: true });
    await rm(join(folder, 'rootfs/lib'), { recursive: true });
    const ran = await run('run');
    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 3 });
    expect(ran.stdout + ran.stderr).toMatch(/no scanner|unscannable|could not be (?:read|scanned)/);
    expect((await crane('digest', destination)).code).not.toBe(0);
  });
});

describe('build-ko', () => {
  it('publishes a Go program for two platforms on a base of the world, with both in the provenance', async () => {
    const digest = world().images['library/alpine:3.20'];
    // By its tag at the origin: the core pins it, and hands over the place of the mirror that has it.
    const base = 'hub.slipway.example/library/alpine:3.20';
    const entry = { source: './cmd/hello/main.go', platforms: ['linux/amd64', 'linux/arm64'] };
    const { run, destination } = await example('build-ko', entry, { base });
    const ran = await run('run');
    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 0 });
    const verified = await run('verify');
    expect(verified, verified.stdout).toMatchObject({ code: 0, stdout: expect.stringContaining('complete') });
    const index = JSON.parse((await crane('manifest', destination)).stdout);
    expect(
      index.manifests.map((each: { platform: { architecture: string } }) => each.platform.architecture).sort(),
    ).toEqual(['amd64', 'arm64']);
    expect(index.annotations['org.opencontainers.image.base.name']).toContain(digest);
    expect((await run('run')).stdout).toContain('its inputs are unchanged');
  }, 300_000);
});
