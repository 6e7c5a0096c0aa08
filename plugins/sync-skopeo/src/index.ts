/** Copies images between registries with `skopeo`, by digest and without a tag. */
import { implement, type Plugin } from '@slipway/core';
import { copyImage } from './copy.ts';
import { preflight } from './foreign-layers.ts';

const name = 'sync-skopeo';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.1',
  needs: { tools: [{ name: 'skopeo', range: '>=1.9 <2' }] },
  apply(hooks) {
    implement(hooks, 'image.copy@1', name, copyImage);
  },
  preflight,
};

export default plugin;
