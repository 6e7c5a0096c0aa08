/**
 * Runs a bundle with what V8 made of it in an earlier run. Node's own compile cache keeps what is compiled when a file is loaded,
 * and so hardly any function: those are compiled when they are called, at every start again.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** A bundle of CommonJS files in one folder, in ASCII, whose names say what is in them. */
export interface Bundle {
  /** What a file exports; whatever it asks for by `./` is run the same way. */
  load(name: string): unknown;
  /** Keeps what is compiled by now, unless all was there already. Never throws: without it the next start takes longer. */
  keep(): void;
  /** Names of the files whose code was there. */
  readonly known: readonly string[];
}

/** Milliseconds after which what other bundles left is removed, beside what this one keeps. */
const FORGOTTEN_AFTER = 30 * 24 * 3600 * 1000;

/** Of a file's mode: the group, or anybody, may write to it. */
const OTHERS_WRITE = 0o022;

interface Module {
  exports: unknown;
}
type Body = (
  ...names: readonly [
    exports: unknown,
    require: unknown,
    module: Module,
    filename: string,
    dirname: string,
    importModule: (specifier: string) => Promise<unknown>,
  ]
) => void;

/** Scripts that are compiled by hand may not import; the bundler has put this in place of each `import()`. */
const importModule = (specifier: string): Promise<unknown> => import(specifier);

/**
 * `store`: where it is kept, a file in a folder that is this bundle's alone; undefined: nowhere. What is there is run: a file that
 * is somebody else's, or that others may write to, is left aside.
 */
export function openBundle(folder: string, store: string | undefined): Bundle {
  const stored = store === undefined ? new Map<string, Buffer>() : read(store);
  const modules = new Map<string, Module>();
  const scripts = new Map<string, Script>();
  const known: string[] = [];
  const elsewhere = createRequire(join(folder, 'main.cjs'));
  const require = Object.assign(
    (id: string): unknown => (id.startsWith('./') ? load(id.slice(2)) : elsewhere(id)),
    elsewhere,
  );

  function load(name: string): unknown {
    const loaded = modules.get(name);
    if (loaded !== undefined) return loaded.exports;
    const module: Module = { exports: {} };
    // Before it is run: files may ask for each other.
    modules.set(name, module);
    const filename = join(folder, name);
    compile(name, filename)(module.exports, require, module, filename, folder, importModule);
    return module.exports;
  }

  function compile(name: string, filename: string): Body {
    const [before, after] = ['(function (exports, require, module, __filename, __dirname, importModule) { ', '\n})'];
    const cachedData = stored.get(name);
    const script = new Script(`${before}${readFileSync(filename, 'latin1')}${after}`, {
      filename,
      columnOffset: -before.length,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    scripts.set(name, script);
    // V8 refuses what another version or other flags of it have made.
    if (cachedData !== undefined && script.cachedDataRejected !== true) known.push(name);
    return script.runInThisContext() as Body;
  }

  function keep(): void {
    if (store === undefined || known.length === scripts.size) return;
    try {
      const added = [...scripts].filter(([name]) => !known.includes(name));
      // What this run did not need, another one will.
      write(store, new Map([...stored, ...added.map(([name, script]) => [name, script.createCachedData()] as const)]));
      if (stored.size === 0) removeForgotten(dirname(store));
    } catch {
      // A full disk, or a folder that may not be written to.
    }
  }

  return { load, keep, known };
}

interface Contents {
  /** Of all that follows: V8 itself does not look whether what it is given is whole. */
  readonly sha256: string;
  /** Name → bytes, in the order they follow one another. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** Four bytes: how long the contents are, which are JSON; then the code of each file. */
function read(store: string): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  try {
    const { uid, mode } = statSync(store);
    if (uid !== process.getuid?.() || (mode & OTHERS_WRITE) !== 0) return found;
    const bytes = readFileSync(store);
    const start = 4 + bytes.readUInt32LE(0);
    const { sha256, sizes } = JSON.parse(bytes.toString('utf8', 4, start)) as Contents;
    if (hashOf(bytes.subarray(start)) !== sha256) return found;
    let at = start;
    for (const [name, size] of Object.entries(sizes)) found.set(name, bytes.subarray(at, (at += size)));
    return found;
  } catch {
    return new Map();
  }
}

function write(store: string, codes: ReadonlyMap<string, Buffer>): void {
  const code = Buffer.concat([...codes.values()]);
  const sizes = Object.fromEntries([...codes].map(([name, { length }]) => [name, length]));
  const contents = Buffer.from(JSON.stringify({ sha256: hashOf(code), sizes } satisfies Contents));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(contents.length);
  makeFolder(dirname(store));
  const draft = `${store}.${process.pid}`;
  writeFileSync(draft, Buffer.concat([length, contents, code]), { mode: 0o600 });
  renameSync(draft, store);
}

/** Not by `recursive`: Node then tries for ever where a new folder is said not to be there, as in /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

/** Not a CRC: nearly every command needs `node:crypto`, and none `node:zlib`, which takes some milliseconds to load. */
function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Each version of the command has a folder; those of old ones stay where an old one is still in use. */
function removeForgotten(own: string): void {
  const all = dirname(own);
  for (const name of readdirSync(all)) {
    const folder = join(all, name);
    if (folder !== own && Date.now() - statSync(folder).mtimeMs > FORGOTTEN_AFTER) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
