/** The mode `docker`: Dockerfiles. */
import type { Mode } from '@slipway/core';
import { build } from './build.ts';
import { createBuilders } from './builder.ts';
import { findInputs } from './inputs.ts';
import type { DockerOptions } from './options.ts';

/** `Dockerfile`, `Containerfile`, and either with a suffix, as `Dockerfile.debug`. */
const NAME = /(?:^|\/)(?:Dockerfile|Containerfile)(?:\.(?!dockerignore$)[^/]+)?$/;

export function dockerMode(options: DockerOptions): Mode {
  const builders = createBuilders(options);
  return {
    name: 'docker',
    perPlatform: options.endpoints !== undefined,
    claims: (source) => NAME.test(source),
    inputs: (entry, files) => findInputs(entry, files, options),
    build: (context) => build(context, options, builders),
  };
}
