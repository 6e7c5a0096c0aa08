/** Builds images of Go programs, by ko. */
import { parseReference, type Plugin } from '@slipway/core';
import { koMode } from './mode.ts';

const plugin: Plugin = {
  name: 'build-ko',
  version: '0.1.0',
  api: '1.0',
  options: {
    type: 'object',
    additionalProperties: false,
    required: ['base'],
    properties: {
      base: {
        type: 'string',
        minLength: 1,
        description:
          'The image that programs are laid on, as cgr.dev/chainguard/static:latest; the destination of an entry, too.',
      },
      ldflags: { type: 'string', default: '', description: "Flags of Go's linker, as -s -w." },
    },
  },
  needs: {
    tools: [{ name: 'ko', range: '>=0.18 <1' }],
    // Where Go takes modules from, and what it keeps of them.
    env: ['GOCACHE', 'GOMODCACHE', 'GONOPROXY', 'GONOSUMDB', 'GOPRIVATE', 'GOPROXY', 'GOSUMDB'],
  },
  apply(hooks, options) {
    const base = parseReference(String(options['base']));
    if (!base.ok) throw new Error(`options.base: ${base.failure.message}`);
    const mode = koMode({ text: String(options['base']), reference: base.value }, String(options['ldflags']));
    hooks.mode.tapPromise('build-ko', async (modes) => modes.add(mode));
  },
};

export default plugin;
