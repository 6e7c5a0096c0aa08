/** Lists the packages of images with syft, for those who want another eye than the scanner's. */
import { implement, type Plugin } from '@slipway/core';
import { makeSboms } from './sbom.ts';

const name = 'sbom-syft';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.0',
  needs: { tools: [{ name: 'syft', range: '>=1.20 <2' }] },
  apply(hooks) {
    implement(hooks, 'sbom.make@1', name, makeSboms);
  },
};

export default plugin;
