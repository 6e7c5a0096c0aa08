import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { PluginSetting } from '../config/settings-model.ts';
import type { Plugin } from './api.ts';
import { loadPlugins } from './load.ts';

const at = { file: 'slipway.config.yaml', line: 2, column: 5 };

function plugin(more: Partial<Plugin> = {}): Plugin {
  return { name: 'sync-a', version: '1.0.0', api: '1.0', needs: { tools: [] }, apply: () => {}, ...more };
}

const withOptions = plugin({
  options: {
    type: 'object',
    additionalProperties: false,
    properties: { retries: { type: 'integer', default: 3 }, mirror: { type: 'string' } },
  },
});

/** Loads one default plugin, with what the settings say. */
function load(exported: unknown, settings: readonly PluginSetting[] = []) {
  const defaults = new Map([['sync-a', async () => exported as Plugin]]);
  return loadPlugins({ settings: { folder: '/', plugins: settings }, defaults });
}

/** A folder with these files, and a load of `names` from it. */
async function loadFrom(files: Readonly<Record<string, string>>, names: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-load-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const settings = { folder: join(folder, 'repository'), plugins: names.map((name) => ({ name, options: {}, at })) };
  await mkdir(settings.folder, { recursive: true });
  const imported: string[] = [];
  const importModule = async (url: URL): Promise<unknown> => {
    imported.push(fileURLToPath(url).slice(folder.length + 1));
    return plugin({ name: `p${imported.length}` });
  };
  return { loaded: await loadPlugins({ settings, defaults: new Map(), importModule }), imported };
}

describe('options', () => {
  it('are filled with defaults and given by an entry of the plugin’s name', async () => {
    expect(await load(withOptions)).toMatchObject({ ok: true, value: [{ options: { retries: 3 } }] });
    const given = await load(withOptions, [{ name: 'sync-a', options: { retries: 5 }, at }]);
    expect(given).toMatchObject({ ok: true, value: [{ options: { retries: 5 }, at }] });
  });

  it('that are wrong are all reported, with a suggestion, at their line', async () => {
    const loaded = await load(withOptions, [{ name: 'sync-a', options: { retrys: 1, mirror: 7 }, at }]);
    expect(loaded).toMatchObject({
      ok: false,
      failures: [
        { reason: 'config', message: expect.stringContaining('"retrys"'), hint: 'did you mean "retries"?', at },
        { reason: 'config', message: expect.stringContaining('"mirror"'), at },
      ],
    });
  });

  it('are refused by a plugin that has none', async () => {
    expect(await load(plugin(), [{ name: 'sync-a', options: { a: 1 }, at }])).toMatchObject({
      failures: [{ hint: 'this plugin has no options' }],
    });
  });

  it('with a wrong schema are the plugin’s fault', async () => {
    expect(await load(plugin({ options: { type: 'objekt' } }))).toMatchObject({
      failures: [{ reason: 'plugin', plugin: 'sync-a' }],
    });
  });
});

describe('the plugin API', () => {
  it.each([
    ['2.0', 'install a newer slipway'],
    ['1.2', 'install a newer slipway'],
    ['0.9', 'install a newer version of sync-a'],
  ])('%s is refused before anything else of the plugin is looked at', async (api, hint) => {
    const other = {
      name: 'sync-a',
      api,
      apply: () => {
        throw new Error('applied');
      },
    };
    expect(await load(other, [{ name: 'sync-a', options: {}, at }])).toMatchObject({
      failures: [
        {
          reason: 'config',
          message: `plugin sync-a was written for plugin API ${api}; this is 1.1`,
          hint: expect.stringContaining(hint),
          at,
        },
      ],
    });
  });
});

describe('shape', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a class', class {}],
    ['a name that is a path', plugin({ name: '../x' })],
    ['no version', { ...plugin(), version: 1 }],
    ['no api', { ...plugin(), api: 1 }],
    ['no apply', { ...plugin(), apply: undefined }],
    ['no needs', { ...plugin(), needs: undefined }],
    ['a tool that is an option', plugin({ needs: { tools: [{ name: '--help', range: '*' }] } })],
    ['a range that is none', plugin({ needs: { tools: [{ name: 'crane', range: 'new' }] } })],
    ['variables that are none', plugin({ needs: { tools: [], env: ['A=B'] } })],
    [
      'a getter that throws',
      {
        get name() {
          throw new Error('boom');
        },
      },
    ],
  ])('%s is refused', async (_, exported) => {
    expect(await load(exported)).toMatchObject({
      ok: false,
      failures: [{ reason: 'plugin', plugin: 'sync-a', hook: 'load' }],
    });
  });
});

