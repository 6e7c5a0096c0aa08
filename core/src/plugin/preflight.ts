/** Asks the plugins what this machine lacks for a plan, before anything runs. */
import type { Failure } from '../failure.ts';
import { pluginFailure, readFailure, thrown } from './answer.ts';
import type { PreflightRequest } from './api.ts';
import type { HookLimits } from './hooks.ts';
import type { LoadedPlugin } from './load.ts';
import { Late, within } from './patience.ts';

interface Guard {
  readonly redact: (text: string) => string;
  readonly limits: HookLimits;
}

/** All failures, in the order of the plugins. `ownerOf`: contract → name of the plugin that owns it. */
export async function askPreflight(
  plugins: readonly LoadedPlugin[],
  ownerOf: (contract: string) => string | undefined,
  guard: Guard,
  { tasks, root, env }: Pick<PreflightRequest, 'tasks' | 'root' | 'env'>,
): Promise<readonly Failure[]> {
  const answers = plugins.map(async (loaded) => {
    const own = tasks.filter(({ contract }) => ownerOf(contract) === loaded.plugin.name);
    return own.length === 0 ? [] : askOne(loaded, guard, { tasks: own, options: loaded.options, root, env });
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
    // Copies: a plugin that changes what it is asked must not change the plan.
    const answer = await within(
      plugin.preflight?.({ ...request, tasks: structuredClone(request.tasks) }) ?? [],
      limits.tap,
    );
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
