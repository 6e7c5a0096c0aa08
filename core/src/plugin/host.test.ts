import { describe, expect, it } from 'vitest';
import { fail, ok, type PluginFailure } from '../failure.ts';
import type { Event } from '../journal/events.ts';
import { parseDigest, pin, type Pinned } from '../reference.ts';
import type { BuildEntry } from '../config/model.ts';
import type { Registry } from '../registry/model.ts';
import type { BuildContext, Files, Hooks, Mode, Plugin, TaskContext } from './api.ts';
import { implement } from './hooks.ts';
import { createHost, type HostOptions } from './host.ts';
import type { LoadedPlugin } from './load.ts';

const DIGEST = parseDigest(`sha256:${'a'.repeat(64)}`);
if (DIGEST === undefined) throw new Error('not a digest');
const image: Pinned = pin({ registry: 'example.org', path: 'a/b' }, DIGEST);
const copyInput = { sources: [image] as const, destination: image };
const at = { file: 'slipway.config.yaml', line: 3, column: 5 };
const limits = { tap: 60, stop: 60 };

function loaded(name: string, apply: Plugin['apply']): LoadedPlugin {
  return { plugin: { name, version: '1.0.0', api: '1.0', needs: { tools: [{ name: `${name}-tool`, range: '*' }] }, apply }, options: {}, at };
}

function contextWith(signal: AbortSignal = new AbortController().signal): TaskContext {
  return {
    exec: async () => fail({ reason: 'cancelled', class: 'cancelled', message: 'no tools here' }),
    toolVersion: async () => ok('1.0.0'),
    // No test of the host speaks to a registry.
    registry: {} as Registry,
    files: { root: '/', work: '/', shared: '/', cache: '/' },
    log: () => {},
    signal,
    plainHttp: () => false,
  };
}

async function hostOf(plugins: readonly LoadedPlugin[], options: HostOptions = {}) {
  const hosted = await createHost(plugins, {}, { limits, ...options });
  if (!hosted.ok) throw new Error(hosted.failures.map(({ message }) => message).join('\n'));
  return hosted.value;
}

async function failuresOf(plugins: readonly LoadedPlugin[], use: Parameters<typeof createHost>[1] = {}) {
  const hosted = await createHost(plugins, use, { limits });
  return hosted.ok ? [] : hosted.failures;
}

/** What a copy by this tap gives. */
async function copied(tap: (hooks: Hooks) => void, signal?: AbortSignal) {
  return (await hostOf([loaded('one', tap)])).call('image.copy@1', copyInput, contextWith(signal));
}

const task = (run: (input: never, context: TaskContext) => unknown) => (hooks: Hooks) =>
  hooks.task.for('image.copy@1').tapPromise('one', run as () => Promise<unknown>);

const broken = (text: string) => ({ ok: false, failure: { reason: 'plugin', plugin: 'one', hook: 'image.copy@1', message: expect.stringContaining(text) } });

const good = (name: string) => (hooks: Hooks) => implement(hooks, 'image.copy@1', name, async ({ destination }) => ok({ digest: destination.digest }));

