/** What README.md and docs/ say is what the program does: keys, options, examples, links, snippets. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  configSchema,
  contractNames,
  createHost,
  formatFailure,
  loadConfig,
  loadPlugins,
  loadSettings,
  settingsSchema,
  type Failure,
  type Plugin,
} from '@slipway/core';
import { describe, expect, it } from 'vitest';
import { EXIT } from './answer.ts';
import { defaultPlugins } from './default-plugins.ts';
import { runProgram } from './program.ts';
import { envelopeSchema } from './schemas/envelope.ts';

const root = join(import.meta.dirname, '..', '..');
const pages = ['README.md', 'ARCHITECTURE.md', ...globSync('docs/*.md', { cwd: root })].sort();
const read = (page: string): string => readFileSync(join(root, page), 'utf8');
const plugins: readonly Plugin[] = await Promise.all([...defaultPlugins.values()].map((load) => load()));
const settingsOf = (folder: string) => ({ folder, date: '2026-11-23', parallelism: 2 });

describe('docs/config.md and docs/settings.md', async () => {
  const modes = await modeProperties();
  const config = objectsOf(configSchema(modes), 'config.yaml');
  const settings = objectsOf(settingsSchema({}), 'slipway.config.yaml');

  it.each([...config.keys()])('describes the keys of %s in the config', (object) => {
    expect(rowsOf('docs/config.md', object)).toEqual(keysBySchema(config.get(object)));
  });

  it.each([...settings.keys()])('describes the keys of %s in the settings', (object) => {
    expect(rowsOf('docs/settings.md', object)).toEqual(keysBySchema(settings.get(object)));
  });

  it.each(plugins.map((plugin) => [plugin.name, plugin] as const))(
    'describes the options and tools of %s',
    (name, plugin) => {
      const page = read('docs/settings.md');
      const [row = ''] = page.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`));
      for (const tool of plugin.needs.tools) expect(row).toContain(`\`${tool.name}\` \`${tool.range}\``);
      const options = objectsOf(plugin.options ?? {}, name).get(name);
      if (options !== undefined) expect(rowsOf('docs/settings.md', name)).toEqual(keysBySchema(options));
      else expect(page).toMatch(new RegExp(`\`${name}\`.* no options`));
    },
  );

  it('names every contract on the page for authors', () => {
    expect(contractNames.filter((contract) => !read('docs/plugins.md').includes(`| \`${contract}\` |`))).toEqual([]);
  });

  it('tells defaults and choices as the schemas have them', () => {
    const schemas: readonly (readonly [string, string, Schema])[] = [
      ...[...config].map(([object, keys]) => ['docs/config.md', object, keys] as const),
      ...[...settings].map(([object, keys]) => ['docs/settings.md', object, keys] as const),
      ...plugins.flatMap(({ name, options = {} }) =>
        [...objectsOf(options, name)].map(([object, keys]) => ['docs/settings.md', object, keys] as const),
      ),
    ];
    const untold = schemas.flatMap(([page, object, keys]) =>
      Object.entries(keys).flatMap(([key, schema]) => {
        const row = tableRows(page, object).find((line) => keyOf(line) === key) ?? '';
        const values = [schema.default, schema.enum, schema.items?.enum].flat().filter((value) => value !== undefined);
        return values.filter((value) => !row.includes(`\`${value}\``)).map((value) => `${object} ${key}: ${value}`);
      }),
    );
    expect(untold).toEqual([]);
  });
});

describe('docs/cli.md', async () => {
  const commands = await helpOfCommands();

  it.each([...commands])('describes %s with its options', (command, help) => {
    const options = helpOptions(help);
    const documented = sectionsOf('docs/cli.md')
      .filter(({ heading }) => heading.includes(`\`${command}\``))
      .flatMap(({ text }) => [...text.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, option]) => option ?? ''));
    expect(new Set(documented)).toEqual(new Set(options.keys()));
    for (const [option, choices] of options) {
      const rows = read('docs/cli.md')
        .split('\n')
        .filter((line) => line.startsWith(`| \`${option} `));
      for (const choice of choices) expect(rows.join('\n'), option).toContain(`\`${choice}\``);
    }
  });

  it('says what each command adds to its answer, as the schema has it', () => {
    const table = read('docs/cli.md').split('| command | adds |')[1] ?? '';
    const answers = envelopeSchema['oneOf'] as readonly {
      readonly properties: Readonly<Record<string, { readonly enum?: readonly string[]; readonly const?: string }>>;
    }[];
    for (const { properties } of answers) {
      const { slipway: _, ok: __, command: name, ...added } = properties;
      for (const each of name?.enum ?? (name?.const === undefined ? [] : [name.const])) {
        const row = table.split('\n').find((line) => line.split('|')[1]?.includes(`\`${each}\``)) ?? '';
        for (const key of Object.keys(added)) expect(row, each).toContain(`\`${key}\``);
      }
    }
  });

  it('names every command in the README', () => {
    for (const command of commands.keys()) expect(read('README.md')).toContain(`\`slipway ${command}`);
  });

  it('lists the exit codes', () => {
    const codes = [...read('docs/cli.md').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT));
  });
});

describe('examples', () => {
  const blocks = pages.flatMap((page) => fences(page).map((fence) => ({ page, ...fence })));
  const marked = (mark: string) =>
    blocks.filter(({ info }) => info === mark).map(({ page, text }, index) => [`${page} ${index}`, text] as const);

  it.each(marked('yaml config'))('the config of %s loads', async (_, text) => {
    const folder = await example('config.yaml', text);
    for (const [, path = ''] of text.matchAll(/(\.\/images[^\s,\]]*)/g)) {
      const isFolder = !/file|\.ya?ml$/.test(path);
      await mkdir(join(folder, isFolder ? path : dirname(path)), { recursive: true });
      if (!isFolder) await writeFile(join(folder, path), '');
    }
    const context = { branch: 'main', sha: 'a'.repeat(40), date: '2026-11-23' };
    expect(
      mistakes(await loadConfig(join(folder, 'config.yaml'), { context, modeProperties: await modeProperties() })),
    ).toEqual([]);
  });

  it.each(marked('yaml settings'))('the settings of %s load', async (_, text) => {
    const folder = await example('slipway.config.yaml', text);
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    for (const name of ['cosign.pub', 'old.pub', 'scratch.pub', 'cosign.key']) await writeFile(join(folder, name), pem);
    const loaded = await loadSettings(settingsOf(folder));
    expect(mistakes(loaded)).toEqual([]);
    if (!loaded.ok) return;
    const known = loaded.value.plugins.filter(({ name }) => defaultPlugins.has(name));
    expect(
      mistakes(await loadPlugins({ settings: { ...loaded.value, plugins: known }, defaults: defaultPlugins })),
    ).toEqual([]);
  });

  it('shows at least one config and one way to sign in the README', () => {
    const readme = fences('README.md').map(({ info }) => info);
    expect(readme).toEqual(expect.arrayContaining(['yaml config', 'yaml settings']));
  });

  it('has snippets that are the files in docs/snippets, which are type-checked', () => {
    const shown = fences('docs/plugins.md').filter(({ info }) => info.startsWith('ts '));
    for (const { info, text } of shown) expect(text).toBe(read(info.slice('ts '.length)));
    expect(shown.length).toBeGreaterThan(3);
  });
});

describe.each(pages)('%s', (page) => {
  it('has links that lead somewhere', () => {
    const text = withoutFences(page);
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect(existsSync(join(root, file)), `${page}: ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchors(file), `${page}: ${target}`).toContain(anchor);
    }
  });

  it('names nothing of one machine, and sells nothing', () => {
    const text = read(page);
    for (const place of [root, homedir(), tmpdir()]) expect(text).not.toContain(`${place}/`);
    expect(text).not.toMatch(/(?:^|[\s"'`(=])\/(?:root|home|Users)\//m);
    expect(text).not.toMatch(
      /\b(?:blazing|seamless\w*|powerful|effortless\w*|cutting-edge|world-class|supercharge\w*|leverag\w*|simply)\b/i,
    );
  });
});

describe.each(['ARCHITECTURE.md', 'docs/invariants.md', 'docs/decisions.md'])('%s', (page) => {
  it('names files that are there', () => {
    const named = [...read(page).matchAll(/`([\w./*{},-]+\/[\w./*{},-]+)`/g)].map(([, path = '']) => path);
    const places = [root, join(root, 'core', 'src')];
    const missing = named.filter((path) => places.every((cwd) => globSync(path, { cwd }).length === 0));
    expect(missing).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });
});

type Plain = string | number | boolean;

interface KeySchema {
  readonly default?: Plain | readonly Plain[];
  readonly enum?: readonly Plain[];
  readonly items?: KeySchema & { readonly properties?: Schema };
  readonly properties?: Schema;
}
type Schema = Readonly<Record<string, KeySchema>>;

/** Every object in a schema: path, as `policy.waivers[]`, → its keys. An object without named keys is left out. */
function objectsOf(schema: KeySchema, top: string): ReadonlyMap<string, Schema> {
  const found = new Map<string, Schema>();
  const walk = (path: string, { properties }: KeySchema): void => {
    if (properties === undefined || Object.keys(properties).length === 0) return;
    found.set(path === '' ? top : path, properties);
    for (const [key, child] of Object.entries(properties)) {
      const below = path === '' ? key : `${path}.${key}`;
      walk(below, child);
      if (child.items !== undefined) walk(`${below}[]`, child.items);
    }
  };
  walk('', schema);
  return found;
}

