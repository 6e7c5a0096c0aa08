import { describe, expect, it } from 'vitest';
import type { Plugin } from './api.ts';
import { implement } from './hooks.ts';
import { createHost, type Host } from './host.ts';

const TASKS = [
  { id: 'package:a.yaml', contract: 'package.build@1', input: { config: 'a.yaml' } },
  { id: 'build:x#tag', contract: 'core.tag@1', input: {} },
];
const LACKS = { reason: 'missing-tool', class: 'permanent', tool: 'x', message: 'x is missing' } as const;

async function hostOf(
  preflight: unknown,
  contract: 'package.build@1' | 'image.copy@1' = 'package.build@1',
): Promise<Host> {
  const plugin: Plugin = {
    name: 'one',
    version: '1.0.0',
    api: '1.0',
    needs: { tools: [] },
    apply: (hooks) => implement(hooks, contract, 'one', async () => ({ ok: false, failure: LACKS })),
    // Plugins are foreign code: their types promise nothing.
    preflight: preflight as NonNullable<Plugin['preflight']>,
  };
  const host = await createHost([{ plugin, options: { a: 1 } }], {}, { limits: { tap: 20, stop: 20 } });
  if (!host.ok) throw new Error(host.failures.map(({ message }) => message).join('\n'));
  return host.value;
}

const ask = (host: Host) => host.preflight({ tasks: TASKS, root: '/root', env: {} });

describe('preflight', () => {
  it('asks a plugin about its own tasks, with its options', async () => {
    let asked: unknown;
    const host = await hostOf(async (request: unknown) => {
      asked = request;
      return [LACKS];
    });
    expect(await ask(host)).toEqual([LACKS]);
    expect(asked).toEqual({ tasks: [TASKS[0]], options: { a: 1 }, root: '/root', env: {} });
  });

  it('asks no plugin that has nothing to do', async () => {
    expect(await ask(await hostOf(async () => [LACKS], 'image.copy@1'))).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'boom',
    ],
    [
      'rejects',
      async () => {
        throw new Error('boom');
      },
      'boom',
    ],
    ['answers null', async () => null, 'no list'],
    ['answers with no failures', async () => ['a text'], 'no failure'],
    ['never settles', () => new Promise(() => {}), 'time limit'],
  ])('makes a failure of a plugin that %s', async (_, preflight, words) => {
    const [failure] = await ask(await hostOf(preflight));
    expect(failure).toMatchObject({ reason: 'plugin', plugin: 'one' });
    expect(failure?.message).toContain(words);
  });
});
