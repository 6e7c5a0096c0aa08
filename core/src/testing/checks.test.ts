/** The suite is only worth something if it catches plugins that misbehave: each check is shown one. */
import { spawn, spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { fail, ok, type Result } from '../failure.ts';
import { implement } from '../plugin/hooks.ts';
import type { Plugin, TaskContext } from '../plugin/api.ts';
import type { ContractInput, ContractOutput } from '../plugin/contract-api.ts';
import { parseDigest, pin } from '../reference.ts';
import { checks } from './checks.ts';
import type { TestWorld } from './context.ts';
import { seedImage } from './sample-images.ts';
import { startScriptedRegistry } from './scripted-registry.ts';
import { contractSubject, contractSuite, type ContractCase } from './suite.ts';
import { createTestWorld } from './world.ts';

type Copy = (
  input: ContractInput<'image.copy@1'>,
  context: TaskContext,
) => Promise<Result<ContractOutput<'image.copy@1'>>>;

const other = parseDigest(`sha256:${'a'.repeat(64)}`);
if (other === undefined) {
  throw new Error('not a digest');
}
// Where it is to be copied to it is already: no plugin here copies anything.
const registry = await startScriptedRegistry();
afterAll(() => registry[Symbol.asyncDispose]());
const { digest: DIGEST } = seedImage(registry, 'a/b', 'image');
const image = pin({ registry: registry.host, path: 'a/b' }, DIGEST);

/** A tool that waits for as long as its first argument says, then prints the second. */
const TOOL = '#!/bin/sh\nsleep "$1" && echo "$2"\n';

async function world(): Promise<TestWorld> {
  const made = await createTestWorld({ files: { 'config.yaml': 'sync: []\n', 'tools/copier': TOOL } });
  onTestFinished(() => made.close());
  const path = join(made.root, 'tools', 'copier');
  await chmod(path, 0o755);
  return { ...made, finder: { find: async ({ name }) => ok({ name, path, version: '1.0.0' }) } };
}

function plugin(copy: Copy, more: Partial<Plugin> = {}): Plugin {
  return {
    name: 'sync-test',
    version: '1.0.0',
    api: '1.0',
    options: { type: 'object', additionalProperties: false, properties: {} },
    needs: { tools: [{ name: 'copier', range: '*' }] },
    apply: (hooks) => implement(hooks, 'image.copy@1', 'sync-test', copy),
    ...more,
  };
}

const good: Copy = async ({ destination }, { exec }) => {
  const ran = await exec('copier', ['0.2', destination.digest]);
  return ran.ok ? ok({ digest: ran.value.stdout.trim() }) : ran;
};

function given(tested: Plugin, more: Partial<ContractCase<'image.copy@1'>> = {}): ContractCase<'image.copy@1'> {
  return {
    plugin: tested,
    contract: 'image.copy@1',
    input: async () => ({ sources: [image], destination: image }),
    world,
    hostile: 4,
    abortAfter: 100,
    ...more,
  };
}

const NAMES = {
  shape: 'has the shape and the API version of a plugin, and strict options',
  output: 'gives an output that its contract allows',
  twice: 'gives the same result twice',
  other: 'gives the same result as the other implementation',
  abort: 'ends within two seconds of an abort and leaves no process',
  tools: 'starts only the tools that it declares',
  folders: 'writes only below its own folders',
  throws: 'answers hostile input with a failure and never throws',
};

async function verdict(check: keyof typeof NAMES, tested: Plugin, more: Partial<ContractCase<'image.copy@1'>> = {}) {
  const run = checks[NAMES[check]];
  if (run === undefined) {
    throw new Error(`there is no check "${NAMES[check]}"`);
  }
  return run(contractSubject(given(tested, more)));
}

contractSuite({ describe, it }, given(plugin(good)));

describe('the contract suite', () => {
  it('registers every check, and the comparison only when there is something to compare with', () => {
    const names: string[] = [];
    const runner = { describe: (_: string, body: () => void) => body(), it: (name: string) => names.push(name) };
    contractSuite(runner, given(plugin(good)));
    expect(names).toEqual(Object.values(NAMES).filter((name) => name !== NAMES.other));
    contractSuite(runner, given(plugin(good), { against: { plugin: plugin(good) } }));
    expect(names).toContain(NAMES.other);
  });

  it('catches options that are not strict', async () => {
    expect(await verdict('shape', plugin(good, { options: { type: 'object' } }))).toContain('additionalProperties');
  });

  it('catches another API version', async () => {
    expect(await verdict('shape', plugin(good, { api: '2.0' }))).toContain('plugin API 2.0');
  });

  it('catches an output that lies, null, and a sync throw', async () => {
    expect(
      await verdict(
        'output',
        plugin(async () => ok({ digest: 'latest' })),
      ),
    ).toContain('does not allow');
    expect(
      await verdict(
        'output',
        plugin(async () => null as never),
      ),
    ).toContain('gave no answer');
    const throws = plugin(() => {
      throw new Error('boom');
    });
    expect(await verdict('output', throws)).toContain('boom');
    expect(await verdict('throws', throws)).toContain('boom');
  });

  it('catches a digest that is not the one asked for, and one that is not there', async () => {
    const lies = plugin(async () => ok({ digest: other }));
    expect(await verdict('output', lies)).toContain(`says that it copied ${other}`);
    const idle = plugin(async ({ destination }) => ok({ digest: destination.digest }));
    expect(await verdict('output', idle)).toBeUndefined();
    const input = async (): Promise<ContractInput<'image.copy@1'>> => ({
      sources: [image],
      destination: { ...image, path: 'a/empty' },
    });
    expect(await verdict('output', idle, { input })).toContain('is not there');
  });

  it('catches a result that differs', async () => {
    let count = 0;
    const differs = plugin(async () => ok({ digest: `sha256:${String((count += 1)).padStart(64, '0')}` }));
    expect(await verdict('twice', differs)).toContain('the second');
    expect(await verdict('twice', differs, { repeatable: false })).toBeUndefined();
    expect(await verdict('other', differs, { against: { plugin: plugin(good) } })).toContain('from sync-test');
    expect(await verdict('other', plugin(good), { against: { plugin: plugin(good) } })).toBeUndefined();
  });

  it('catches a process that outlives the abort, though it was not started by exec', async () => {
    const leaves = plugin(async (_, { signal }) => {
      spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).unref();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return fail({ reason: 'cancelled', class: 'cancelled', message: 'stopped' });
    });
    expect(await verdict('abort', leaves)).toContain('still running');
  });

  it('catches a plugin that does not hear the abort', async () => {
    expect(
      await verdict(
        'abort',
        plugin(() => new Promise(() => {})),
      ),
    ).toContain('did not settle');
  });

  it('catches a tool that is not declared, and one that is started without exec', async () => {
    const asks = plugin(async (_, { exec }) => {
      await exec('curl', []);
      return ok({ digest: DIGEST });
    });
    expect(await verdict('tools', asks)).toContain('curl');
    const sneaks = plugin(async () => {
      if (spawnSync('true').status !== 0) {
        throw new Error('no true');
      }
      return ok({ digest: DIGEST });
    });
    expect(await verdict('tools', sneaks)).toContain('no true');
    expect(await verdict('output', sneaks)).toBeUndefined();
  });

  it('catches writing outside of its folders', async () => {
    const writes = plugin(async (_, { files }) => {
      await writeFile(join(files.root, 'litter'), '');
      return ok({ digest: DIGEST });
    });
    expect(await verdict('folders', writes)).toContain('litter');
    const changes = plugin(async (_, { files }) => {
      await writeFile(join(files.root, 'config.yaml'), 'sync: [] # changed\n');
      return ok({ digest: DIGEST });
    });
    expect(await verdict('folders', changes)).toContain('config.yaml');
  });

  it.each([['home', homedir] as const, ['temporary folder', tmpdir] as const])(
    "catches writing into the machine's %s",
    async (_, place) => {
      const before = [homedir(), tmpdir()];
      const writes = plugin(async () => {
        await writeFile(join(place(), 'litter'), '');
        return ok({ digest: DIGEST });
      });
      expect(await verdict('folders', writes)).toContain('litter');
      expect([homedir(), tmpdir()]).toEqual(before);
    },
  );

  it('catches a throw that only hostile input brings out', async () => {
    const fragile = plugin(async ({ destination }) => {
      if (destination.path.length > 100) {
        throw new Error('unexpected');
      }
      return ok({ digest: DIGEST });
    });
    expect(await verdict('output', fragile)).toBeUndefined();
    expect(await verdict('throws', fragile, { hostile: 60 })).toContain('unexpected');
  });

  it('asks the owner of a part, and gives an emitter what the engine gives it', async () => {
    const parted = plugin(good, {
      needs: { tools: [] },
      apply(hooks) {
        implement(
          hooks,
          'tags.list@1',
          'sync-test',
          async () => ok({ tags: { 1: DIGEST }, complete: true }),
          image.registry,
        );
        const files = [{ path: 'run.yaml', content: '' }];
        implement(hooks, 'plan.emit@1', 'sync-test', async () => ok({ files }), 'tekton');
        const greedy = async (_: unknown, context: TaskContext) =>
          ok({ files: [{ path: context.files.work, content: '' }] });
        implement(hooks, 'plan.emit@1', 'sync-test', greedy, 'greedy');
      },
    });
    const tags = { plugin: parted, contract: 'tags.list@1' as const, world };
    const listed = async () => ({ repository: { registry: image.registry, path: 'a/b' }, tags: [], requests: 1 });
    const emit = { plugin: parted, contract: 'plan.emit@1' as const, world };
    const empty = { main: 'main', config: 'config.yaml', together: false, secrets: [], logins: [] };
    const context = { ...empty, production: { keyless: true, secrets: [] } };
    const planned = async () => ({ plan: { entries: [], selections: [], tasks: [] }, context, split: false });
    for (const subject of [
      contractSubject({ ...tags, part: image.registry, input: listed }),
      contractSubject({ ...emit, part: 'tekton', input: planned }),
    ]) {
      expect(await checks[NAMES.output]?.(subject)).toBeUndefined();
    }
    const greedy = contractSubject({ ...emit, part: 'greedy', input: planned });
    expect(await checks[NAMES.output]?.(greedy)).toContain('an emitter is given no folder');
    expect(() => contractSubject({ ...tags, input: listed })).toThrow('"part" says which host');
  });
});
