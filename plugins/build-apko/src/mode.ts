/** The mode `apko`: YAML files that describe an image of Alpine packages. */
import { ok, type Mode } from '@slipway/core';
import { build, prepare } from './build.ts';
import { resolvedPackages } from './lock.ts';
import { findInputs } from './sources.ts';

export const apkoMode: Mode = {
  name: 'apko',
  claims: (source) => /\.ya?ml$/.test(source) && !/(?:^|\/)(?:Docker|Container)file(?:\.[^/]*)?$/.test(source),
  inputs: findInputs,
  resolve: async (context) => {
    const prepared = await prepare(context);
    return prepared.ok ? ok(resolvedPackages(prepared.value.lock)) : prepared;
  },
  build,
};
