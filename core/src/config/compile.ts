/** JSON Schemas to validators. Those that every command needs come with it, since compiling them takes longer than most commands. */
import { createHash } from 'node:crypto';
import type { Ajv2020, ErrorObject, Options } from 'ajv/dist/2020.js';
import type { JsonSchema } from '../plugin/api.ts';
import { loadAjv, precompiled } from './ajv.ts';

/** How strictly a schema is taken, and what its validator does and tells. */
export const manners = {
  /** For files that people write: every error, with its surroundings. Modes and plugins add schemas that strict mode may not like. */
  document: {
    allErrors: true,
    verbose: true,
    strict: false,
    logger: false,
    validateFormats: false,
    addUsedSchema: false,
  },
  /** For plugins' options: defaults are filled in. Two plugins may have copied one `$id`. */
  options: {
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    useDefaults: true,
    addUsedSchema: false,
  },
  /** For what crosses the border between core and plugins: the first error is enough. */
  answer: { strict: true, strictRequired: false, allowUnionTypes: true },
} as const satisfies Readonly<Record<string, Options>>;

export type Manner = keyof typeof manners;

const compilers = new Map<Manner, Ajv2020>();

/** Making an Ajv costs as much as a large schema: there is one of each kind. */
export function compilerFor(manner: Manner): Ajv2020 {
  let compiler = compilers.get(manner);
  if (compiler === undefined) {
    const Ajv = loadAjv();
    compiler = new Ajv(manners[manner]);
    compilers.set(manner, compiler);
  }
  return compiler;
}

/** Says whether data is valid; if not, `errors` says why. */
export interface Validate {
  (data: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

/** Throws when the schema itself is wrong. */
export function compile(manner: Manner, schema: JsonSchema): Validate {
  const quick = precompiled.size === 0 ? undefined : precompiled.get(validatorKey(manner, schema));
  return quick === undefined ? compilerFor(manner).compile(schema) : inTwoSteps(quick, manner, schema);
}

/** What comes compiled only knows yes and no: the words are for those who need them. */
function inTwoSteps(isValid: (data: unknown) => boolean, manner: Manner, schema: JsonSchema): Validate {
  let whole: Validate | undefined;
  const validate: Validate = (data) => {
    if (isValid(data)) return true;
    whole ??= compilerFor(manner).compile(schema);
    const valid = whole(data);
    validate.errors = whole.errors ?? null;
    return valid;
  };
  return validate;
}

/** How a validator is made that only knows yes and no. */
export function quickManner(manner: Manner): Options {
  return { ...manners[manner], allErrors: false, verbose: false, messages: false };
}

export function validatorKey(manner: Manner, schema: JsonSchema): string {
  return `${manner} ${createHash('sha256').update(JSON.stringify(schema)).digest('hex')}`;
}
