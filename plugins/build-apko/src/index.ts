/** Builds images from apko's YAML files. */
import type { Plugin } from '@slipway/core';
import { apkoMode } from './mode.ts';

const plugin: Plugin = {
  name: 'build-apko',
  version: '0.1.0',
  api: '1.0',
  options: { type: 'object', additionalProperties: false, properties: {} },
  needs: { tools: [{ name: 'apko', range: '>=1.2 <2' }] },
  apply(hooks) {
    hooks.mode.tapPromise('build-apko', async (modes) => modes.add(apkoMode));
  },
};

export default plugin;
