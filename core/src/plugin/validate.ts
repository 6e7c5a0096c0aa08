/** JSON Schema checks of what crosses the border between core and plugins. */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { compile, type Validate } from '../config/compile.ts';
import { nearest } from '../config/suggest.ts';
import type { JsonSchema } from './api.ts';

/** `undefined`: valid; otherwise one sentence's end on the first thing that is wrong, as `findings/0/severity must be …`. */
export type Check = (value: unknown) => string | undefined;

const checks = new WeakMap<JsonSchema, Check>();

/** Compiled once a schema, on first use: most runs need few of them. Throws when the schema itself is wrong. */
export function checkOf(schema: JsonSchema): Check {
  const known = checks.get(schema);
  if (known !== undefined) {
    return known;
  }
  const validate = compile('answer', schema);
  const check: Check = (value) => (validate(value) ? undefined : wording(validate, validate.errors?.[0]));
  checks.set(schema, check);
  return check;
}

export type OptionsCheck =
  | { readonly kind: 'ok'; readonly options: Readonly<Record<string, unknown>> }
  | { readonly kind: 'options'; readonly problems: readonly { readonly message: string; readonly hint?: string }[] }
  | { readonly kind: 'schema'; readonly message: string };

/** Checks a plugin's options and fills in the defaults of its schema; all problems at once. The options are not changed. */
export function checkOptions(schema: JsonSchema, options: Readonly<Record<string, unknown>>): OptionsCheck {
  let validate: Validate;
  try {
    validate = compile('options', schema);
  } catch (error) {
    return {
      kind: 'schema',
      message: error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'it cannot be read',
    };
  }
  const copy = structuredClone(options);
  if (validate(copy)) {
    return { kind: 'ok', options: copy };
  }
  const problems = (validate.errors ?? []).map((error) => {
    const hint = suggestion(schema, error);
    return { message: wording(validate, error), ...(hint === undefined ? {} : { hint }) };
  });
  return { kind: 'options', problems };
}

function wording(validate: Validate, error: ErrorObject | undefined): string {
  if (error === undefined) {
    return 'is not valid';
  }
  const at = error.instancePath === '' ? 'it' : `"${error.instancePath.slice(1)}"`;
  const params: Readonly<Record<string, unknown>> = error.params;
  if (error.keyword === 'additionalProperties') {
    return `${at} has an unknown property "${String(params['additionalProperty'])}"`;
  }
  if (error.keyword === 'enum' && Array.isArray(params['allowedValues'])) {
    return `${at} must be one of ${params['allowedValues'].join(', ')}`;
  }
  if (error.keyword === 'const') {
    return `${at} must be ${JSON.stringify(params['allowedValue'])}`;
  }
  if (error.keyword === 'false schema') {
    return `${at} is not allowed beside the others`;
  }
  return `${at} ${error.message ?? `is not valid (${validate.errors?.length ?? 0} errors)`}`;
}

function suggestion(schema: JsonSchema, error: ErrorObject): string | undefined {
  if (error.keyword !== 'additionalProperties' || error.instancePath !== '') {
    return undefined;
  }
  const params: Readonly<Record<string, unknown>> = error.params;
  const properties = schema['properties'];
  const known = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  const near = nearest(String(params['additionalProperty']), known);
  if (near !== undefined) {
    return `did you mean "${near}"?`;
  }
  return known.length === 0 ? 'this plugin has no options' : `it knows ${known.map((name) => `"${name}"`).join(', ')}`;
}
