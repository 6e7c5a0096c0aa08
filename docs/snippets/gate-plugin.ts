/** Refuses images with too many findings, and counts what failed. */
import type { Plugin } from '@slipway/core';

const name = 'gate-example';

const plugin: Plugin = {
  name,
  version: '1.0.0',
  api: '1.0',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: { most: { type: 'integer', minimum: 0, default: 100 } },
  },
  needs: { tools: [] },
  apply(hooks, options) {
    // Checked against the schema above, its default filled in.
    const most = Number(options['most']);
    let failed = 0;
    hooks.gate.tapPromise(name, async ({ scan }) => {
      const count = scan.platforms.reduce((sum, { findings }) => sum + findings.length, 0);
      return count > most ? `${count} findings, and ${most} are the most that are allowed here` : undefined;
    });
    hooks.event.tap(name, (event) => {
      if (event.type === 'task.done' && event.state === 'failed') failed += 1;
    });
    hooks.done.tapPromise(name, async ({ exitCode }) => {
      if (failed > 0) process.stderr.write(`${failed} tasks failed, exit code ${exitCode}\n`);
    });
  },
};

export default plugin;
