/** Where the events of a run go: first into its journal, then to whoever shows the run, then to the plugins. */
import { configFailure, type Failure } from '../failure.ts';
import type { Event, UntimedEvent } from '../journal/events.ts';
import type { Journal } from '../journal/journal.ts';
import { stateFailure } from './state-failure.ts';

export interface Recorder {
  /** Adds the time of now. */
  readonly emit: (event: UntimedEvent) => void;
  /** Why the journal does not hold everything that was emitted, as on a full disk. */
  readonly unrecorded: () => Failure | undefined;
}

export interface RecorderOptions {
  readonly journal: Journal;
  readonly now: () => Date;
  /** Shows the run to people. */
  readonly report: (event: Event) => void;
  readonly plugins: (event: Event) => void;
}

export function createRecorder({ journal, now, report, plugins }: RecorderOptions): Recorder {
  let unrecorded: Failure | undefined;
  /**
   * Commands that only look may emit warnings too, but never `run.start`, and must leave no journal behind. So events from before
   * `run.start` wait here until it comes.
   */
  let early: Event[] | undefined = [];

  function record(event: Event): void {
    if (event.type === 'run.start') {
      for (const one of early ?? []) journal.write(one);
      early = undefined;
    }
    if (early === undefined) journal.write(event);
    else early.push(event);
  }

  return {
    unrecorded: () => unrecorded,
    emit(untimed) {
      const event: Event = { t: now().getTime(), ...untimed };
      try {
        // How far a copy has come is of no use later.
        if (unrecorded === undefined && event.type !== 'task.progress') record(event);
      } catch (error) {
        // A full disk ends the record of this run but not the run: from here on only tags do not move (`steps/tag.ts`).
        unrecorded = stateFailure(error) ?? configFailure(String(error), 'see who may write to .slipway/runs');
        const message = `this run is not recorded any further: ${unrecorded.message}`;
        report({ t: event.t, type: 'warning', message });
      }
      report(event);
      plugins(event);
    },
  };
}
