/** `diff`: what a sync would do and what it would cost, without doing any of it. */
import { join } from 'node:path';
import {
  createRehearsal,
  diffAll,
  formatDiff,
  formatFailure,
  openElsewhere,
  cancelled,
  type Failure,
} from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { prepare } from '../prepare.ts';
import { VERSION } from '../version.ts';

export interface DiffOptions extends Options {
  /** False: digests alone are compared. */
  readonly cost: boolean;
  /** Differences are exit 1. */
  readonly exitCode: boolean;
}

export async function diffCommand(io: Io, options: DiffOptions): Promise<number> {
  const { json, cost, frozen } = options;
  const signal = deadline(io, options);
  const prepared = await prepare(io, options, 'sync', signal);
  if (!prepared.ok) return refuse(io, json, 'diff', prepared.failures);
  const { config, settings, planned, host, finder, expansions, failed, warnings } = prepared.value;
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  const rehearsal = createRehearsal();
  const opened = await openElsewhere(
    {
      config,
      settings,
      planned,
      host,
      finder,
      env: io.env,
      version: VERSION,
      purpose: 'run',
      signal,
      report: () => {},
      rehearsal,
    },
    join(config.folder, '.slipway'),
  );
  if (!opened.ok) return refuse(io, json, 'diff', [opened.failure]);
  await using session = opened.value;
  const concerned = expansions.filter(({ selection }) => isConcerned(selection.id));
  const found = await diffAll({ engine: session.engine, rehearsal, expansions: frozen ? [] : concerned, cost, signal });
  if (signal.aborted) return refuse(io, json, 'diff', [cancelled]);
  const failures = [...failed.map(({ failure }) => failure), ...found.rows.flatMap(({ failure }) => failure ?? [])];
  for (const failure of new Set<Failure>(failures)) io.stderr(`${formatFailure(failure, undefined, io.cwd)}\n`);
  const differs = found.rows.some(({ kind }) => kind !== 'same');
  const exitCode = failures.length > 0 || (options.exitCode && differs) ? EXIT.failed : EXIT.done;
  const { rows, ...rest } = found;
  return answer(io, json, 'diff', exitCode, { entries: rows, ...rest }, () => formatDiff(found));

  /** One that `--only` leaves out gave no entry that is looked at. */
  function isConcerned(id: string): boolean {
    return (
      options.only.length + options.exclude.length === 0 ||
      failed.some(({ selection }) => selection.id === id) ||
      planned.plan.entries.some(({ id: entry }) => {
        const of = planned.entries.get(entry);
        return of?.kind === 'sync' && of.selection === id;
      })
    );
  }
}
