/** Asks the plugins what this machine lacks for a plan, before anything runs. */
import type { Failure, Position } from '../failure.ts';
import { pluginFailure, readFailure, thrown } from './answer.ts';
import type { PlannedTask, PreflightRequest } from './api.ts';
import type { HookLimits } from './hooks.ts';
import type { LoadedPlugin } from './load.ts';
import { Late, within } from './patience.ts';

interface Guard {
  readonly redact: (text: string) => string;
  readonly limits: HookLimits;
}

/** What all plugins are asked about. `at`: id of an entry → its line of the config. */
export interface PreflightTasks extends Pick<PreflightRequest, 'root' | 'env'> {
  readonly tasks: readonly (PlannedTask & { readonly entry?: string | null })[];
  readonly at?: (entry: string) => Position | undefined;
}

/** All failures, in the order of the plugins. `ownerOf`: contract → name of the plugin that owns it. */
export async function askPreflight(
  plugins: readonly LoadedPlugin[],
  ownerOf: (contract: string) => string | undefined,
  guard: Guard,
  { tasks, at = () => undefined, root, env }: PreflightTasks,
): Promise<readonly Failure[]> {
  const answers = plugins.map(async (loaded) => {
    const own = tasks.filter(({ contract }) => ownerOf(contract) === loaded.plugin.name);
    if (own.length === 0 || loaded.plugin.preflight === undefined) return [];
    // Copies: a plugin that changes what it is asked must not change the plan.
    const placed = structuredClone(own).map((task) => {
      const place = at(task.entry ?? '');
      return place === undefined ? task : { ...task, at: { ...place } };
    });
    return askOne(loaded, guard, { tasks: placed, options: loaded.options, root, env });
  });
  return (await Promise.all(answers)).flat();
}

async function askOne(
  { plugin }: LoadedPlugin,
  { redact, limits }: Guard,
  request: PreflightRequest,
): Promise<readonly Failure[]> {
  const author = { plugin: plugin.name, hook: 'preflight' };
  try {
    const answer = await within(plugin.preflight?.(request) ?? [], limits.tap);
    if (!Array.isArray(answer)) return [pluginFailure(author, 'gave no list of failures')];
    return answer.map((failure: unknown) => readFailure(author, failure, redact));
  } catch (error) {
    return [
      error instanceof Late
        ? pluginFailure(author, 'did not end within its time limit')
        : thrown(author, error, redact),
    ];
  }
}
