/**
 * Narrow readers for data whose schema is checked separately. A value of the wrong type reads as absent here: the schema
 * has already reported it, and everything else in the file is still looked at, so that all errors come at once.
 */

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

export function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

export function texts(value: unknown): readonly string[] {
  return items(value).filter((item) => typeof item === 'string');
}
