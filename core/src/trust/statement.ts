/** in-toto statements: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
import { fail, ok, type Result, type TrustFailure } from '../failure.ts';
import type { Digest } from '../reference.ts';
import type { Statement } from './model.ts';
import { asDigest, asList, asRecord, asText, readJson, trustFailure } from './strict.ts';

const TYPE = 'https://in-toto.io/Statement/v1';
/** `cosign attest` still writes the older type; the fields that are read here are the same in both. */
const TYPES: readonly unknown[] = [TYPE, 'https://in-toto.io/Statement/v0.1'];
/** Large enough for the SBOM of any image, small enough to be held in memory a few times. */
const MAX_BYTES = 48 * 1024 * 1024;

/**
 * A statement about one image. It names no repository, so that what was signed stays true wherever the digest is copied.
 */
export function makeStatement(
  subject: { readonly digest: Digest },
  predicateType: string,
  predicate: unknown,
): Statement {
  const colon = subject.digest.indexOf(':');
  const digest = { [subject.digest.slice(0, colon)]: subject.digest.slice(colon + 1) };
  return { _type: TYPE, subject: [{ digest }], predicateType, predicate };
}

/** The digest that a statement is about; `undefined` when it has none that Slipway knows. */
export function statementSubject(statement: Statement): Digest | undefined {
  const { digest } = statement.subject[0];
  return asDigest(`sha256:${digest['sha256']}`) ?? asDigest(`sha512:${digest['sha512']}`);
}

/** A statement with exactly one subject that has a digest, from at most 48 MiB of JSON. */
export function parseStatement(bytes: Uint8Array): Result<Statement, TrustFailure> {
  const json = readJson(bytes, MAX_BYTES, 'the in-toto statement');
  if (!json.ok) return json;
  const record = asRecord(json.value);
  if (record === undefined || !TYPES.includes(record['_type'])) {
    return fail(trustFailure('the signed payload is not an in-toto statement'));
  }
  const predicateType = asText(record['predicateType']);
  const subjects = asList(record['subject'], 1, readSubject);
  const subject = subjects?.[0];
  if (predicateType === undefined || subject === undefined) {
    return fail(trustFailure('the in-toto statement has no predicate type, or not exactly one subject with a digest'));
  }
  const statement: Statement = { _type: TYPE, subject: [subject], predicateType, predicate: record['predicate'] ?? {} };
  if (statementSubject(statement) === undefined) {
    return fail(trustFailure('the in-toto statement is about something without a sha256 or sha512 digest'));
  }
  return ok(statement);
}

function readSubject(value: unknown): Statement['subject'][0] | undefined {
  const record = asRecord(value);
  const digest = asRecord(record?.['digest']);
  if (digest === undefined) return undefined;
  const known = Object.entries(digest).flatMap(([algorithm, hex]) => {
    return typeof hex === 'string' && (algorithm === 'sha256' || algorithm === 'sha512')
      ? [[algorithm, hex] as const]
      : [];
  });
  const name = asText(record?.['name']);
  return { ...(name === undefined ? {} : { name }), digest: Object.fromEntries(known) };
}

/**
 * The one serialisation of everything that is signed or hashed: keys sorted by UTF-16 unit, no white space, keys without
 * a value left out. Equal data gives equal bytes whoever made it.
 *
 * Throws on what JSON cannot say (functions, NaN, cycles); that is a bug of the caller's.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const record = value as Readonly<Record<string, unknown>>;
    const keys = Object.keys(record).filter((key) => record[key] !== undefined);
    return `{${keys
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key])}`)
      .join(',')}}`;
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) {
    return JSON.stringify(value);
  }
  throw new TypeError(`${typeof value} cannot be written as JSON`);
}
