/** What the schemas of the plugin API are made of. */
import type { JsonSchema } from './api.ts';

export const text: JsonSchema = { type: 'string', minLength: 1 };
export const count: JsonSchema = { type: 'integer', minimum: 0 };
export const time: JsonSchema = {
  type: 'string',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$',
};

export function list(items: JsonSchema, minItems = 0): JsonSchema {
  return { type: 'array', items, ...(minItems === 0 ? {} : { minItems }) };
}

/** An object of these properties and no other; names ending in `?` may be absent. */
export function record(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const named = Object.entries(properties).map(([name, schema]) => [name.replace(/\?$/, ''), schema] as const);
  const required = Object.keys(properties).filter((name) => !name.endsWith('?'));
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(named), required };
}

/** An object of these properties, and perhaps others. */
export function open(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const { additionalProperties: _, ...rest } = record(properties);
  return rest;
}