describe('a contract', () => {
  it('is answered by its owner', async () => {
    expect(await copied(good('one'))).toEqual(ok({ digest: DIGEST }));
  });

  it('hands on a failure that the plugin returns', async () => {
    const failure = { reason: 'tool', class: 'transient', tool: 'crane', message: 'busy' } as const;
    expect(await copied(task(async () => fail(failure)))).toEqual(fail(failure));
  });

  it.each<[string, (hooks: Hooks) => void, string]>([
    ['throws at once', task(() => { throw new Error('boom\n  at secret stack'); }), 'threw: boom'],
    ['throws later', task(async () => { throw new Error('boom'); }), 'threw: boom'],
    ['throws something else', task(() => { throw { odd: true }; }), 'no error'],
    ['answers null', task(async () => null), 'gave no answer'],
    ['answers nothing', task(async () => undefined), 'gave no answer'],
    ['answers at once, wrongly', task(() => 7), 'gave no answer'],
    ['answers a value without ok()', task(async () => ({ digest: DIGEST })), 'neither'],
    ['answers an output that its schema forbids', task(async () => ok({ digest: 'sha256:short' })), 'does not allow'],
    ['answers more than its schema knows', task(async () => ok({ digest: DIGEST, more: 1 })), 'unknown property "more"'],
    ['fails with something odd', task(async () => fail({ reason: 'mood' } as never)), 'no failure'],
  ])('becomes a plugin failure when the plugin %s', async (_, tap, text) => {
    const result = await copied(tap);
    expect(result).toMatchObject(broken(text));
    expect(JSON.stringify(result)).not.toContain('stack');
  });

  it('takes a sync tap, too', async () => {
    expect(await copied((hooks) => hooks.task.for('image.copy@1').tap('one', () => ok({ digest: DIGEST })))).toEqual(ok({ digest: DIGEST }));
  });

  it('that never settles ends with the time limit of its task', async () => {
    const never = task(() => new Promise(() => {}));
    expect(await copied(never, AbortSignal.timeout(20))).toMatchObject(broken('time limit'));
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    expect(await copied(never, abort.signal)).toMatchObject({ failure: { reason: 'cancelled' } });
  });

  it('is cancelled, not broken, when the plugin throws because of the abort', async () => {
    const abort = new AbortController();
    const tap = task((_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))));
    const running = copied(tap, abort.signal);
    setTimeout(() => abort.abort(), 10);
    expect(await running).toMatchObject({ failure: { reason: 'cancelled' } });
  });

  it('without an owner says which is missing', async () => {
    expect(await (await hostOf([])).call('image.copy@1', copyInput, contextWith())).toMatchObject({
      failure: { reason: 'config', message: 'no plugin implements image.copy@1' },
    });
  });

  it('is not asked with a wrong input, and cannot change a right one', async () => {
    let asked = 0;
    const host = await hostOf([
      loaded('one', (hooks) =>
        implement(hooks, 'image.copy@1', 'one', async (input) => {
          asked += 1;
          Object.assign(input.destination, { path: 'changed' });
          return ok({ digest: input.destination.digest });
        }),
      ),
    ]);
    expect(await host.call('image.copy@1', { sources: [] } as never, contextWith())).toMatchObject({ failure: { reason: 'plugin' } });
    expect(asked).toBe(0);
    await host.call('image.copy@1', copyInput, contextWith());
    expect(image.path).toBe('a/b');
  });

  it('has its errors redacted', async () => {
    const plugin = loaded('one', task(() => { throw new Error('the canary'); }));
    const host = await hostOf([plugin], { redact: (text) => text.replaceAll('canary', '***') });
    expect(await host.call('image.copy@1', copyInput, contextWith())).toMatchObject(broken('the ***'));
  });
});

describe('owners', () => {
  const two = [loaded('sync-a', good('sync-a')), loaded('sync-b', (hooks) => implement(hooks, 'image.copy@1', 'sync-b', async () => ok({ digest: `sha256:${'b'.repeat(64)}` })))];

  it('two for one contract are an error that names both and the line that decides', async () => {
    expect(await failuresOf(two)).toMatchObject([
      { reason: 'config', message: 'image.copy@1 is implemented by two plugins: sync-a and sync-b', hint: expect.stringContaining('use: { image.copy: sync-b }'), at },
    ]);
  });

  it.each(['sync-a', 'sync-b'])('use: decides for %s, and only that one is asked', async (plugin) => {
    const hosted = await createHost(two, { 'image.copy': { plugin } });
    if (!hosted.ok) throw new Error('not hosted');
    expect(hosted.value.owner('image.copy@1')?.plugin.name).toBe(plugin);
    expect(hosted.value.toolNeeds('image.copy@1')).toEqual([{ name: `${plugin}-tool`, range: '*' }]);
    const digest = plugin === 'sync-a' ? DIGEST : `sha256:${'b'.repeat(64)}`;
    expect(await hosted.value.call('image.copy@1', copyInput, contextWith())).toEqual(ok({ digest }));
  });

  it.each([
    [{ 'image.copi': { plugin: 'sync-a', at } }, 'there is no contract "image.copi"', 'did you mean "image.copy"?'],
    [{ 'image.copy': { plugin: 'sync-c', at } }, 'there is no plugin "sync-c"', 'did you mean'],
    [{ 'image.scan': { plugin: 'sync-a', at } }, 'does not implement image.scan@1', 'no loaded plugin does'],
  ])('use: %j is refused with a suggestion', async (use, message, hint) => {
    const found = (await failuresOf([two[0] as LoadedPlugin], use)).find((failure) => failure.message.startsWith('use:'));
    expect(found).toMatchObject({ reason: 'config', message: expect.stringContaining(message), hint: expect.stringContaining(hint), at });
  });

  it.each([
    ['core.tag@1', "core's own"],
    ['image.copy@2', 'no contract'],
    ['image.build@1/apko', 'no contract'],
  ])('%s cannot be implemented', async (contract, text) => {
    const tap = loaded('one', (hooks) => hooks.task.for(contract).tapPromise('one', async () => ok({})));
    expect(await failuresOf([tap])).toMatchObject([{ reason: 'plugin', plugin: 'one', hook: contract, message: expect.stringContaining(text), at }]);
  });
});

