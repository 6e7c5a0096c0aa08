import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { BuildEntry } from '../config/model.ts';
import { ok, type PluginFailure } from '../failure.ts';
import type { BuildContext, Files, Mode } from './api.ts';
import { at, contextWith, failuresOf, hostOf, loaded } from './fixtures.ts';
import { imported } from '../testing/killed-at.ts';

describe('modes', () => {
  const inputs = { files: [], packageIndexes: [], bases: [], platforms: [], packages: [], options: {} };
  const mode = (more: Partial<Mode> = {}): Mode => ({
    name: 'kiln',
    claims: (source) => source.endsWith('.kiln'),
    inputs: async () => ok(inputs),
    build: async () => ok({ layout: '/layout' }),
    ...more,
  });
  const brings = (name: string, added: Mode) =>
    loaded(name, (hooks) => hooks.mode.tapPromise(name, async (modes) => modes.add(added)));
  const files: Files = { read: async () => ok(''), list: async () => ok([]) };
  const context = (signal?: AbortSignal) => ({ ...contextWith(signal) }) as BuildContext;
  const entry = {} as BuildEntry;

  it('are there with their owner', async () => {
    const host = await hostOf([brings('build-kiln', mode({ perPlatform: true }))]);
    expect(host.modes[0]?.perPlatform).toBe(true);
    const kiln = host.modes[0];
    expect(kiln?.claims('a.kiln')).toBe(true);
    expect(await kiln?.inputs(entry, files)).toEqual(ok(inputs));
    expect(await kiln?.build(context())).toEqual(ok({ layout: '/layout' }));
    expect(host.modeOwner('kiln')?.plugin.name).toBe('build-kiln');
    expect(host.toolNeeds('image.build@1/kiln')).toEqual([{ name: 'build-kiln-tool', range: '*' }]);
  });

  it('of one name from two plugins are an error that names both', async () => {
    expect(await failuresOf([brings('a', mode()), brings('b', mode())])).toMatchObject([
      { reason: 'config', message: expect.stringContaining('a and b'), at },
    ]);
  });

  it('that are malformed are refused', async () => {
    expect(await failuresOf([brings('a', { name: 'x' } as never)])).toMatchObject([
      { reason: 'plugin', plugin: 'a', at },
    ]);
    expect(await failuresOf([brings('a', mode({ name: '../x' }))])).toMatchObject([{ reason: 'plugin', plugin: 'a' }]);
    expect(await failuresOf([brings('a', mode({ perPlatform: 'yes' as never }))])).toMatchObject([
      { reason: 'plugin', plugin: 'a' },
    ]);
  });

  it('cannot change what they are asked', async () => {
    const careless = mode({
      inputs: async (asked) => {
        (asked as { source: string }).source = 'elsewhere';
        return ok(inputs);
      },
      resolve: async ({ platforms }) => {
        (platforms as unknown[]).length = 0;
        return ok({});
      },
      build: async ({ entry: asked, inputs: given }) => {
        (asked as { source: string }).source = 'elsewhere';
        (given.files as string[]).push('elsewhere');
        return ok({ layout: '/layout' });
      },
    });
    const [guarded] = (await hostOf([brings('a', careless)])).modes;
    const asked = { source: 'a.kiln' } as BuildEntry;
    const given = { ...inputs, files: ['a.kiln'] };
    const platforms = [{ os: 'linux', architecture: 'amd64' }];
    await guarded?.inputs(asked, files);
    await guarded?.resolve?.({ ...context(), entry: asked, platforms, inputs: given });
    await guarded?.build({ ...context(), entry: asked, platforms, inputs: given });
    expect([asked.source, given.files, platforms.length]).toEqual(['a.kiln', ['a.kiln'], 1]);
  });

  it('whose claims throws claim nothing and are reported', async () => {
    const warnings: PluginFailure[] = [];
    const bad = mode({
      claims: () => {
        throw new Error('boom');
      },
    });
    const host = await hostOf([brings('a', bad)], { warn: (failure) => warnings.push(failure) });
    expect(host.modes[0]?.claims('x')).toBe(false);
    expect(warnings).toMatchObject([{ plugin: 'a', message: expect.stringContaining('boom') }]);
  });

  const circle: Record<string, unknown> = {};
  circle['own'] = circle;

  it.each<[string, unknown, string]>([
    ['a BigInt', 10n, '"options/a/0" is a bigint'],
    ['a function', () => 1, '"options/a/0" is a function'],
    ['no number', Number.NaN, '"options/a/0" is NaN'],
    ['nothing in a list', undefined, '"options/a/0" is undefined'],
    ['a date', new Date(0), '"options/a/0" is a Date'],
    ['a circle', circle, '"options" holds itself'],
  ])('whose options hold %s have a bug: no key can be made of it', async (_, value, text) => {
    const odd = mode({ inputs: async () => ok({ ...inputs, options: { b: undefined, a: [value] } }) });
    const host = await hostOf([brings('a', odd)]);
    expect(await host.modes[0]?.inputs(entry, files)).toMatchObject({
      ok: false,
      failure: { reason: 'plugin', plugin: 'a', message: expect.stringContaining(text) },
    });
  });

  it('that wait for nothing while they say their inputs are named: the process does not end before', async () => {
    const host = imported(join(import.meta.dirname, 'host.ts'));
    const flags = ['--conditions=slipway-source', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e'];
    const script = `
      const { createHost } = ${host};
      const mode = { name: 'kiln', claims: () => true, inputs: () => new Promise(() => {}), build() {} };
      const apply = (hooks) => hooks.mode.tapPromise('slow', async (modes) => modes.add(mode));
      const plugin = { name: 'slow', version: '1', api: '1.0', needs: { tools: [] }, apply };
      const { value } = await createHost([{ plugin, options: {} }], {}, { limits: { tap: 20, stop: 20 } });
      console.log(JSON.stringify(await value.modes[0].inputs({}, {})));`;
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, script]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, failure: { reason: 'plugin', plugin: 'slow' } });
  });

  it('may share what they answer, and leave out what they have not', async () => {
    const shared = { one: [1, true, null, 'x'] };
    const fine = mode({ inputs: async () => ok({ ...inputs, options: { a: shared, b: shared, c: undefined } }) });
    expect(await (await hostOf([brings('a', fine)])).modes[0]?.inputs(entry, files)).toMatchObject({ ok: true });
  });

  it.each<[string, Partial<Mode>]>([
    [
      'throws',
      {
        build: () => {
          throw new Error('boom');
        },
        inputs: () => {
          throw new Error('boom');
        },
      },
    ],
    ['answers null', { build: async () => null as never, inputs: async () => null as never }],
    [
      'answers what is not allowed',
      { build: async () => ok({ layout: 'relative' }), inputs: async () => ok({} as never) },
    ],
    ['never settles', { build: () => new Promise(() => {}), inputs: () => new Promise(() => {}) }],
  ])('that %s become plugin failures', async (_, more) => {
    const host = await hostOf([brings('a', mode(more))]);
    const failed = { ok: false, failure: { reason: 'plugin', plugin: 'a' } };
    expect(await host.modes[0]?.inputs(entry, files)).toMatchObject(failed);
    expect(await host.modes[0]?.build(context(AbortSignal.timeout(20)))).toMatchObject(failed);
  });
});
