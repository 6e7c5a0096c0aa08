/** Who shows the events: one reporter a run, on stderr. */
import type { Event } from '@slipway/core';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { liveReporter } from './live.ts';
import { jsonReporter, plainReporter, quietReporter } from './lines.ts';

export interface Reporter {
  event(event: Event): void;
  /** The view is no longer needed: the final table follows. */
  close(): void;
}

export function createReporter(io: Io, progress: Options['progress']): Reporter {
  switch (progress) {
    case 'auto':
      return io.terminal ? liveReporter(io) : plainReporter(io);
    case 'tty':
      return liveReporter(io);
    case 'plain':
      return plainReporter(io);
    case 'json':
      return jsonReporter(io);
    case 'quiet':
      return quietReporter();
  }
}
