/** Packages of our own on their way into images: melange → apko through the graph, with the real tools. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Event } from '@slipway/core';
import { freshPath, root, tool, world } from '../world.ts';
import { project, type Project, type Ran } from './project.ts';
import { digestOf } from './shorthand.ts';

const FOLDER = 'images/greeter';
const CONFIGS = [`${FOLDER}/greeter.yaml`, `${FOLDER}/greeter-lib.yaml`];

/** The repository's own example. */
async function greeter(): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(join(root, FOLDER));
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [`${FOLDER}/${name}`, await readFile(join(root, FOLDER, name), 'utf8')] as const),
    ),
  );
}

function entry(path: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    source: `./${FOLDER}/apko.yaml`,
    destination: `${world().destination.host}/${path}:1`,
    melangeConfigs: CONFIGS.map((config) => `./${config}`),
    ...more,
  };
}

/** How often a tool was started. */
function started({ answer }: Ran, tool: string): number {
  return answer.tools.find(({ name }) => name === tool)?.started ?? 0;
}

/** The package tasks of the last run, in the order in which they ended. */
async function packagesOf({ journals }: Project): Promise<readonly string[]> {
  const last: readonly Event[] = (await journals()).at(-1) ?? [];
  return last.flatMap((event) =>
    event.type === 'task.done' && event.task.startsWith('package:') ? [`${event.task} ${event.state}`] : [],
  );
}

