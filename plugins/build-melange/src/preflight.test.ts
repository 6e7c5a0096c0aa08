import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { foreignFailures, preflight, readEmulators } from './preflight.ts';
import { foreignArchitectures } from './runner.ts';

const none: ReadonlySet<string> = new Set();

describe('foreignArchitectures', () => {
  it.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['x64', ['amd64', '386'], [], []],
    ['x64', ['arm64', 'arm/v7', 'arm/v6'], [], ['aarch64', 'armv7', 'armhf']],
    ['x64', ['arm64', 'riscv64'], ['qemu-aarch64'], ['riscv64']],
    ['x64', ['arm/v7'], ['qemu-arm'], []],
    ['arm64', ['arm64', 'amd64', '386'], ['qemu-x86_64'], ['x86']],
    ['arm64', ['386'], ['qemu-i386'], []],
    ['sparc', ['amd64'], [], ['x86_64']],
    ['x64', ['vax'], [], ['vax']],
  ])('on %s, of %j with %j: %j', (processor, architectures, emulators, foreign) => {
    expect(foreignArchitectures(architectures, { processor, emulators: new Set(emulators) })).toEqual(foreign);
  });
});

describe('foreignFailures', () => {
  const task = (config: string, ...architectures: readonly string[]) => ({
    id: `package:${config}`,
    contract: 'package.build@1',
    input: { config, architectures, repositories: [] },
  });
  const tasks = [task('a.yaml', 'amd64', 'arm64'), task('b.yaml', 'arm64')];

  it.each(['bubblewrap', 'docker'] as const)('tells each architecture once for the runner %s', (runner) => {
    const failures = foreignFailures(tasks, runner, { processor: 'x64', emulators: none });
    expect(failures).toMatchObject([{ reason: 'missing-tool', tool: 'qemu-aarch64' }]);
    expect(failures[0]?.message).toContain('a.yaml, b.yaml');
    expect(failures[0]?.hint).toContain('qemu-aarch64');
  });

  it('tells nothing for what the machine runs, for what it emulates, or for the runner qemu', () => {
    expect(foreignFailures([task('a.yaml', 'amd64')], 'docker', { processor: 'x64', emulators: none })).toEqual([]);
    expect(foreignFailures(tasks, 'docker', { processor: 'x64', emulators: new Set(['qemu-aarch64']) })).toEqual([]);
    expect(foreignFailures(tasks, 'qemu', { processor: 'x64', emulators: none })).toEqual([]);
  });
});

describe('on this machine', () => {
  it('takes an emulator that is switched on, and no other file of the folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-binfmt-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'qemu-aarch64'), 'enabled\ninterpreter /usr/bin/qemu-aarch64-static\n');
    await writeFile(join(folder, 'qemu-arm'), 'disabled\n');
    await writeFile(join(folder, 'status'), 'enabled\n');
    await mkdir(join(folder, 'qemu-folder'));
    expect([...(await readEmulators(folder))]).toEqual(['qemu-aarch64']);
    expect([...(await readEmulators(join(folder, 'none')))]).toEqual([]);
  });

  it('misses bubblewrap only for the runner that needs it', async () => {
    const asked = (options: Readonly<Record<string, unknown>>) =>
      preflight({ tasks: [], options, root: '/', env: { PATH: '/nowhere::' } });
    expect(await asked({})).toMatchObject([{ reason: 'missing-tool', tool: 'bwrap' }]);
    expect(await asked({ runner: 'docker' })).toEqual([]);
  });
});
