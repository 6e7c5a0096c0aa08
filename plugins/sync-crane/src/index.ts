/** Copies images between registries with `crane`, by digest and without a tag. */
import { implement, type Plugin } from '@slipway/core';
import { copyImage } from './copy.ts';

const name = 'sync-crane';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.0',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      jobs: {
        type: 'integer',
        minimum: 1,
        maximum: 64,
        default: 4,
        description: 'Blobs and child images that one copy transfers at once.',
      },
    },
  },
  needs: { tools: [{ name: 'crane', range: '>=0.20 <1' }] },
  apply(hooks, options) {
    const jobs = typeof options['jobs'] === 'number' ? options['jobs'] : 4;
    implement(hooks, 'image.copy@1', name, (input, context) => copyImage(input, context, jobs));
  },
};

export default plugin;