describe('apply', () => {
  it.each<[string, Plugin['apply'], string]>([
    ['throws', () => { throw new Error('boom'); }, 'threw: boom'],
    ['is asynchronous', (async () => { throw new Error('boom'); }) as never, 'asynchronous'],
    ['taps with before', (hooks) => hooks.gate.tapPromise({ name: 'one', before: 'other' }, async () => undefined), '"before"'],
    ['uses tapAsync', (hooks) => hooks.gate.tapAsync('one', (_, done) => done(null)), 'tapAsync'],
    ['taps in the name of another', (hooks) => hooks.gate.tapPromise('two', async () => undefined), '"two"'],
    ['taps a contract twice', (hooks) => { good('one')(hooks); good('one')(hooks); }, 'twice'],
    ['intercepts', (hooks) => hooks.gate.intercept({}), 'intercepted'],
    ['adds a hook', (hooks) => { (hooks as { more?: unknown }).more = 1; }, 'threw'],
  ])('that %s is a plugin failure at its settings line', async (_, apply, text) => {
    expect(await failuresOf([loaded('one', apply)])).toMatchObject([{ reason: 'plugin', plugin: 'one', message: expect.stringContaining(text), at }]);
  });

  it('of every plugin runs, so that all failures come at once', async () => {
    const bad = (name: string) => loaded(name, () => { throw new Error('boom'); });
    expect(await failuresOf([bad('one'), bad('two')])).toHaveLength(2);
  });

  it('ends before taps do: a later tap is refused', async () => {
    let hooks: Hooks | undefined;
    await hostOf([loaded('one', (given) => void (hooks = given))]);
    expect(() => hooks?.event.tap('one', () => {})).toThrow('after its apply had ended');
  });
});

describe('the gate', () => {
  const question = { entry: 'sync:x', subject: image, scan: { scanner: { name: 's', version: '1', uri: 'u' }, startedAt: '', finishedAt: '', platforms: [] } };
  const gated = async (...answers: readonly (() => unknown)[]) => {
    const plugins = answers.map((answer, index) =>
      loaded(`gate-${index}`, (hooks) => hooks.gate.tapPromise(`gate-${index}`, answer as () => Promise<undefined>)));
    return (await hostOf(plugins)).gate(question);
  };

  it('passes when nobody refuses, with null as no answer', async () => {
    expect(await gated(async () => undefined, async () => null)).toEqual(ok(undefined));
  });

  it('takes the first refusal', async () => {
    expect(await gated(async () => null, async () => 'too old')).toEqual(ok('too old'));
  });

  it.each<[string, () => unknown]>([
    ['throws at once', () => { throw new Error('boom'); }],
    ['answers true', async () => true],
    ['answers an empty text', async () => ''],
    ['never settles', () => new Promise(() => {})],
  ])('never passes when a plugin %s, whichever tap it is', async (_, answer) => {
    const bad = { ok: false, failure: { reason: 'plugin', hook: 'gate' } };
    expect(await gated(answer)).toMatchObject(bad);
    expect(await gated(async () => undefined, answer)).toMatchObject({ ...bad, failure: { plugin: 'gate-1' } });
  });
});

