/** The live view of a terminal: counts, what is running, and failures as they come. Calm: redrawn at most ten times a second. */
import { createLogUpdate } from 'log-update';
import { liveView, plainLines, type Event } from '@slipway/core';
import type { Io } from '../io.ts';
import type { Reporter } from './index.ts';

/** Milliseconds between two drawings. */
const PACE = 100;

export function liveReporter(io: Io): Reporter {
  const view = liveView();
  const screen = createLogUpdate(process.stderr);
  const draw = (): void => screen(view.lines(Date.now(), Math.max(40, io.columns())).join('\n'));
  const timer = setInterval(draw, PACE);
  timer.unref();
  return {
    event(event: Event) {
      view.event(event);
      if (!isWorthKeeping(event)) return;
      // What failed stays on the screen, above the part that is drawn again.
      screen.clear();
      for (const line of plainLines(event)) io.stderr(`${line}\n`);
    },
    close() {
      clearInterval(timer);
      screen.clear();
      screen.done();
    },
  };
}

function isWorthKeeping(event: Event): boolean {
  return event.type === 'warning' || (event.type === 'task.done' && (event.state === 'failed' || event.state === 'refused'));
}