function keysBySchema(keys: Schema | undefined): ReadonlySet<string> {
  return new Set(Object.keys(keys ?? {}));
}

function rowsOf(page: string, object: string): ReadonlySet<string> {
  return new Set(tableRows(page, object).map(keyOf));
}

/** The lines of the key tables in the sections whose heading names `object`. */
function tableRows(page: string, object: string): readonly string[] {
  return sectionsOf(page)
    .filter(({ heading }) => heading.includes(`\`${object}\``))
    .flatMap(({ text }) => text.slice(text.indexOf('| key |')).split('\n\n', 1)[0]?.split('\n') ?? [])
    .filter((line) => line.startsWith('| `'));
}

function keyOf(row: string): string {
  return /^\| `([^`]+)` \|/.exec(row)?.[1] ?? row;
}

function sectionsOf(page: string): readonly { readonly heading: string; readonly text: string }[] {
  return read(page)
    .split(/^## /m)
    .slice(1)
    .map((section) => ({ heading: section.split('\n', 1)[0] ?? '', text: section }));
}

function fences(page: string): readonly { readonly info: string; readonly text: string }[] {
  return [...read(page).matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, info = '', text = '']) => ({ info, text }));
}

function withoutFences(page: string): string {
  return read(page)
    .replaceAll(/^```.*?^```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, '``');
}

/** As GitHub makes them of headings. */
function anchors(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

async function modeProperties() {
  const loaded = await loadPlugins({ settings: { folder: root, plugins: [] }, defaults: defaultPlugins });
  const host = loaded.ok ? await createHost(loaded.value, {}) : loaded;
  if (!host.ok) throw new Error(host.failures.map(({ message }) => message).join('\n'));
  return Object.fromEntries(host.value.modes.map(({ name, properties = {} }) => [name, properties]));
}

/** `plan` → its help; `tools install` by both words. */
async function helpOfCommands(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const visit = async (path: readonly string[]): Promise<void> => {
    const text = await help(path);
    const names = [...(text.split('Commands:\n')[1] ?? '').matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name);
    const below = names.filter((name) => name !== 'help');
    if (below.length === 0) found.set(path.join(' '), text);
    for (const name of below) await visit([...path, name]);
  };
  await visit([]);
  return found;
}

async function help(path: readonly string[]): Promise<string> {
  let text = '';
  const stdout = (more: string): void => void (text += more);
  const io = {
    cwd: root,
    env: {},
    stdout,
    stderr: stdout,
    terminal: false,
    color: false,
    rows: () => 24,
    columns: () => 80,
    interrupt: new AbortController().signal,
  };
  expect(await runProgram(io, [...path, '--help'])).toBe(EXIT.done);
  return text;
}

/** Option → its choices; every command has `--help`, which needs no description. */
function helpOptions(text: string): ReadonlyMap<string, readonly string[]> {
  const section = text.split('Options:\n')[1]?.split('\n\n', 1)[0] ?? '';
  const options = new Map<string, readonly string[]>();
  for (const part of section.split(/\n(?= {2}-)/)) {
    const name = /--[a-z-]+/.exec(part)?.[0];
    const choices = /\(choices:([^)]*?)(?:, default|\))/s.exec(part)?.[1] ?? '';
    if (name !== undefined && name !== '--help')
      options.set(
        name,
        [...choices.matchAll(/"([^"]+)"/g)].map(([, choice = '']) => choice),
      );
  }
  return options;
}

async function example(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-docs-'));
  await writeFile(join(folder, name), text);
  return folder;
}

function mistakes(
  result: { readonly ok: true } | { readonly ok: false; readonly failures: readonly Failure[] },
): readonly string[] {
  return result.ok ? [] : result.failures.map((failure) => formatFailure(failure));
}
