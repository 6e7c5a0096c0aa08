/** The plugin: who it is, what it needs, and the mode that it brings. */
import type { Plugin } from '@slipway/core';
import { exampleMode } from './mode.ts';

const plugin: Plugin = {
  name: 'build-example',
  version: '0.1.0',
  api: '1.0',
  options: { type: 'object', additionalProperties: false, properties: {} },
  // Programs that it starts, as { name: 'ko', range: '>=0.18 <1' }.
  needs: { tools: [] },
  apply(hooks) {
    hooks.mode.tapPromise('build-example', async (modes) => modes.add(exampleMode));
  },
};

export default plugin;
