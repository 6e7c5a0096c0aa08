/** Scans images with trivy, and lists their packages from the same pull. */
import { implement, type Plugin } from '@slipway/core';
import { parseOptions, optionsSchema } from './options.ts';
import { createScanner } from './scanner.ts';

const name = 'scan-trivy';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.1',
  options: optionsSchema,
  needs: { tools: [{ name: 'trivy', range: '>=0.70 <1' }] },
  apply(hooks, options) {
    const scanner = createScanner(parseOptions(options));
    implement(hooks, 'image.scan@1', name, scanner.scan);
    implement(hooks, 'sbom.make@1', name, scanner.sbom);
  },
};

export default plugin;
