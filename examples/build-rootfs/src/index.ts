/** Builds an image of a folder or a TAR archive. */
import type { Plugin } from '@slipway/core';
import { rootfsMode } from './mode.ts';

const plugin: Plugin = {
  name: 'build-rootfs',
  version: '0.1.0',
  api: '1.0',
  needs: { tools: [] },
  apply(hooks) {
    hooks.mode.tapPromise('build-rootfs', async (modes) => modes.add(rootfsMode));
  },
};

export default plugin;