async function change({ folder }: Project, file: string, from: string, to: string): Promise<void> {
  const path = join(folder, file);
  const text = await readFile(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not say "${from}"`);
  await writeFile(path, text.replace(from, to));
}

describe('an image with packages of our own', () => {
  test('that are edited while they are built is built again, as nobody can say what it was made from', async () => {
    const path = freshPath('edited');
    const made = await project({ build: [entry(path)], files: await greeter() });
    const running = made.start('run', '--progress', 'json');
    const events = createInterface({ input: running.child.stderr as Readable });
    for await (const line of events) {
      if (!/"task\.tool".*"package:.*"melange"/.test(line)) continue;
      await change(made, CONFIGS[1] ?? '', 'a package of our own', 'another one');
      break;
    }
    running.child.stderr?.resume();
    const ran = await running.ended;
    expect(ran.code, ran.stdout).toBe(0);
    expect(ran.stderr).toContain(`file ${CONFIGS[1] ?? ''} changed while`);
    const again = await made.run('run');
    expect(again.row(`${path}:1`)).toMatchObject({ outcome: 'published', why: `changed: file ${CONFIGS[1] ?? ''}` });
    expect((await made.run('run')).row(`${path}:1`).outcome).toBe('unchanged');
  });

  test('has them built before it, in the order of their needs, and one digest from two checkouts', async () => {
    const [one, two] = [freshPath('melange'), freshPath('melange')];
    const here = await project({ build: [entry(one)], files: await greeter() });
    const there = await project({ build: [entry(two)], files: await greeter() });
    // Melange would write the commit of the checkout into the package.
    for (const args of [
      ['init', '-q'],
      ['-c', 'user.name=a', '-c', 'user.email=a@b.example', 'commit', '-q', '--allow-empty', '-m', 'a'],
    ]) {
      expect((await tool('git', args, { cwd: there.folder })).code).toBe(0);
    }
    const ran = await here.run('run');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(await packagesOf(here)).toEqual([`package:${CONFIGS[1]} ok`, `package:${CONFIGS[0]} ok`]);
    expect((await there.run('run')).code).toBe(0);
    const { host } = world().destination;
    expect(await digestOf(`${host}/${one}:1`)).toBe(await digestOf(`${host}/${two}:1`));
    expect((await here.run('verify', '--deep')).code).toBe(0);
  });

  test('starts no tool when nothing changed, and is built again when the lowest package changed', async () => {
    const path = freshPath('melange');
    const repository = await project({ build: [entry(path)], files: await greeter() });
    const first = await repository.run('run');
    expect(first.code, first.stdout + first.stderr).toBe(0);
    expect(started(first, 'melange')).toBe(4);
    const again = await repository.run('run');
    expect(again.answer.tools).toEqual([]);
    expect(await packagesOf(repository)).toEqual([]);

    await change(repository, CONFIGS[1] ?? '', 'a package of our own', 'another one');
    const changed = await repository.run('run');
    expect(changed.row(':1')).toMatchObject({ outcome: 'published' });
    expect(changed.row(':1').digest).not.toBe(first.row(':1').digest);
    expect(changed.row(':1').why).toContain(`file ${CONFIGS[1]}`);
    expect(started(changed, 'melange')).toBe(4);
    expect((await repository.run('run')).answer.tools).toEqual([]);
  });

  test('is built again when a file beside a package changed', async () => {
    const repository = await project({
      build: [entry(freshPath('melange'))],
      files: { ...(await greeter()), [`${FOLDER}/data.bin`]: '\0' },
    });
    expect((await repository.run('run')).code).toBe(0);
    await writeFile(join(repository.folder, FOLDER, 'data.bin'), new Uint8Array([0xff, 0xfe, 0]));
    const changed = await repository.run('run');
    expect(changed.row(':1').why, changed.stdout).toContain(`file ${FOLDER}/data.bin`);
    // The packages are the same to the byte, and so is the image.
    expect(changed.row(':1').outcome).toBe('unchanged');
  });

  test('has no package built when only its scan is due', async () => {
    const repository = await project({
      build: [entry(freshPath('melange'), { always: true })],
      files: await greeter(),
    });
    expect((await repository.run('run')).code).toBe(0);
    const again = await repository.run('run');
    expect(again.row(':1')).toMatchObject({ outcome: 'unchanged', why: 'always' });
    expect(started(again, 'melange')).toBe(0);
    expect(started(again, 'trivy')).toBeGreaterThan(0);
    expect(await packagesOf(repository)).toEqual([]);
  });
});

test('a package that three images share is built once', async () => {
  const apko = (await greeter())[`${FOLDER}/apko.yaml`] ?? '';
  const images = ['one', 'two', 'three'].map((name) => [name, `images/${name}/apko.yaml`] as const);
  const files = Object.fromEntries(
    images.map(([name, source]) => [source, apko.replace('PATH: ', `NAME: ${name}\n  PATH: `)]),
  );
  const repository = await project({
    build: images.map(([, source]) => entry(freshPath('shared'), { source: `./${source}` })),
    files: { ...(await greeter()), ...files },
  });
  const ran = await repository.run('run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(new Set(ran.answer.entries.map(({ digest }) => digest)).size).toBe(3);
  expect(started(ran, 'melange')).toBe(4);
  expect(await packagesOf(repository)).toHaveLength(2);
});

describe('what cannot be built', () => {
  test.runIf(process.arch === 'x64')(
    'for a foreign architecture without an emulator is told by run, before any task starts, and by doctor',
    async () => {
      const platforms = ['linux/amd64', 'linux/riscv64'];
      const repository = await project({ build: [entry(freshPath('foreign'), { platforms })], files: await greeter() });
      const ran = await repository.run('run');
      expect(ran.code, ran.stdout).toBe(5);
      expect(ran.stdout).toContain('qemu-riscv64');
      expect(await repository.journals()).toEqual([]);
      const doctor = await repository.run('doctor');
      expect(doctor.code).toBe(1);
      expect(doctor.stdout).toContain('qemu-riscv64');
    },
  );

  test('for want of a key is told before any task starts', async () => {
    const plugins = [{ name: 'build-melange', options: { signingKey: 'no/such.rsa' } }];
    const repository = await project({
      build: [entry(freshPath('key'))],
      files: await greeter(),
      settings: { plugins },
    });
    const ran = await repository.run('run');
    expect(ran.code, ran.stdout).toBe(2);
    expect(ran.stdout).toContain('no/such.rsa');
    expect(await repository.journals()).toEqual([]);
  });

  test('names the package that failed, and leaves the tag alone', async () => {
    const path = freshPath('broken');
    const repository = await project({ build: [entry(path)], files: await greeter() });
    await change(repository, CONFIGS[1] ?? '', 'mkdir -p', 'exit 7; mkdir -p');
    const ran = await repository.run('run');
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('a step of the pipeline of greeter-lib ended with exit status 7');
    expect(await packagesOf(repository)).toEqual([`package:${CONFIGS[1]} failed`, `package:${CONFIGS[0]} skipped`]);
    expect(await digestOf(`${world().destination.host}/${path}:1`)).toBeUndefined();
  });
});
