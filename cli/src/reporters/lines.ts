/** Reporters without a screen: a line an event. */
import { plainView } from '@slipway/core';
import type { Io } from '../io.ts';
import type { Reporter } from './index.ts';

export function plainReporter({ stderr }: Io): Reporter {
  const view = plainView();
  return {
    event(event) {
      for (const line of view.lines(event)) stderr(`${line}\n`);
    },
    close() {},
  };
}

/** NDJSON, the journal's own lines: `slipway schema --of events`. */
export function jsonReporter({ stderr }: Io): Reporter {
  return {
    event(event) {
      stderr(`${JSON.stringify(event)}\n`);
    },
    close() {},
  };
}

export function quietReporter(): Reporter {
  return { event() {}, close() {} };
}
