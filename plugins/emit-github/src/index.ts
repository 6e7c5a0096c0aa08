/** Writes the workflows that run a plan in GitHub Actions. */
import { implement, type Plugin } from '@slipway/core';
import { emit } from './emit.ts';

const name = 'emit-github';
const RUNS_ON = 'ubuntu-24.04';
/** Monday, in the night of most; GitHub is late at full hours. */
const SCHEDULE = '23 4 * * 1';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.1',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      runsOn: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
        maxLength: 100,
        default: RUNS_ON,
        description: "Label of the machines: Linux with git, Go and Docker, as GitHub's own have them.",
      },
      schedule: {
        type: 'string',
        pattern: '^[0-9*/,-]+(?: [0-9A-Za-z*/,-]+){4}$',
        maxLength: 100,
        default: SCHEDULE,
        description: 'When all is synced, built and scanned without a push: minute, hour, day, month, weekday, in UTC.',
      },
    },
  },
  needs: { tools: [] },
  apply(hooks, options) {
    const text = (key: string, usual: string): string => {
      const value = options[key];
      return typeof value === 'string' ? value : usual;
    };
    const chosen = { runsOn: text('runsOn', RUNS_ON), schedule: text('schedule', SCHEDULE) };
    implement(hooks, 'plan.emit@1', name, async (input) => emit(input, chosen), 'github');
  },
};

export default plugin;
