/** None in the checkout and in the packages: the bundler puts those of the command in the place of this file. */
import type { ValidateFunction } from 'ajv/dist/2020.js';

/** By {@link validatorKey}. */
export const precompiled: ReadonlyMap<string, ValidateFunction> = new Map();
