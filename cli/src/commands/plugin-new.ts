/** `plugin new build-NAME`: a package with a build mode that works, to make one's own. */
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { configFailure, errorCode, fail, makeFolder, ok, type ConfigFailure, type Result } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { ourPlugins } from '../default-plugins.ts';
import type { Io } from '../io.ts';
import { packageFolder, VERSION } from '../version.ts';

export interface PluginNewOptions {
  readonly dir?: string;
  readonly json: boolean;
}

/** A package that is complete but for its names, which are `build-example` and `example` throughout. */
const template = join(packageFolder, 'template');

/** What the generated package is built and tested with; a test holds them to the versions of this repository. */
const VERSIONS: Readonly<Record<string, string>> = {
  '@slipway/core': `^${VERSION}`,
  '@types/node': '24.19.2',
  typescript: '7.0.2',
  vitest: '5.1.1',
};

export async function pluginNewCommand(io: Io, name: string, { dir, json }: PluginNewOptions): Promise<number> {
  const command = 'plugin new';
  const names = readNames(name);
  if (!names.ok) return refuse(io, json, command, [names.failure]);
  const folder = resolve(io.cwd, dir ?? names.value.plugin);
  const made = await takeFolder(folder);
  if (!made.ok) return refuse(io, json, command, [made.failure]);
  const files = await fill(folder, names.value);
  return answer(io, json, command, EXIT.done, { name, folder, files }, () => {
    const shown = relative(io.cwd, folder) || '.';
    return `${files.map((file) => `${join(shown, file)}\n`).join('')}\nNext: cd ${shown}, npm install --no-save FILE (@slipway/core as it was packed), npm test; then make src/mode.ts your own.\n`;
  });
}

interface Names {
  /** Of the package, perhaps with a scope. */
  readonly package: string;
  /** `build-greet` */
  readonly plugin: string;
  /** `greet` */
  readonly mode: string;
}

/** https://docs.npmjs.com/cli/v11/configuring-npm/package-json#name, and the rules of a plugin's name, which are stricter. */
const NAME = /^(?:@[a-z0-9][a-z0-9._-]*\/)?(build-([a-z][a-z0-9]*(?:-[a-z0-9]+)*))$/;
const MAX_NAME = 214;

function readNames(name: string): Result<Names, ConfigFailure> {
  const [, plugin, mode] = NAME.exec(name) ?? [];
  if (plugin === undefined || mode === undefined || name.length > MAX_NAME) {
    const hint =
      'it is build- and lower-case words joined by "-", perhaps with a scope: build-greet, @team/build-greet';
    return fail(configFailure(`${JSON.stringify(name)} is no name for a build mode's package`, hint));
  }
  if (ourPlugins.has(plugin) || mode === 'example') {
    return fail(configFailure(`the name ${plugin} is taken`, 'choose another'));
  }
  return ok({ package: name, plugin, mode });
}

/** Only a folder that was not there: nothing of the user's is written over, also through a link. */
async function takeFolder(folder: string): Promise<Result<void, ConfigFailure>> {
  try {
    makeFolder(dirname(folder));
    await mkdir(folder);
    return ok(undefined);
  } catch (error) {
    const code = errorCode(error);
    return code === 'EEXIST'
      ? fail(configFailure(`${folder} is there already`, 'name another with --dir'))
      : fail(configFailure(`${folder} cannot be made: ${code}`, 'name another with --dir'));
  }
}

/** Copies the template and puts the names in; answers with the files, sorted. */
async function fill(folder: string, names: Names): Promise<readonly string[]> {
  await cp(template, folder, { recursive: true });
  // Under its own name npm would take it for a package inside the package.
  await rename(join(folder, 'package.json.template'), join(folder, 'package.json'));
  const files: string[] = [];
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue;
    const path = join(item.parentPath, item.name);
    const renamed = join(item.parentPath, item.name.replace('example', names.mode));
    if (renamed !== path) await rename(path, renamed);
    const file = relative(folder, renamed);
    const text = await readFile(renamed, 'utf8');
    await writeFile(renamed, file === 'package.json' ? manifestOf(text, names) : named(text, names));
    files.push(file);
  }
  return files.toSorted();
}

/** The order matters: the longer name holds the shorter one. Hosts under slipway.example stay. */
function named(text: string, { plugin, mode, package: name }: Names): string {
  return text
    .replaceAll(/(?<=npm install )build-example/g, tarball(name))
    .replaceAll(/(?<=- name: )build-example/g, name.startsWith('@') ? `'${name}'` : name)
    .replaceAll('build-example', plugin)
    .replaceAll('exampleMode', `${camel(mode)}Mode`)
    .replaceAll(/(?<!slipway\.)\bexample\b/g, mode);
}

/** What `npm pack` calls the package's file, without the version. */
function tarball(name: string): string {
  return name.replace(/^@/, '').replace('/', '-');
}

function camel(words: string): string {
  return words.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

interface Manifest {
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function manifestOf(text: string, names: Names): string {
  // Our own template; a test builds what comes of it.
  const manifest = JSON.parse(text) as Manifest;
  const exact = (wanted: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.keys(wanted).map((name) => [name, VERSIONS[name] ?? '*']));
  const [peerDependencies, devDependencies] = [exact(manifest.peerDependencies), exact(manifest.devDependencies)];
  return `${JSON.stringify({ ...manifest, name: names.package, peerDependencies, devDependencies }, null, 2)}\n`;
}
