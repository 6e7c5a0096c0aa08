import { describe, expect, it } from 'vitest';
import { fail, ok, type Failure } from '../failure.ts';
import type { Hooks, Plugin, TaskContext } from './api.ts';
import { at, contextWith, copyInput, DIGEST, failuresOf, hostOf, image, loaded } from './fixtures.ts';
import { implement } from './hooks.ts';
import { createHost } from './host.ts';
import type { LoadedPlugin } from './load.ts';

/** What a copy by this tap gives. */
async function copied(tap: (hooks: Hooks) => void, signal?: AbortSignal) {
  return (await hostOf([loaded('one', tap)])).call('image.copy@1', copyInput, contextWith(signal));
}

/** What a careless author throws. */
const odd: unknown = { odd: true };

const task = (run: (input: never, context: TaskContext) => unknown) => (hooks: Hooks) =>
  hooks.task.for('image.copy@1').tapPromise('one', run as () => Promise<unknown>);

const broken = (text: string) => ({
  ok: false,
  failure: { reason: 'plugin', plugin: 'one', hook: 'image.copy@1', message: expect.stringContaining(text) },
});

const tool = { reason: 'tool', class: 'permanent', tool: 'crane' } as const;

/** A plugin without types may leave out anything. */
const fails = (failure: object) => task(async () => fail({ message: "the tool's words", ...failure } as never));

const good = (name: string) => (hooks: Hooks) =>
  implement(hooks, 'image.copy@1', name, async ({ destination }) => ok({ digest: destination.digest }));

describe('a contract', () => {
  it('is answered by its owner', async () => {
    expect(await copied(good('one'))).toEqual(ok({ digest: DIGEST }));
  });

  it('hands on a failure that the plugin returns', async () => {
    const failure = { reason: 'tool', class: 'transient', tool: 'crane', message: 'busy' } as const;
    expect(await copied(task(async () => fail(failure)))).toEqual(fail(failure));
  });

  it.each<[string, (hooks: Hooks) => void, string]>([
    [
      'throws at once',
      task(() => {
        throw new Error('boom\n  at secret stack');
      }),
      'threw: boom',
    ],
    [
      'throws later',
      task(async () => {
        throw new Error('boom');
      }),
      'threw: boom',
    ],
    [
      'throws something else',
      task(() => {
        throw odd;
      }),
      'no error',
    ],
    ['answers null', task(async () => null), 'gave no answer'],
    ['answers nothing', task(async () => undefined), 'gave no answer'],
    ['answers at once, wrongly', task(() => 7), 'gave no answer'],
    ['answers a value without ok()', task(async () => ({ digest: DIGEST })), 'neither'],
    ['answers an output that its schema forbids', task(async () => ok({ digest: 'sha256:short' })), 'does not allow'],
    [
      'answers more than its schema knows',
      task(async () => ok({ digest: DIGEST, more: 1 })),
      'unknown property "more"',
    ],
    ['fails with something odd', task(async () => fail({ reason: 'mood' } as never)), 'no failure'],
    [
      'refuses without saying what',
      fails({ reason: 'policy', class: 'policy' }),
      `'refusals'; it said: the tool's words`,
    ],
    ['skips without saying for what', fails({ reason: 'need', class: 'permanent' }), `'need'`],
    [
      'waits, which the core alone does',
      fails({ reason: 'wait', class: 'permanent', until: '2030-01-01T00:00:00Z' }),
      '"reason" must be one of',
    ],
    ['blames no side', fails({ reason: 'registry', class: 'permanent', host: 'example.org' }), `'side'`],
    ['gives output that is no text', fails({ ...tool, output: 5 }), '"output" must be string'],
    ['gives half a position', fails({ ...tool, at: { file: 'a.yaml' } }), `'line'`],
    ['fails by a class that its reason has not', fails({ ...tool, class: 'policy' }), '"class" must be one of'],
  ])('becomes a plugin failure when the plugin %s', async (_, tap, text) => {
    const result = await copied(tap);
    expect(result).toMatchObject(broken(text));
    expect(JSON.stringify(result)).not.toContain('stack');
  });

  it.each(['ENOSPC', 'EDQUOT'])('that fails by %s, on a full disk, is not its author’s matter', async (code) => {
    const full = Object.assign(new Error(`${code}: no space left on device, write`), { code });
    const result = await copied(
      task(async () => {
        throw full;
      }),
    );
    expect(result).toMatchObject(broken(`threw: ${code}`));
    expect(result).toMatchObject({ failure: { hint: 'free some space where .slipway is' } });
  });

  it('takes a sync tap, too', async () => {
    expect(await copied((hooks) => hooks.task.for('image.copy@1').tap('one', () => ok({ digest: DIGEST })))).toEqual(
      ok({ digest: DIGEST }),
    );
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
    const tap = task(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    );
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
    expect(await host.call('image.copy@1', { sources: [] } as never, contextWith())).toMatchObject({
      failure: { reason: 'plugin' },
    });
    expect(asked).toBe(0);
    await host.call('image.copy@1', copyInput, contextWith());
    expect(image.path).toBe('a/b');
  });

  it('cannot change its answer after it gave it', async () => {
    const answer = { digest: DIGEST as string };
    const tap = (hooks: Hooks): void => implement(hooks, 'image.copy@1', 'one', async () => ok(answer));
    const given = await (await hostOf([loaded('one', tap)])).call('image.copy@1', copyInput, contextWith());
    answer.digest = 'another';
    expect(given).toEqual(ok({ digest: DIGEST }));
  });

  it('has its errors redacted', async () => {
    const plugin = loaded(
      'one',
      task(() => {
        throw new Error('the canary');
      }),
    );
    const host = await hostOf([plugin], { redact: (text) => text.replaceAll('canary', '***') });
    expect(await host.call('image.copy@1', copyInput, contextWith())).toMatchObject(broken('the ***'));
  });

  it.each<Failure>([
    { reason: 'tool', class: 'permanent', tool: 'x', message: 'a canary', hint: 'a canary', output: 'a canary' },
    { reason: 'policy', class: 'policy', message: 'a canary', refusals: ['a canary'] },
    { reason: 'trust', class: 'permanent', message: 'a canary' },
  ])('has the failures redacted that it returns: $reason', async (failure) => {
    const plugin = loaded(
      'one',
      task(async () => fail(failure)),
    );
    const host = await hostOf([plugin], { redact: (text) => text.replaceAll('canary', '***') });
    const hidden: unknown = JSON.parse(JSON.stringify(failure).replaceAll('canary', '***'));
    expect(await host.call('image.copy@1', copyInput, contextWith())).toEqual({ ok: false, failure: hidden });
  });
});

