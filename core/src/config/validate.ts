/** Checks a document against a JSON Schema and says what is wrong in words, each at its place. */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { configFailure, type ConfigFailure } from '../failure.ts';
import type { JsonSchema } from '../plugin/api.ts';
import { compile, type Validate } from './compile.ts';
import type { Document, Path } from './document.ts';
import { DURATION } from './duration.ts';
import { fields, isFields, items, texts } from './fields.ts';
import { quote } from './quote.ts';
import { nearest } from './suggest.ts';

export type Validator = Validate;

/** Throws when the schema itself is wrong. */
export function compileSchema(schema: JsonSchema): Validator {
  return compile('document', schema);
}

/** Every error of the document, in no order. */
export function validate(document: Document, validator: Validator): ConfigFailure[] {
  if (validator(document.data)) return [];
  const errors = (validator.errors ?? []).filter((error) => error.keyword !== 'if');
  const misspelt = new Set(errors.flatMap((error) => misspeltKey(error) ?? []));
  return errors
    .filter((error) => !misspelt.has(`${error.instancePath}/${String(error.params['missingProperty'])}`))
    .map((error) => toFailure(document, error));
}

/** The key that was meant, as a JSON pointer: that it is missing need not be said as well. */
function misspeltKey(error: ErrorObject): string | undefined {
  const meant = error.keyword === 'additionalProperties' ? nearestKey(error) : undefined;
  return meant === undefined ? undefined : `${error.instancePath}/${meant}`;
}

function knownKeys(error: ErrorObject): readonly string[] {
  return Object.keys(fields(error.parentSchema?.['properties']));
}

/** What other tools call a key. */
const OF_OTHERS: Readonly<Record<string, string>> = {
  target: 'destination',
  to: 'destination',
  from: 'source',
  src: 'source',
  image: 'source',
  allow: 'regex',
  deny: 'exclude',
};

/** What is said in another way here, where `beside` is a key. */
const OTHERWISE: readonly {
  readonly key: string;
  readonly beside: string;
  readonly holds: (value: unknown) => boolean;
  readonly hint: string;
}[] = [
  {
    key: 'destinations',
    beside: 'destination',
    holds: Array.isArray,
    hint: 'write an entry each: an entry has one "destination", and under "tags" further tags in the same repository',
  },
  { key: 'all', beside: 'regex', holds: (value) => value === true, hint: "for every tag write regex: '.*'" },
];

/** A key at the top that stands at the top of the other file. */
const ELSEWHERE: readonly { readonly keys: readonly string[]; readonly beside: string; readonly hint: string }[] = [
  {
    keys: 'plugins use publish mirrors plainHttp registries policy trust signing check limits'.split(' '),
    beside: 'sync',
    hint: 'that stands in the settings, slipway.config.yaml beside this file',
  },
  { keys: ['sync', 'build'], beside: 'signing', hint: 'that stands in the config, config.yaml' },
];

function otherwise(error: ErrorObject, key: string): string | undefined {
  const known = knownKeys(error);
  const other = ELSEWHERE.find(({ keys, beside }) => keys.includes(key) && known.includes(beside));
  if (other !== undefined && error.instancePath === '') return other.hint;
  const value = fields(error.data)[key];
  return OTHERWISE.find((each) => each.key === key && known.includes(each.beside) && each.holds(value))?.hint;
}

function nearestKey(error: ErrorObject): string | undefined {
  const present = fields(error.data);
  const free = knownKeys(error).filter((key) => !Object.hasOwn(present, key));
  const key = String(error.params['additionalProperty']);
  return free.find((each) => each === OF_OTHERS[key]) ?? nearest(key, free);
}

function toFailure(document: Document, error: ErrorObject): ConfigFailure {
  const path = readPointer(error.instancePath, document.data);
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params['additionalProperty']);
    const meant = nearestKey(error);
    const known = meant === undefined ? `known keys here: ${knownKeys(error).join(', ')}` : `did you mean "${meant}"?`;
    const hint = otherwise(error, key) ?? known;
    return configFailure(`unknown key ${quote(key)}${within(path)}`, hint, document.locate([...path, key], 'key'));
  }
  if (error.keyword === 'required') {
    const key = String(error.params['missingProperty']);
    const hint = described(key, fields(error.parentSchema?.['properties'])[key]);
    return configFailure(`"${key}" is missing${within(path)}`, hint, document.locate(path));
  }
  const [message, hint] = describeValue(error);
  // A pattern that a mode or plugin brought says nothing to whoever broke it; what the key means does.
  const meaning = error.keyword === 'pattern' ? described(String(path.at(-1)), error.parentSchema) : undefined;
  return configFailure(`${nameOf(path)} ${message}`, hint ?? example(error) ?? meaning, document.locate(path));
}

