/** Builds Alpine packages from melange's YAML files. */
import { implement, type Plugin } from '@slipway/core';
import { createBuilder } from './build.ts';
import { optionsSchema, parseOptions } from './options.ts';
import { preflight } from './preflight.ts';
import { runnerVariables } from './runner.ts';

const name = 'build-melange';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.0',
  options: optionsSchema,
  needs: { tools: [{ name: 'melange', range: '>=0.50 <1' }], env: runnerVariables },
  apply(hooks, options) {
    implement(hooks, 'package.build@1', name, createBuilder(parseOptions(options)));
  },
  preflight,
};

export default plugin;
