/** A real task context for tests of plugins: real tools, real folders, no engine around them. */
import { randomUUID } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DockerConfig, Variables } from '../exec/environment.ts';
import { createExec, findTool } from '../exec/exec.ts';
import type { ToolFinder } from '../exec/model.ts';
import { createRedactor, secretsFromEnv } from '../exec/redact.ts';
import { removeTree } from '../exec/tmp.ts';
import type { Plugin, TaskContext } from '../plugin/api.ts';
import { configFailure, fail, ok } from '../failure.ts';
import type { FetchJson, Registry } from '../registry/model.ts';

export interface TestWorld {
  readonly finder: ToolFinder;
  readonly registry: Registry;
  readonly plainHttp: (host: string) => boolean;
  /** Nothing is answered when absent. */
  readonly fetchJson?: FetchJson;
  /** The config's folder. */
  readonly root: string;
  /** A folder in which contexts make theirs. */
  readonly work: string;
  readonly dockerConfigFor?: (hosts: readonly string[]) => Promise<DockerConfig>;
  /** In place of `process.env`, for what tools may inherit. */
  readonly env?: Variables;
}

export interface ContextRequest extends TestWorld {
  readonly plugin: Pick<Plugin, 'name' | 'needs'>;
  readonly signal?: AbortSignal;
  /** Milliseconds for one tool, 60,000 unless told. */
  readonly timeout?: number;
  readonly onTool?: (name: string, version: string) => void;
}

export interface TestContext extends TaskContext {
  /** What was logged so far. */
  readonly lines: readonly string[];
  /** Removes the task's own folders; `shared` and `cache` stay for the next context of the same plugin. */
  close(): Promise<void>;
}

/** A context as the engine would make it for one task of `plugin`. */
export async function createTestContext(request: ContextRequest): Promise<TestContext> {
  const work = await folder(await realpath(request.work), 'tasks', randomUUID());
  const tmp = await folder(work, 'tmp');
  const files = {
    root: request.root,
    work: await folder(work, 'files'),
    shared: await folder(request.work, 'shared', request.plugin.name),
    cache: await folder(request.work, 'cache', request.plugin.name),
  };
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const signal = request.signal ?? new AbortController().signal;
  const tools = { plugin: request.plugin, hook: 'test', finder: request.finder };
  const env = request.env ?? process.env;
  return {
    exec: createExec({
      ...tools,
      workFolder: files.work,
      tmpFolder: tmp,
      dockerConfigFor: request.dockerConfigFor ?? (async () => ({ auths: {} })),
      redact: createRedactor(secretsFromEnv(env)),
      signal,
      timeout: request.timeout ?? 60_000,
      onTool: request.onTool ?? (() => {}),
      log,
      env,
    }),
    toolVersion: async (tool) => {
      const found = await findTool(tools, tool);
      return found.ok ? ok(found.value.version) : found;
    },
    registry: request.registry,
    files,
    log,
    signal,
    plainHttp: request.plainHttp,
    progress: () => {},
    fetchJson: request.fetchJson ?? (async () => fail(configFailure('this context fetches nothing'))),
    lines,
    close: () => removeTree(work),
  };
}

async function folder(...parts: readonly string[]): Promise<string> {
  const path = join(...parts);
  await mkdir(path, { recursive: true });
  return path;
}
