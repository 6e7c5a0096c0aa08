/** Finds the module that a plugin's name in the settings means: nothing is searched but what Node itself would search. */
import { readFile, stat } from 'node:fs/promises';
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isFields } from '../config/fields.ts';
import { nearest } from '../config/suggest.ts';
import { configFailure, fail, ok, type ConfigFailure, type Position, type Result } from '../failure.ts';

const PACKAGE = /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;

/** `./plugin.ts`, `../plugins/mine.js` or a package name → the URL to import. `folder` is the settings' folder. */
export async function resolvePlugin(
  name: string,
  folder: string,
  known: readonly string[],
  at?: Position,
): Promise<Result<URL, ConfigFailure>> {
  if (name.startsWith('./') || name.startsWith('../')) {
    return resolveFile(name, folder, at);
  }
  if (!PACKAGE.test(name)) {
    return fail(
      configFailure(
        `"${name}" is not a plugin`,
        'a plugin is a package name, or a path that starts with ./ or ../',
        at,
      ),
    );
  }
  const from = join(folder, 'slipway.config.js');
  const manifest = manifestOf(name, from);
  const path = resolvePackage(name, from) ?? (manifest === undefined ? undefined : await importedPath(name, manifest));
  if (path !== undefined) {
    return ok(pathToFileURL(path));
  }
  if (manifest !== undefined) {
    const hint = 'its author builds it before it is packed, and names its module under "exports" in package.json';
    return fail(configFailure(`the package "${name}" is installed, and has no module to import`, hint, at));
  }
  const install = `install it beside the settings (npm install ${name}), or write a path that starts with ./`;
  // Nobody should install whatever has the name that was mistyped.
  const meant = nearest(name, known);
  const hint = meant === undefined ? install : `did you mean "${meant}"? If not, ${install}`;
  return fail(configFailure(`the plugin package "${name}" is not installed`, hint, at));
}

async function resolveFile(
  name: string,
  folder: string,
  at: Position | undefined,
): Promise<Result<URL, ConfigFailure>> {
  const path = resolve(folder, name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) {
    return ok(pathToFileURL(path));
  }
  const what = found === undefined ? 'does not exist' : 'is not a file';
  return fail(configFailure(`the plugin file "${name}" ${what}`, `the path is relative to ${folder}`, at));
}

function resolvePackage(name: string, from: string): string | undefined {
  try {
    const path = createRequire(from).resolve(name);
    // A bare name can also be a module of Node's own, which is no plugin.
    return path.startsWith('/') ? path : undefined;
  } catch {
    return undefined;
  }
}

function manifestOf(name: string, from: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(from));
  } catch {
    return undefined;
  }
}

/** A package whose `exports` has only an `import` condition, which `require.resolve` does not see. */
async function importedPath(name: string, file: string): Promise<string | undefined> {
  try {
    const manifest: unknown = JSON.parse(await readFile(file, 'utf8'));
    const target = isFields(manifest) && name === manifest['name'] ? mainOf(manifest['exports']) : undefined;
    return target === undefined ? undefined : join(dirname(file), target);
  } catch {
    return undefined;
  }
}

/** https://nodejs.org/api/packages.html#conditional-exports, the main entry only. */
function mainOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') {
    return exports.startsWith('./') ? exports : undefined;
  }
  if (!isFields(exports)) {
    return undefined;
  }
  for (const condition of ['.', 'node', 'import', 'default']) {
    const found = condition in exports ? mainOf(exports[condition]) : undefined;
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}
