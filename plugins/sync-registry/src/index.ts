/** Copies images between registries by itself: no other program, one connection pool, and no blob twice in a run. */
import { implement, type Plugin } from '@slipway/core';
import { copyImage } from './copy.ts';

const name = 'sync-registry';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.1',
  needs: { tools: [] },
  apply(hooks) {
    implement(hooks, 'image.copy@1', name, copyImage);
  },
};

export default plugin;