describe('a failure that a plugin returned', () => {
  it('is told at a length that people read, the end of what a program said included, and no secret is cut in two', async () => {
    const long = `${'x'.repeat(7_995)}canary${'y'.repeat(1e6)}`;
    const failure: Failure = { ...tool, message: long, hint: long, output: `${long}canary: no space` };
    const plugin = loaded(
      'one',
      task(async () => fail(failure)),
    );
    const host = await hostOf([plugin], { redact: (text) => text.replaceAll('canary', '***') });
    const result = await host.call('image.copy@1', copyInput, contextWith());
    expect(JSON.stringify(result).length).toBeLessThan(30_000);
    expect(JSON.stringify(result)).not.toContain('canar');
    expect(result).toMatchObject({ failure: { output: expect.stringMatching(/^….*\*\*\*: no space$/) } });
  });

  const circle: Record<string, unknown> = { ...tool, message: 'no', at };
  circle['self'] = circle;

  it.each<[string, object]>([
    ['holds itself', circle],
    ['has what is no data', { ...tool, message: 'no', at: { ...at, more: 1n }, cause: 10n, retry() {} }],
    ['is an error', Object.assign(new Error('no'), { ...tool, at })],
  ])('and that %s is what its type says, so that the journal can hold it', async (_, failure) => {
    const result = await copied(task(async () => fail(failure as never)));
    expect(result).toStrictEqual({ ok: false, failure: { ...tool, message: 'no', at } });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});

describe('owners', () => {
  const two = [
    loaded('sync-a', good('sync-a')),
    loaded('sync-b', (hooks) =>
      implement(hooks, 'image.copy@1', 'sync-b', async () => ok({ digest: `sha256:${'b'.repeat(64)}` })),
    ),
  ];

  it('two for one contract are an error that names both and the line that decides', async () => {
    expect(await failuresOf(two)).toMatchObject([
      {
        reason: 'config',
        message: 'image.copy@1 is implemented by two plugins: sync-a and sync-b',
        hint: expect.stringContaining('use: { image.copy: sync-b }'),
        at,
      },
    ]);
  });

  it.each(['sync-a', 'sync-b'])('use: decides for %s, and only that one is asked', async (plugin) => {
    const hosted = await createHost(two, { 'image.copy': { plugin } });
    if (!hosted.ok) {
      throw new Error('not hosted');
    }
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
    const found = (await failuresOf([two[0] as LoadedPlugin], use)).find((failure) =>
      failure.message.startsWith('use:'),
    );
    expect(found).toMatchObject({
      reason: 'config',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
      at,
    });
  });

  it.each([
    ['core.tag@1', "core's own"],
    ['image.copy@2', 'no contract'],
    ['image.build@1/apko', 'no contract'],
    ['tags.list@1', 'no contract'],
    ['plan.emit@1', 'no contract'],
    ['plan.emit@1/Not a format', 'no contract'],
    ['tags.list@1/Not A Host', 'no contract'],
  ])('%s cannot be implemented', async (contract, text) => {
    const tap = loaded('one', (hooks) => hooks.task.for(contract).tapPromise('one', async () => ok({})));
    expect(await failuresOf([tap])).toMatchObject([
      { reason: 'plugin', plugin: 'one', hook: contract, message: expect.stringContaining(text), at },
    ]);
  });
});

describe('tags.list@1', () => {
  const lists =
    (name: string, digit: string, ...hosts: readonly string[]) =>
    (hooks: Hooks) => {
      for (const host of hosts) {
        const tags = { one: `sha256:${digit.repeat(64)}` };
        implement(hooks, 'tags.list@1', name, async () => ok({ tags, complete: true }), host);
      }
    };
  const input = { repository: { registry: 'a.example', path: 'x' }, tags: ['one'], requests: 1 };

  it('has an owner for each host, and none for others', async () => {
    const host = await hostOf([
      loaded('one', lists('one', 'a', 'a.example')),
      loaded('two', lists('two', 'b', 'b.example:5000')),
    ]);
    const ask = (registry: string) => host.listTags(registry, input, contextWith());
    expect(await ask('b.example:5000')).toEqual(ok({ tags: { one: `sha256:${'b'.repeat(64)}` }, complete: true }));
    expect(await ask('c.example')).toMatchObject({ ok: false, failure: { reason: 'config' } });
    expect(host.owner('tags.list@1/a.example')?.plugin.name).toBe('one');
    expect(host.owner('tags.list@1/c.example')).toBeUndefined();
  });

  it('of one host by two plugins is settled by use, where the named one serves it', async () => {
    const plugins = [
      loaded('one', lists('one', 'a', 'a.example', 'b.example')),
      loaded('two', lists('two', 'b', 'b.example')),
    ];
    expect(await failuresOf(plugins)).toMatchObject([
      { reason: 'config', message: 'tags.list@1/b.example is implemented by two plugins: one and two' },
    ]);
    const hosted = await createHost(plugins, { 'tags.list': { plugin: 'two' } });
    if (!hosted.ok) throw new Error('it is settled');
    const owners = ['a.example', 'b.example'].map((name) => hosted.value.owner(`tags.list@1/${name}`)?.plugin.name);
    expect(owners).toEqual(['one', 'two']);
  });

  it('an answer that is no digest is a plugin failure', async () => {
    const tap = (hooks: Hooks): void =>
      implement(hooks, 'tags.list@1', 'one', async () => ok({ tags: { one: 'latest' }, complete: true }), 'a.example');
    const host = await hostOf([loaded('one', tap)]);
    expect(await host.listTags('a.example', input, contextWith())).toMatchObject({
      ok: false,
      failure: { reason: 'plugin', plugin: 'one', hook: 'tags.list@1/a.example' },
    });
  });

  it('one that never comes is given up and its plugin named: the tags are asked for one by one then', async () => {
    const tap = (hooks: Hooks): void =>
      implement(hooks, 'tags.list@1', 'one', () => new Promise(() => {}), 'a.example');
    expect(await (await hostOf([loaded('one', tap)])).listTags('a.example', input, contextWith())).toMatchObject({
      ok: false,
      failure: { reason: 'plugin', plugin: 'one' },
    });
  });
});

describe('plan.emit@1', () => {
  const emitter = (path: string) => (hooks: Hooks) =>
    implement(hooks, 'plan.emit@1', 'one', async () => ok({ files: [{ path, content: 'x' }] }), 'github');
  const signer = { keyless: false, secrets: [] };
  const context = { main: 'main', config: 'c', together: false, production: signer, secrets: [], logins: [] };
  const input = { plan: { entries: [], selections: [], tasks: [] }, context, split: false };

  it('has an owner for each format, and none for others', async () => {
    const host = await hostOf([loaded('one', emitter('workflows/a.yml'))]);
    expect(await host.emitPlan('github', input, contextWith())).toMatchObject({ ok: true });
    expect(await host.emitPlan('tekton', input, contextWith())).toMatchObject({
      ok: false,
      failure: { reason: 'config', message: expect.stringContaining('plan.emit@1/tekton') },
    });
  });

  it('that never settles is named: no task ends it', async () => {
    const tap = (hooks: Hooks): void => implement(hooks, 'plan.emit@1', 'one', () => new Promise(() => {}), 'github');
    expect(await (await hostOf([loaded('one', tap)])).emitPlan('github', input, contextWith())).toMatchObject({
      ok: false,
      failure: { reason: 'plugin', plugin: 'one' },
    });
  });

  it.each(['../a.yml', 'a/../../b', '/etc/passwd', './a', 'a/./b', 'a//b', 'a/', '', 'a\nb'])(
    'writes nothing to %j',
    async (path) => {
      const host = await hostOf([loaded('one', emitter(path))]);
      expect(await host.emitPlan('github', input, contextWith())).toMatchObject({
        ok: false,
        failure: { reason: 'plugin', plugin: 'one', hook: 'plan.emit@1/github' },
      });
    },
  );
});

describe('apply', () => {
  it.each<[string, Plugin['apply'], string]>([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'threw: boom',
    ],
    [
      'is asynchronous',
      (async () => {
        throw new Error('boom');
      }) as never,
      'asynchronous',
    ],
    [
      'taps with before',
      (hooks) => hooks.gate.tapPromise({ name: 'one', before: 'other' }, async () => undefined),
      '"before"',
    ],
    ['uses tapAsync', (hooks) => hooks.gate.tapAsync('one', (_, done) => done(null)), 'tapAsync'],
    ['taps in the name of another', (hooks) => hooks.gate.tapPromise('two', async () => undefined), '"two"'],
    [
      'taps a contract twice',
      (hooks) => {
        good('one')(hooks);
        good('one')(hooks);
      },
      'twice',
    ],
    ['intercepts', (hooks) => hooks.gate.intercept({}), 'intercepted'],
    [
      'adds a hook',
      (hooks) => {
        (hooks as { more?: unknown }).more = 1;
      },
      'threw',
    ],
  ])('that %s is a plugin failure at its settings line', async (_, apply, text) => {
    expect(await failuresOf([loaded('one', apply)])).toMatchObject([
      { reason: 'plugin', plugin: 'one', message: expect.stringContaining(text), at },
    ]);
  });

  it('of every plugin runs, so that all failures come at once', async () => {
    const bad = (name: string) =>
      loaded(name, () => {
        throw new Error('boom');
      });
    expect(await failuresOf([bad('one'), bad('two')])).toHaveLength(2);
  });

  it('ends before taps do: a later tap is refused', async () => {
    let hooks: Hooks | undefined;
    await hostOf([loaded('one', (given) => void (hooks = given))]);
    expect(() => hooks?.event.tap('one', () => {})).toThrow('after its apply had ended');
  });
});
