/** Settings made by code may hold anything; what is used of them is what JSON could hold. */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';

const MAX_DEPTH = 100;

/** A copy as plain data. Keys whose value is `undefined` are left out, so that `key: process.env.X` may be absent. */
export function plainData(value: unknown, name = 'the default export', depth = 0): Result<unknown, ConfigFailure> {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return ok(value);
  if (typeof value === 'number' && Number.isFinite(value)) return ok(value);
  // Data that contains itself ends here too.
  if (depth > MAX_DEPTH) return fail(configFailure(`${name} is nested too deeply`));
  if (Array.isArray(value)) return plainItems(value, name, depth);
  if (typeof value === 'object' && isPlain(value)) return plainFields(value, name, depth);
  return fail(
    configFailure(`${name} is not plain data`, 'only text, numbers, true, false, lists and objects are settings'),
  );
}

function plainItems(list: readonly unknown[], name: string, depth: number): Result<unknown, ConfigFailure> {
  const copy: unknown[] = [];
  for (const [index, item] of list.entries()) {
    const plain = plainData(item, `${name}[${index}]`, depth + 1);
    if (!plain.ok) return plain;
    copy.push(plain.value);
  }
  return ok(copy);
}

function plainFields(object: object, name: string, depth: number): Result<unknown, ConfigFailure> {
  const copy: [string, unknown][] = [];
  for (const [key, item] of Object.entries(object)) {
    if (item === undefined) continue;
    const plain = plainData(item, depth === 0 ? key : `${name}.${key}`, depth + 1);
    if (!plain.ok) return plain;
    copy.push([key, plain.value]);
  }
  return ok(Object.fromEntries(copy));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
