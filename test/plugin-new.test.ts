/** An author's way: write a package, build it, pack it, install it elsewhere, and publish an image with it. */
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runAny } from '../demo/world/processes.ts';
import { worldEnvironment, worldSettings } from '../demo/world/settings.ts';
import { npm, pack, packed, PACKING, userEnvironment, type Packed } from './packed.ts';
import { crane, freshFolder, freshPath, root, slipway, world, writeFiles, writeSettings } from './world.ts';

let made: Packed;
beforeAll(async () => {
  made = await packed();
}, PACKING);

/** The command that is installed in a project, in that project. */
function installed(args: readonly string[], cwd: string): ReturnType<typeof runAny> {
  const env = { ...worldEnvironment(world()), ...userEnvironment(24) };
  return runAny(join(cwd, 'node_modules', '.bin', 'slipway'), args, { cwd, env, timeout: 100_000 });
}

describe('the package that `plugin new` writes', () => {
  // The harder kind of name: with a scope, and of two words.
  const [name, mode] = ['@team/build-two-words', 'two-words'];

  it('builds, passes its own tests, and once installed publishes an image through the whole chain', async () => {
    const author = join(made.project, `author-${mode}`);
    const written = await installed(['plugin', 'new', name, '--dir', author], made.project);
    expect(written, written.stderr).toMatchObject({ code: 0 });
    // What it is built with lies in the project around it, as npm would install it.
    await npm(['run', 'build'], author);
    const tested = await npm(['test'], author);
    expect(tested.stdout).toMatch(/Tests +[\d]+ passed/);

    const project = await consumer(await pack(author, made.project));
    const destination = `${world().destination.host}/${freshPath('plugin-new')}:1`;
    await cp(join(author, 'fixture'), project, { recursive: true });
    const entry = { source: `./hello.${mode}.json`, destination, command: ['/hello.txt'] };
    await writeFile(join(project, 'config.yaml'), JSON.stringify({ build: [entry] }));
    const plugins = worldSettings(world())['plugins'] as readonly unknown[];
    await writeSettings(project, { plugins: [...plugins, { name }] });

    const ran = await installed(['run', '--progress', 'quiet'], project);
    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 0 });
    const verified = await installed(['verify', '--progress', 'quiet'], project);
    expect(verified, verified.stdout).toMatchObject({ code: 0, stdout: expect.stringContaining('complete') });
    const config = JSON.parse((await crane('config', '--platform', 'linux/amd64', destination)).stdout);
    expect(config).toMatchObject({ config: { Cmd: ['/hello.txt'] } });
    expect((await installed(['run', '--progress', 'quiet'], project)).stdout).toContain('its inputs are unchanged');
  }, 400_000);
});

/** A project with the same packages as the shared one, and the author's from its tarball. */
async function consumer({ name, file }: { readonly name: string; readonly file: string }): Promise<string> {
  const project = join(await freshFolder(), 'project');
  await mkdir(join(project, 'node_modules'), { recursive: true });
  const { dependencies } = JSON.parse(await readFile(join(made.project, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const { slipway: command, '@slipway/core': core, ...others } = dependencies;
  const ours = Object.fromEntries(Object.entries(others).filter(([each]) => each.startsWith('@slipway/')));
  const wanted = { slipway: command, '@slipway/core': core, ...ours, [name]: `file:${file}` };
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ name: 'consumer', private: true, dependencies: wanted }),
  );
  await npm(['install', '--prefer-offline', '--omit=dev'], project);
  return project;
}

it('a plugin in node_modules that is TypeScript is refused with its line, since Node strips no types there', async () => {
  const folder = await freshFolder();
  await writeFiles(folder, {
    'config.yaml': 'build: []\n',
    'slipway.config.yaml': 'plugins:\n  - typed\n',
    'node_modules/typed/package.json': '{"name":"typed","type":"module","exports":"./index.ts"}',
    'node_modules/typed/index.ts': 'export default {} as object;\n',
  });
  const told = await slipway(['plan'], { cwd: folder });
  expect(told).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/slipway\.config\.yaml:2:5: .*"typed" could not be loaded: Stripping types/),
  });
});

describe('`plugin new`', () => {
  it.each([
    ['../build-x', 'is no name'],
    ['build-x/../../y', 'is no name'],
    ['build-', 'is no name'],
    ['build-X', 'is no name'],
    ['greet', 'is no name'],
    ['@/build-x', 'is no name'],
    [`build-${'x'.repeat(300)}`, 'is no name'],
    ['build-apko', 'is taken'],
    ['build-example', 'is taken'],
  ])('refuses %s', async (name, message) => {
    const folder = await freshFolder();
    const told = await slipway(['plugin', 'new', name], { cwd: folder });
    expect(told).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(await readdir(folder)).toEqual([]);
  });

  it('writes over nothing: neither a folder that is there nor what a link leads to', async () => {
    const folder = await freshFolder();
    await writeFiles(folder, { 'build-greet/mine.txt': 'mine', 'elsewhere/mine.txt': 'mine' });
    await symlink('elsewhere', join(folder, 'link'));
    await symlink('nowhere', join(folder, 'dangling'));
    for (const dir of [undefined, 'link', 'dangling', 'elsewhere/mine.txt']) {
      const told = await slipway(['plugin', 'new', 'build-greet', ...(dir === undefined ? [] : ['--dir', dir])], {
        cwd: folder,
      });
      expect(told).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
    }
    expect(await readFile(join(folder, 'build-greet', 'mine.txt'), 'utf8')).toBe('mine');
  });

  it('answers with JSON, and with versions that this repository has', async () => {
    const folder = await freshFolder();
    const told = await slipway(['plugin', 'new', '@team/build-greet', '--dir', 'a/b', '--json'], { cwd: folder });
    expect(JSON.parse(told.stdout)).toMatchObject({
      command: 'plugin new',
      name: '@team/build-greet',
      folder: join(folder, 'a/b'),
    });
    const manifest = JSON.parse(await readFile(join(folder, 'a/b/package.json'), 'utf8'));
    const ours = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const { '@slipway/core': core, ...tools } = manifest.devDependencies;
    expect(manifest.name).toBe('@team/build-greet');
    expect(core).toBe(`^${JSON.parse(await readFile(join(root, 'core/package.json'), 'utf8')).version}`);
    for (const [name, version] of Object.entries(tools)) expect(version, name).toBe(ours.devDependencies[name]);
  });
});
