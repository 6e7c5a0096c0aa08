import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { configSchema } from './config-schema.ts';
import { isFields } from './fields.ts';
import { modeProperties } from './fixtures.ts';
import { contractNames } from '../plugin/schemas.ts';
import { settingsSchema } from './settings-schema.ts';

const config = configSchema(modeProperties);
const settings = settingsSchema({
  'scan-trivy': { type: 'object', additionalProperties: false, properties: { db: { type: 'string' } } },
});

/** Names of properties anywhere in a schema that have no title or description. */
function undescribed(schema: unknown, name = ''): readonly string[] {
  if (!isFields(schema)) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => {
    if (keyword === 'items') return [...missing(value, `${name}[]`), ...undescribed(value, `${name}[]`)];
    if (keyword !== 'properties' && keyword !== 'patternProperties') return [];
    return Object.entries(Object(value)).flatMap(([key, each]) => [
      ...missing(each, `${name}.${key}`),
      ...undescribed(each, `${name}.${key}`),
    ]);
  });
}

function missing(schema: unknown, name: string): readonly string[] {
  return isFields(schema) && typeof schema['title'] === 'string' && typeof schema['description'] === 'string'
    ? []
    : [name];
}

test.each([
  ['config', config],
  ['settings', settings],
])('%s: every property has a title and a description, and the schema is valid and strict', (_, schema) => {
  expect(undescribed(schema)).toEqual([]);
  expect(schema['title']).toBeTypeOf('string');
  const ajv = new Ajv2020({ allowUnionTypes: true, strictRequired: false });
  expect(ajv.validateSchema(schema)).toBe(true);
  expect(() => ajv.compile(schema)).not.toThrow();
});

test('keys of modes are in the schema of build entries; two modes may share one; none replaces a key of the core', () => {
  const check = new Ajv2020({ strict: false }).compile(
    configSchema({ a: { x: { type: 'string' }, source: { type: 'number' } }, b: { x: { type: 'number' } } }),
  );
  const build = (extra: object) => check({ build: [{ source: 's', destination: 'd', ...extra }] });
  expect([build({ x: 'text' }), build({ x: 1 }), build({ x: true }), build({ y: 1 }), build({ source: 1 })]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('options of known plugins are checked, those of others are free', () => {
  const check = new Ajv2020({ strict: false }).compile(settings);
  const plugin = (name: string, options: object) => check({ plugins: [{ name, options }] });
  expect([plugin('scan-trivy', { db: 'x' }), plugin('scan-trivy', { bd: 'x' }), plugin('mine', { bd: 1 })]).toEqual([
    true,
    false,
    true,
  ]);
  expect(check({ plugins: ['scan-trivy'] })).toBe(true);
});

test('"use" decides for every contract that plugins may implement', () => {
  const { use } = settings['properties'] as Readonly<Record<'use', { readonly properties: object }>>;
  const names = contractNames.map((name) => name.slice(0, name.indexOf('@'))).filter((name) => name !== 'image.build');
  expect(Object.keys(use.properties).toSorted()).toEqual(names.toSorted());
});
