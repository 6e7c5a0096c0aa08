/** Surroundings for the contract suite of a mode: folders of a test's own, and an entry as the planner would ask about it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { BuildEntry } from '../config/model.ts';
import type { ToolFinder } from '../exec/model.ts';
import { fail } from '../failure.ts';
import { folderFiles } from '../plan/files.ts';
import type { Plugin } from '../plugin/api.ts';
import { createHost } from '../plugin/host.ts';
import { loadPlugins } from '../plugin/load.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { TestWorld } from './context.ts';
import type { ModeInput } from './suite.ts';

export interface TestWorldOptions {
  /** Path in the config's folder → content. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Finds the tools that the plugin declares; finds none when absent. */
  readonly finder?: ToolFinder;
}

/** A world with real folders and a real registry client that speaks plain HTTP to loopback; `close` removes the folders. */
export async function createTestWorld(options: TestWorldOptions): Promise<TestWorld & { close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-plugin-'));
  const [root, work] = [join(folder, 'root'), join(folder, 'work')];
  await Promise.all([mkdir(root), mkdir(work)]);
  for (const [path, content] of Object.entries(options.files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const plainHttp = (host: string): boolean => /^(?:127\.0\.0\.1|localhost)(?::|$)/.test(host);
  const credentials = {
    login: async () => ({ ok: true as const, value: undefined }),
    dockerConfigFor: async () => ({ auths: {} }),
  };
  const registry = createRegistry({ plainHttp, mirrors: [], credentials, perHost: 6, retries: 0 });
  return {
    root,
    work,
    plainHttp,
    registry,
    finder: options.finder ?? noTools,
    close: async () => {
      await registry.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const noTools: ToolFinder = {
  find: async ({ name: tool }) =>
    fail({ reason: 'missing-tool', class: 'permanent', tool, message: `the test gives no finder for ${tool}` }),
};

export interface ModeInputRequest {
  readonly plugin: Plugin;
  /** The plugin's own, as `createTestWorld` and the suite got it. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly mode: string;
  /** The config's folder. */
  readonly root: string;
  readonly source: string;
  /** More of the build entry, as `{ options: { entrypoint: ['/app'] } }`. */
  readonly entry?: Partial<BuildEntry>;
  readonly bases?: ModeInput['bases'];
}

/** What `build` gets for an entry with this source, after the mode was asked for its inputs; throws when it refuses. */
export async function modeInput(request: ModeInputRequest): Promise<ModeInput> {
  const { plugin, options = {}, root, source } = request;
  const settings = { folder: root, plugins: [{ name: plugin.name, options }] };
  const loaded = await loadPlugins({ settings, defaults: new Map([[plugin.name, async () => plugin]]) });
  const hosted = loaded.ok ? await createHost(loaded.value, {}) : loaded;
  if (!hosted.ok) throw new Error(hosted.failures.map(({ message }) => message).join('\n'));
  const mode = hosted.value.modes.find(({ name }) => name === request.mode);
  if (mode === undefined) throw new Error(`the plugin ${plugin.name} brings no mode "${request.mode}"`);
  const entry = { ...entryOf(source), ...request.entry };
  const inputs = await mode.inputs(entry, folderFiles(root));
  if (!inputs.ok) throw new Error(inputs.failure.message);
  const platforms = entry.platforms ?? inputs.value.platforms;
  return {
    entry,
    inputs: inputs.value,
    // One at a time, where that is what the core would ask for.
    platforms: mode.perPlatform === true ? platforms.slice(0, 1) : platforms,
    packageRepositories: [],
    bases: request.bases ?? {},
    noCache: false,
  };
}

function entryOf(source: string): BuildEntry {
  const destination = parseReference('registry.example/test/image:1');
  if (!destination.ok || destination.value.kind !== 'tagged') throw new Error('the destination has a tag');
  return {
    kind: 'build',
    id: 'build:registry.example/test/image:1',
    at: { file: 'config.yaml', line: 1, column: 1 },
    targets: [{ destination: destination.value, templated: false }],
    always: false,
    source,
    melangeConfigs: [],
    dockerOptions: {},
    buildOnMainOnly: false,
    options: {},
  };
}
