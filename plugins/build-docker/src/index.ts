/** Builds images from Dockerfiles with buildx. */
import type { Plugin } from '@slipway/core';
import { inheritedVariables } from './builder.ts';
import { dockerMode } from './mode.ts';
import { optionsSchema, parseOptions } from './options.ts';
import { preflight } from './preflight.ts';

const plugin: Plugin = {
  name: 'build-docker',
  version: '0.1.0',
  api: '1.0',
  options: optionsSchema,
  needs: { tools: [{ name: 'buildx', range: '>=0.20 <1' }], env: inheritedVariables },
  preflight,
  apply(hooks, options) {
    const mode = dockerMode(parseOptions(options));
    hooks.mode.tapPromise('build-docker', async (modes) => modes.add(mode));
  },
};

export default plugin;