describe('names in the settings', () => {
  it('are files from the settings’ folder, or packages beside or above it', async () => {
    const { loaded, imported } = await loadFrom(
      {
        'repository/plugins/one.js': '',
        'two.ts': '',
        'repository/node_modules/slipway-three/package.json': '{"name":"slipway-three","exports":"./main.js"}',
        'repository/node_modules/slipway-three/main.js': '',
        'node_modules/@org/four/package.json':
          '{"name":"@org/four","type":"module","exports":{".":{"import":"./esm.js"}}}',
        'node_modules/@org/four/esm.js': '',
      },
      ['./plugins/one.js', '../two.ts', 'slipway-three', '@org/four'],
    );
    expect(loaded.ok).toBe(true);
    expect(imported.sort()).toEqual(
      [
        'node_modules/@org/four/esm.js',
        'repository/node_modules/slipway-three/main.js',
        'repository/plugins/one.js',
        'two.ts',
      ].sort(),
    );
  });

  it.each([
    ['./missing.js', 'does not exist'],
    ['./', 'is not a file'],
    ['slipway-missing', 'is not installed'],
    ['fs', 'is not installed'],
    ['node:fs', 'is not a plugin'],
    ['/etc/passwd', 'is not a plugin'],
    ['file:///etc/passwd', 'is not a plugin'],
    ['data:text/javascript,0', 'is not a plugin'],
    ['--help', 'is not a plugin'],
    ['a/../../b', 'is not a plugin'],
  ])('%s is refused at its line', async (name, text) => {
    const { loaded, imported } = await loadFrom({}, [name]);
    expect(imported).toEqual([]);
    expect(loaded).toMatchObject({ failures: [{ reason: 'config', message: expect.stringContaining(text), at }] });
  });

  it.each([
    ['was not built', '{"name":"here","main":"./dist/index.js"}'],
    ['exports no main module', '{"name":"here","exports":{"./scan":"./scan.js"}}'],
  ])('of a package that is there and %s are not told to be installed', async (_, manifest) => {
    const { loaded } = await loadFrom({ 'node_modules/here/package.json': manifest }, ['here']);
    expect(loaded).toMatchObject({
      failures: [{ message: 'the package "here" is installed, and has no module to import', at }],
    });
  });

  it('twice, or two plugins of one name, are refused', async () => {
    const twice = { name: './a.js', options: {}, at };
    const settings = { folder: '/', plugins: [twice, twice] };
    expect(await loadPlugins({ settings, defaults: new Map() })).toMatchObject({
      failures: [{ message: expect.stringContaining('listed twice') }, {}],
    });
    const defaults = new Map([
      ['sync-a', async () => plugin()],
      ['sync-b', async () => plugin()],
    ]);
    expect(await loadPlugins({ settings: { folder: '/', plugins: [] }, defaults })).toMatchObject({
      failures: [{ message: 'two plugins are named sync-a' }],
    });
  });

  it('whose module never ends to load are the plugin’s fault', async () => {
    const defaults = new Map([['sync-a', () => new Promise<never>(() => {})]]);
    const loaded = await loadPlugins({ settings: { folder: '/', plugins: [] }, defaults, limit: 20 });
    expect(loaded).toMatchObject({
      failures: [{ reason: 'plugin', plugin: 'sync-a', message: expect.stringContaining('was not loaded within') }],
    });
  });

  it('whose module throws are the plugin’s fault, without a stack', async () => {
    const defaults = new Map([
      [
        'sync-a',
        async () => {
          throw new Error('boom\n    at line 1');
        },
      ],
    ]);
    const loaded = await loadPlugins({ settings: { folder: '/', plugins: [] }, defaults });
    expect(loaded).toMatchObject({
      failures: [{ reason: 'plugin', message: 'the plugin "sync-a" could not be loaded: boom' }],
    });
  });
});