describe('reporters', () => {
  const event: Event = { t: 0, type: 'warning', message: 'x' };

  it.each<[string, () => unknown]>([
    ['at once', () => { throw new Error('boom'); }],
    ['later', async () => { throw new Error('boom'); }],
  ])('that throw %s are reported once and dropped; the others go on', async (_, report) => {
    const warnings: PluginFailure[] = [];
    const seen: Event[] = [];
    let calls = 0;
    const host = await hostOf(
      [
        loaded('bad', (hooks) => hooks.event.tap('bad', () => { calls += 1; return report() as void; })),
        loaded('well', (hooks) => hooks.event.tap('well', (each) => void seen.push(each))),
      ],
      { warn: (failure) => warnings.push(failure) },
    );
    for (let round = 0; round < 3; round += 1) {
      host.emit(event);
      await new Promise(setImmediate);
    }
    expect({ calls, seen: seen.length, warnings }).toMatchObject({ calls: 1, seen: 3, warnings: [{ plugin: 'bad', hook: 'event' }] });
  });

  it('done: who throws or never settles is reported, and the next is still called', async () => {
    const warnings: PluginFailure[] = [];
    let code: number | undefined;
    const host = await hostOf(
      [
        loaded('bad', (hooks) => hooks.done.tap('bad', () => { throw new Error('boom'); })),
        loaded('slow', (hooks) => hooks.done.tapPromise('slow', () => new Promise(() => {}))),
        loaded('well', (hooks) => hooks.done.tap('well', ({ exitCode }) => void (code = exitCode))),
      ],
      { warn: (failure) => warnings.push(failure) },
    );
    await host.done({ exitCode: 3 });
    expect(code).toBe(3);
    expect(warnings.map(({ plugin }) => plugin)).toEqual(['bad', 'slow']);
  });
});

describe('modes', () => {
  const inputs = { files: [], packageIndexes: [], bases: [], platforms: [], packages: [], options: {} };
  const mode = (more: Partial<Mode> = {}): Mode => ({
    name: 'kiln',
    claims: (source) => source.endsWith('.kiln'),
    inputs: async () => ok(inputs),
    build: async () => ok({ layout: '/layout' }),
    ...more,
  });
  const brings = (name: string, added: Mode) => loaded(name, (hooks) => hooks.mode.tapPromise(name, async (modes) => modes.add(added)));
  const files: Files = { read: async () => ok(''), list: async () => ok([]) };
  const context = (signal?: AbortSignal) => ({ ...contextWith(signal) }) as BuildContext;
  const entry = {} as BuildEntry;

  it('are there with their owner', async () => {
    const host = await hostOf([brings('build-kiln', mode())]);
    const kiln = host.modes[0];
    expect(kiln?.claims('a.kiln')).toBe(true);
    expect(await kiln?.inputs(entry, files)).toEqual(ok(inputs));
    expect(await kiln?.build(context())).toEqual(ok({ layout: '/layout' }));
    expect(host.modeOwner('kiln')?.plugin.name).toBe('build-kiln');
    expect(host.toolNeeds('image.build@1/kiln')).toEqual([{ name: 'build-kiln-tool', range: '*' }]);
  });

  it('of one name from two plugins are an error that names both', async () => {
    expect(await failuresOf([brings('a', mode()), brings('b', mode())])).toMatchObject([{ reason: 'config', message: expect.stringContaining('a and b'), at }]);
  });

  it('that are malformed are refused', async () => {
    expect(await failuresOf([brings('a', { name: 'x' } as never)])).toMatchObject([{ reason: 'plugin', plugin: 'a', at }]);
    expect(await failuresOf([brings('a', mode({ name: '../x' }))])).toMatchObject([{ reason: 'plugin', plugin: 'a' }]);
  });

  it('whose claims throws claim nothing and are reported', async () => {
    const warnings: PluginFailure[] = [];
    const bad = mode({ claims: () => { throw new Error('boom'); } });
    const host = await hostOf([brings('a', bad)], { warn: (failure) => warnings.push(failure) });
    expect(host.modes[0]?.claims('x')).toBe(false);
    expect(warnings).toMatchObject([{ plugin: 'a', message: expect.stringContaining('boom') }]);
  });

  it.each<[string, Partial<Mode>]>([
    ['throws', { build: () => { throw new Error('boom'); }, inputs: () => { throw new Error('boom'); } }],
    ['answers null', { build: async () => null as never, inputs: async () => null as never }],
    ['answers what is not allowed', { build: async () => ok({ layout: 'relative' }), inputs: async () => ok({} as never) }],
    ['never settles', { build: () => new Promise(() => {}), inputs: () => new Promise(() => {}) }],
  ])('that %s become plugin failures', async (_, more) => {
    const host = await hostOf([brings('a', mode(more))]);
    const failed = { ok: false, failure: { reason: 'plugin', plugin: 'a' } };
    expect(await host.modes[0]?.inputs(entry, files)).toMatchObject(failed);
    expect(await host.modes[0]?.build(context(AbortSignal.timeout(20)))).toMatchObject(failed);
  });
});
