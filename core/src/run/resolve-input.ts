/** Puts the outputs of earlier tasks in the place of the references that a task's input holds. */
import type { Data } from '../plan/model.ts';

export function resolveInput(input: Data, outputs: ReadonlyMap<string, unknown>): unknown {
  if (Array.isArray(input)) return input.map((item: Data) => resolveInput(item, outputs));
  if (typeof input !== 'object' || input === null) return input;
  const fields = Object.entries(input as { readonly [key: string]: Data });
  const named = fields.find(([key]) => key === '$out');
  if (named !== undefined && typeof named[1] === 'string') {
    const path = fields.find(([key]) => key === 'path')?.[1];
    return select(outputs.get(named[1]), typeof path === 'string' ? path : '');
  }
  return Object.fromEntries(fields.map(([key, value]) => [key, resolveInput(value, outputs)]));
}

function select(output: unknown, path: string): unknown {
  let value = output;
  for (const key of path === '' ? [] : path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}
