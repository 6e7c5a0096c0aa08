/** What a plugin gets for one task: a folder, tools, and a log that tells no secrets. And which tools were started so. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config/settings-model.ts';
import type { DockerConfig, Variables } from '../exec/environment.ts';
import { createExec, findTool } from '../exec/exec.ts';
import type { ToolFinder, UsedTool } from '../exec/model.ts';
import type { Redactor } from '../exec/redact.ts';
import { createWorkFolders } from '../exec/work-folders.ts';
import { ok } from '../failure.ts';
import { sayable } from '../plugin/answer.ts';
import type { Host } from '../plugin/host.ts';
import type { FetchJson, Registry } from '../registry/model.ts';
import type { Engine } from './engine.ts';
import { tellProgress } from './progress.ts';

export interface ContextOptions {
  readonly host: Host;
  readonly finder: ToolFinder;
  readonly settings: Settings;
  readonly env: Variables;
  readonly redact: Redactor;
  readonly registry: Registry;
  readonly plainHttp: (host: string) => boolean;
  readonly fetchJson: FetchJson;
  /** With the logins for these hosts, as far as the run's repositories need them. */
  readonly dockerConfigFor: (hosts: readonly string[]) => Promise<DockerConfig>;
  readonly emit: Engine['emit'];
  /** The config's folder. */
  readonly root: string;
  /** Where plugins keep what later runs may use. */
  readonly work: string;
  /** This process's own, which goes with it. */
  readonly tmp: string;
}

export interface Contexts {
  readonly open: Engine['context'];
  /** How often each external tool was started. */
  tools(): readonly (UsedTool & { readonly started: number })[];
}

export function createContexts(options: ContextOptions): Contexts {
  const { host, finder, settings, env, redact, emit, root, tmp } = options;
  const { registry, plainHttp, fetchJson, dockerConfigFor } = options;
  const workFolders = createWorkFolders(tmp);
  const started = new Map<string, UsedTool & { started: number }>();

  const open: Engine['context'] = async (task, contract, signal, part) => {
    const owner = contract.startsWith('image.build@1/')
      ? host.modeOwner(contract.slice('image.build@1/'.length))
      : host.owner(contract);
    const plugin = owner?.plugin ?? { name: 'none', needs: { tools: [] } };
    const work = workFolders.take();
    const shared = join(tmp, `plugin-${folderName(plugin.name)}`);
    const cache = join(options.work, folderName(plugin.name));
    for (const folder of [shared, cache]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const used = new Map<string, UsedTool>();
    const log = (text: string): void => {
      const line = sayable(part === undefined ? text : `${part}: ${text}`, redact);
      emit({ type: 'task.log', task: task.id, line });
    };
    const onTool = (name: string, version: string): void => {
      const tool = { name, version };
      used.set(name, tool);
      const before = started.get(name);
      if (before === undefined) started.set(name, { ...tool, started: 1 });
      else before.started += 1;
      emit({ type: 'task.tool', task: task.id, tool: name, version });
    };
    return {
      exec: createExec({
        ...{ plugin, hook: contract, finder, dockerConfigFor, redact, signal, onTool, log, env },
        workFolder: work,
        tmpFolder: work,
        timeout: settings.limits.task,
      }),
      async toolVersion(tool) {
        const found = await findTool({ plugin, hook: contract, finder }, tool);
        return found.ok ? ok(found.value.version) : found;
      },
      ...{ registry, log, signal, plainHttp, fetchJson },
      files: { root, work, shared, cache },
      progress: tellProgress((bytes) => emit({ type: 'task.progress', task: task.id, bytes })),
      toolsUsed: () => [...used.values()],
      async [Symbol.asyncDispose]() {
        await workFolders.giveBack(work);
      },
    };
  };

  return { open, tools: () => [...started.values()] };
}

/** A package's name has a scope and a slash; a folder's has not. */
function folderName(plugin: string): string {
  return plugin.replaceAll(/[^a-zA-Z0-9._-]/g, '_');
}