function described(key: string, schema: unknown): string | undefined {
  const { description } = fields(schema);
  return typeof description === 'string' ? `${key}: ${description}` : undefined;
}

function describeValue(error: ErrorObject): [message: string, hint?: string] {
  const limit = String(error.params['limit']);
  switch (error.keyword) {
    case 'type': {
      const wanted = wantedTypes(error);
      const scalar = typeof error.data === 'number' || typeof error.data === 'boolean';
      const message = `must be ${wanted.map((type) => typeNames[type] ?? type).join(' or ')}, not ${typeName(error.data)}`;
      if (wanted.includes('array') && isFields(error.data)) return [message, 'begin each item of the list with "- "'];
      if (!scalar || !wanted.includes('string')) return [message];
      const given = String(error.data);
      const isDuration = fields(error.parentSchema)['pattern'] === DURATION && typeof error.data === 'number';
      return [message, isDuration ? `write its unit too, as ${given}m, ${given}h or ${given}d` : 'put it in quotes'];
    }
    case 'enum': {
      const allowed = texts(error.params['allowedValues']);
      const meant = typeof error.data === 'string' ? nearest(error.data, allowed) : undefined;
      const given = typeof error.data === 'string' ? `, not ${quote(error.data)}` : '';
      const message = `must be one of ${allowed.join(', ')}${given}`;
      return meant === undefined ? [message] : [message, `did you mean "${meant}"?`];
    }
    case 'pattern':
      return [`cannot be ${quote(String(error.data))}`];
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return limit === '1' ? ['is empty'] : [`must have at least ${limit}`];
    case 'maxLength':
      return [`is longer than ${limit} characters`];
    case 'maxItems':
      return [`has more than ${limit} items`];
    case 'minimum':
      return [`must be at least ${limit}`];
    case 'maximum':
      return [`must be at most ${limit}`];
    default:
      return [error.message ?? 'is not valid'];
  }
}

function wantedTypes(error: ErrorObject): readonly string[] {
  const type: unknown = error.params['type'];
  // `null` only allows a key without a value; asking for it would confuse.
  return (typeof type === 'string' ? [type] : texts(type)).filter((each) => each !== 'null');
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
  array: 'a list',
  object: 'a mapping of keys to values',
};

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (isFields(value)) return 'a mapping of keys to values';
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? 'text' : 'a number';
}

function example(error: ErrorObject): string | undefined {
  const examples = items(error.parentSchema?.['examples']).flatMap((each) =>
    typeof each === 'string' ? each : Array.isArray(each) ? `[${each.join(', ')}]` : [],
  );
  return examples.length === 0 ? undefined : `for example ${examples.join(', ')}`;
}

/** `"tags[0]"`, or what stands for the whole file. */
function nameOf(path: Path): string {
  const name = lastName(path);
  return name === undefined ? 'the file' : quote(name);
}

function within(path: Path): string {
  const name = lastName(path);
  return name === undefined ? '' : ` in ${quote(name)}`;
}

function lastName(path: Path): string | undefined {
  const from = path.findLastIndex((segment) => typeof segment === 'string');
  if (from < 0) return undefined;
  return `${String(path[from])}${path
    .slice(from + 1)
    .map((index) => `[${index}]`)
    .join('')}`;
}

/** Tells indices from keys by the data, which a JSON pointer alone cannot: https://www.rfc-editor.org/rfc/rfc6901 */
function readPointer(pointer: string, data: unknown): Path {
  const path: (string | number)[] = [];
  let value = data;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) {
      path.push(Number(key));
      value = value[Number(key)];
    } else {
      path.push(key);
      value = fields(value)[key];
    }
  }
  return path;
}
