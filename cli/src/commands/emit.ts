/** `emit`: the files that run the plan elsewhere, as workflows of GitHub Actions, written, or compared with those that are there. */
import { dirname, relative, resolve, sep } from 'node:path';
import { configFailure, emitContext, emitPlan, fail, ok, planJson } from '@slipway/core';
import type { Checked, ConfigFailure, EmitOutput, Result } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { compareFiles, formatDrift, writeFiles } from '../emitted-files.ts';
import type { Io } from '../io.ts';
import { readSettings } from '../load.ts';
import type { Options } from '../options.ts';
import { whyNobodyCounts } from '../preflight.ts';
import { prepare } from '../prepare.ts';
import { isWithin } from '../write-file.ts';

export interface EmitOptions extends Options {
  readonly check: boolean;
  /** The format with a dot before it when absent. */
  readonly dir?: string;
  readonly split: boolean;
}

export async function emitCommand(io: Io, options: EmitOptions, format: string): Promise<number> {
  const command = format === 'github' ? 'emit github' : 'emit';
  const emitted = await emit(io, options, format);
  if (!emitted.ok) return refuse(io, options.json, command, emitted.failures);
  const folder = resolve(io.cwd, options.dir ?? `.${format}`);
  const changes = compareFiles(io.cwd, folder, emitted.value, format);
  const drifted = changes.filter(({ state }) => state !== 'same');
  if (!options.check) {
    const failure = writeFiles(io.cwd, folder, emitted.value, changes);
    if (failure !== undefined) return refuse(io, options.json, command, [failure]);
  }
  const files = changes.map(({ path, state }) => ({ path, state }));
  const exitCode = options.check && drifted.length > 0 ? EXIT.failed : EXIT.done;
  return answer(io, options.json, command, exitCode, { files }, () =>
    options.check ? formatDrift(drifted) : changes.map(({ path, state }) => `${state} ${path}\n`).join(''),
  );
}

/** Of the plan on the main branch, whatever branch this is, and without a commit's name in it. */
export async function emit(
  io: Io,
  options: Pick<EmitOptions, 'config' | 'settings' | 'split'>,
  format: string,
): Promise<Checked<EmitOutput['files']>> {
  const settings = await readSettings(io, options, dirname(resolve(io.cwd, options.config)));
  if (!settings.ok) return settings;
  // What a plan asks of the branch and the commit is read from these variables first, on every machine.
  const onMain = { ...io.env, GITHUB_REF: `refs/heads/${settings.value.main}`, GITHUB_SHA: '0'.repeat(40) };
  const whole = { ...defaults, ...options, only: [], exclude: [] };
  const prepared = await prepare({ ...io, env: onMain }, whole, 'plan');
  if (!prepared.ok) return prepared;
  for (const warning of prepared.value.warnings) io.stderr(`warning: ${warning}\n`);
  const paths = pathsFromRoot(io, options);
  if (!paths.ok) return { ok: false, failures: [paths.failure] };
  const { planned, host, config: loaded } = prepared.value;
  const emitted = await emitPlan(
    host,
    format,
    {
      plan: planJson(planned.plan, loaded.selections, loaded.folder),
      context: emitContext(prepared.value.settings, paths.value),
      split: options.split,
    },
    { root: loaded.folder, log: (line) => io.stderr(`${line}\n`), signal: io.interrupt },
  );
  if (!emitted.ok) return { ok: false, failures: [emitted.failure] };
  const unsigned = whyNobodyCounts(prepared.value);
  if (unsigned !== undefined) {
    const what = `${unsigned.message}, so that these workflows would end with exit code 2`;
    io.stderr(`warning: ${what}: ${unsigned.hint}\n`);
  }
  const { files, warnings = [] } = emitted.value;
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  return { ok: true, value: files };
}

const defaults = { json: false, progress: 'quiet', frozen: false, fail: 'subgraph' } as const;

/** As a workflow names them, which runs in the root of the checkout. */
function pathsFromRoot(
  { cwd }: Io,
  { config, settings }: Pick<EmitOptions, 'config' | 'settings'>,
): Result<Parameters<typeof emitContext>[1], ConfigFailure> {
  const outside = [config, settings].find((file) => file !== undefined && !isWithin(resolve(cwd, file), cwd));
  if (outside !== undefined) {
    const hint = 'run it in the root of the checkout, as a workflow does';
    return fail(configFailure(`${outside} is outside of the folder that this runs in`, hint));
  }
  const fromRoot = (file: string): string => relative(cwd, resolve(cwd, file)).replaceAll(sep, '/');
  return ok({ config: fromRoot(config), ...(settings === undefined ? {} : { settings: fromRoot(settings) }) });
}
