/**
 * Strict readers for data that others wrote: a value of exactly the expected shape and size, or `undefined`. They never
 * throw, whatever they are given, and they copy, so that nothing unexpected travels on.
 */
import { isFields } from '../config/fields.ts';
import { fail, ok, type Result, type TrustFailure } from '../failure.ts';
import { isTooDeep } from '../oci/json-text.ts';
import { parseDigest, type Digest } from '../reference.ts';

type Read<T> = (value: unknown) => T | undefined;

const MAX_TEXT = 4096;
/** https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
const TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

export function trustFailure(message: string, hint?: string): TrustFailure {
  return { reason: 'trust', class: 'permanent', message, ...(hint === undefined ? {} : { hint }) };
}

/** JSON from UTF-8 bytes or text of at most `limit` bytes and of sane depth; `what` names it in the failure. */
export function readJson(source: Uint8Array | string, limit: number, what: string): Result<unknown, TrustFailure> {
  const size = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength;
  if (size > limit) return fail(trustFailure(`${what} is larger than ${limit} bytes`));
  try {
    const text = typeof source === 'string' ? source : new TextDecoder('utf-8', { fatal: true }).decode(source);
    if (isTooDeep(text)) return fail(trustFailure(`${what} is nested too deeply`));
    return ok(JSON.parse(text));
  } catch {
    return fail(trustFailure(`${what} is not valid JSON`));
  }
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isFields(value) ? value : undefined;
}

/** Up to 4096 UTF-16 units; may be empty. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAX_TEXT ? value : undefined;
}

export function asTrue(value: unknown): true | undefined {
  return value === true ? value : undefined;
}

/** A whole number from 0. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function asDigest(value: unknown): Digest | undefined {
  return typeof value === 'string' ? parseDigest(value) : undefined;
}

/** An RFC 3339 time, as it was written. */
export function asTime(value: unknown): string | undefined {
  return typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

/** A reader of exactly these words. */
export function oneOf<T extends string>(...words: readonly T[]): Read<T> {
  return (value) => words.find((word) => word === value);
}

/** Every item must be readable, and there may be no more than `max`. */
export function asList<T>(value: unknown, max: number, read: Read<T>): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > max) return undefined;
  const items: T[] = [];
  for (const item of value) {
    const known = read(item);
    if (known === undefined) return undefined;
    items.push(known);
  }
  return items;
}

/** Keys are texts, every value must be readable, and there may be no more than `max`. */
export function asMap<T>(value: unknown, max: number, read: Read<T>): Readonly<Record<string, T>> | undefined {
  const record = asRecord(value);
  if (record === undefined) return undefined;
  const keys = Object.keys(record);
  const values = asList(Object.values(record), max, read);
  if (values === undefined || asList(keys, max, asText) === undefined) return undefined;
  return Object.fromEntries(values.map((item, at) => [keys[at] ?? '', item] as const));
}

/** For a key that may be absent: what to spread into the result, or `undefined` when it is there but not readable. */
export function optional<K extends string, T>(
  from: Readonly<Record<string, unknown>>,
  key: K,
  read: Read<T>,
): { readonly [P in K]?: T } | undefined {
  if (!Object.hasOwn(from, key) || from[key] === undefined) return {};
  const value = read(from[key]);
  return value === undefined ? undefined : ({ [key]: value } as { [P in K]?: T });
}

/**
 * One line that is safe to print: control characters (terminal escapes among them), line breaks and the invisible marks
 * that reorder text become spaces, and more than `max` characters are cut.
 */
export function plainText(text: string, max = 200): string {
  const start = text.slice(0, max + 1).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ');
  return start.length > max ? `${start.slice(0, max - 1)}…` : start;
}
