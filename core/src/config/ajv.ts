/**
 * Ajv, loaded when a schema must be compiled, and validators that come compiled: none here. The bundler of the command puts a
 * file of its own in the place of this one, with a validator for each schema that every command needs.
 */
import { createRequire } from 'node:module';
import type { Ajv2020 } from 'ajv/dist/2020.js';

/** By `validatorKey`; they only know yes and no. */
export const precompiled: ReadonlyMap<string, (data: unknown) => boolean> = new Map();

export function loadAjv(): typeof Ajv2020 {
  const module = createRequire(import.meta.url)('ajv/dist/2020.js') as { readonly Ajv2020: typeof Ajv2020 };
  return module.Ajv2020;
}
