/**
 * The command as few files, with everything that it and its default plugins use: Node would spend more time on finding
 * some seven hundred modules than the command needs for its work. What a command does not use is in other files, which are
 * not read then. Plugins from elsewhere import the packages, which are published beside it as they are.
 */
import { globSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { rolldown, type InputOptions, type Plugin } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';
import { Visitor } from 'rolldown/utils';
import { root } from './child.ts';
import { validatorModules } from './validators.ts';

/** Bundles the command, with all that it reaches, into `dist`. */
export async function bundle(src: string, dist: string): Promise<void> {
  const modules = await bundleProgram(join(src, 'start.ts'), dist);
  await writeFile(join(dist, 'THIRD-PARTY-LICENSES.txt'), await licenses(modules));
}

/**
 * Bundles a file that exports `start` and all that it reaches, now or later, and `main.cjs` that runs it as the command is run.
 * Answers with the paths of all that is in it.
 */
export async function bundleProgram(entry: string, dist: string): Promise<readonly string[]> {
  await rm(dist, { recursive: true, force: true });
  const program = await rolldown({
    ...common,
    input: entry,
    plugins: [validatorPlugin(await validatorModules()), undiciPlugin, importPlugin],
  });
  const { output } = await program.write({
    dir: dist,
    // Node finds and starts these faster than ES modules.
    format: 'cjs',
    // What is kept of a file is found by its name, see cli/src/compiled.ts: another content is another name.
    entryFileNames: '[name]-[hash].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    // Names stay, for whoever reads a stack.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  });
  const chunks = output.filter((chunk) => chunk.type === 'chunk');
  for (const chunk of chunks) await writeFile(join(dist, chunk.fileName), inAscii(chunk));
  // A process of its own, for which core/src/exec/start.ts looks beside the file that it is in.
  const starter = await rolldown({ ...common, input: join(root, 'core', 'src', 'exec', 'starter.ts') });
  await starter.write({ dir: dist, format: 'es', entryFileNames: '[name].js' });
  const start = chunks.find(({ isEntry }) => isEntry)?.fileName;
  const main = await rolldown({
    ...common,
    input: { main: join(root, 'cli', 'src', 'packed.ts') },
    transform: { ...common.transform, define: { START: JSON.stringify(start) } },
  });
  await main.write({ dir: dist, format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' });
  return chunks.flatMap((chunk) => Object.keys(chunk.modules));
}

const common = {
  platform: 'node',
  // The oldest that the packages are for knows no `using` yet.
  transform: { target: 'node22' },
  resolve: { conditionNames: ['slipway-source', 'node', 'import', 'default'] },
  onLog(level, log) {
    throw new Error(`${level}: ${log.message}`);
  },
} satisfies InputOptions;

function validatorPlugin(modules: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'validators',
    // Resolved like a file of the core, whose packages their code uses.
    resolveId: (id) => (modules.has(id) ? join(root, 'core', 'src', 'config', `${id}.js`) : null),
    load(path) {
      const name = path === standIn ? 'index' : /\/(validator-\d+)\.js$/.exec(path)?.[1];
      const code = name === undefined ? undefined : modules.get(name);
      return code === undefined ? null : { code, moduleType: 'js' };
    },
  };
}

/**
 * What registries are spoken to by, and no fetch, cache, mocks or WebSockets: the library's own index loads all of it, which is two
 * thirds of its code, and nothing can tell that they are not used.
 */
const undiciPlugin: Plugin = {
  name: 'undici',
  load: (path) => (path.endsWith('/node_modules/undici/index.js') ? { code: UNDICI, moduleType: 'js' } : null),
};

const UNDICI = `
const Dispatcher = require('./lib/dispatcher/dispatcher');
Object.assign(Dispatcher.prototype, require('./lib/api'));
exports.Agent = require('./lib/dispatcher/agent');
exports.EnvHttpProxyAgent = require('./lib/dispatcher/env-http-proxy-agent');
`;

/** Files of a bundle are run by cli/src/compiled.ts, and what they import dynamically is imported by it. */
const importPlugin: Plugin = {
  name: 'imports',
  renderChunk(code) {
    const starts: number[] = [];
    new Visitor({ ImportExpression: ({ start }) => void starts.push(start) }).visit(parseAst(code));
    return starts
      .toSorted((a, b) => b - a)
      .reduce((text, at) => `${text.slice(0, at)}importModule${text.slice(at + 'import'.length)}`, code);
  },
};

/** V8 keeps text with a single character beyond Latin-1 in twice the room; and ASCII is read without being decoded. */
function inAscii({ fileName, code }: { readonly fileName: string; readonly code: string }): string {
  const escaped = /\\[^\p{ASCII}]/u.exec(code);
  if (escaped !== null) throw new Error(`${fileName} escapes a character that needs none: ${escaped[0]}`);
  return code.replaceAll(/[^\p{ASCII}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => unicodeEscape(character.charCodeAt(at))).join(''),
  );
}

function unicodeEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** The file whose place the index of validators takes. */
const standIn = join(root, 'core', 'src', 'config', 'ajv.ts');

const installed = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/** Of every package that is in the bundle: whoever passes it on passes these on. */
async function licenses(modules: readonly string[]): Promise<string> {
  const folders = new Set(modules.flatMap((path) => installed.exec(path)?.[0] ?? []));
  const texts = [...folders].toSorted().map(async (folder) => {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Readonly<
      Record<'name' | 'version' | 'license', string>
    >;
    const files = globSync('{LICEN[SC]E,licen[sc]e,COPYING,NOTICE}*', { cwd: folder }).toSorted();
    const text = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    if (!manifest.license) throw new Error(`${relative(root, folder)} names no license`);
    return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${text.join('\n').trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}
