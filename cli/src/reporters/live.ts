/** The live view of a terminal: counts, what is running, and failures as they come. Calm: redrawn at most ten times a second. */
import { liveView, plainView, type Event } from '@slipway/core';
import type { Io } from '../io.ts';
import type { Reporter } from './index.ts';
import { createScreen } from './screen.ts';

/** Milliseconds between two drawings. */
const PACE = 100;

/** `usual`: milliseconds that a task took in earlier runs, for the estimate. */
export function liveReporter(io: Io, usual: (task: string) => number | undefined): Reporter {
  const view = liveView(usual);
  const plain = plainView();
  const screen = createScreen(io);
  // A terminal breaks a line that fills its last column.
  const draw = (): void => screen.draw(view.lines(Date.now(), Math.max(20, io.columns() - 1)));
  const timer = setInterval(draw, PACE);
  timer.unref();
  return {
    event(event: Event) {
      view.event(event);
      const lines = plain.lines(event);
      // What failed stays on the screen, above the part that is drawn again.
      if (isWorthKeeping(event) && lines.length > 0) screen.keep(lines);
    },
    close() {
      clearInterval(timer);
      screen.clear();
    },
  };
}

function isWorthKeeping(event: Event): boolean {
  return (
    event.type === 'warning' ||
    event.type === 'task.retry' ||
    (event.type === 'task.done' && (event.state === 'failed' || event.state === 'refused'))
  );
}
