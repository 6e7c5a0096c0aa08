/** Who shows the events: one reporter a run, on stderr. */
import type { Event, GithubViewOptions } from '@slipway/core';
import { workspaceOf } from '../actions.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { githubReporter } from './github.ts';
import { jsonReporter, plainReporter, quietReporter } from './lines.ts';

export interface Reporter {
  event(event: Event): void;
  /** The view is no longer needed: the final table follows. */
  close(): void;
}

/** `usual`: milliseconds that a task took in earlier runs; `placeOf`: the line of the config that an entry stands on. */
export async function createReporter(
  io: Io,
  progress: Options['progress'],
  usual: (task: string) => number | undefined,
  placeOf: GithubViewOptions['placeOf'] = () => undefined,
): Promise<Reporter> {
  switch (progress) {
    case 'auto':
      if (io.workflow !== undefined) return githubReporter(io.workflow, { workspace: workspaceOf(io), placeOf });
      return io.terminal ? live(io, usual) : plainReporter(io);
    case 'tty':
      return live(io, usual);
    case 'plain':
      return plainReporter(io);
    case 'json':
      return jsonReporter(io);
    case 'quiet':
      return quietReporter();
  }
}

/** What draws on a terminal is loaded only where there is one. */
async function live(io: Io, usual: (task: string) => number | undefined): Promise<Reporter> {
  return (await import('./live.ts')).liveReporter(io, usual);
}
