/** An identity that signs keylessly: issuer and subject, each exactly or as a pattern. */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import type { Path } from './document.ts';
import { text, type Fields } from './fields.ts';
import type { Accept } from './settings-model.ts';
import { quote } from './quote.ts';
import { compileRe2, RE2_HINT } from '../selection/patterns.ts';

type Matcher = { readonly exact: string } | { readonly pattern: string };

/** Notes the failure at its place, and gives `undefined` for it. */
export type Accepting = <T>(result: Result<T, ConfigFailure>, path: Path) => T | undefined;

/** From `issuer` or `issuerPattern`, and `subject` or `subjectPattern`, of what stands at `path`. */
export function readIdentity(item: Fields, path: Path, accept: Accepting): Accept | undefined {
  const issuer = readMatcher(item, 'issuer', path, accept);
  const subject = readMatcher(item, 'subject', path, accept);
  return issuer === undefined || subject === undefined ? undefined : { kind: 'identity', issuer, subject };
}

/** From `issuerRegExp` and `subjectRegExp`, which are found anywhere in them, as cosign finds its `--certificate-…-regexp`. */
export function readSearchedIdentity(item: Fields, path: Path, accept: Accepting): Accept | undefined {
  const [issuer, subject] = (['issuerRegExp', 'subjectRegExp'] as const).map((key) => {
    const pattern = text(item[key]);
    const checked = pattern === undefined ? undefined : accept(checkPattern(pattern), [...path, key]);
    return checked === undefined ? undefined : { pattern: `^.*(?:${pattern}).*$` };
  });
  return issuer === undefined || subject === undefined ? undefined : { kind: 'identity', issuer, subject };
}

function readMatcher(item: Fields, name: 'issuer' | 'subject', path: Path, accept: Accepting): Matcher | undefined {
  const patternKey = `${name}Pattern`;
  const [exact, pattern] = [text(item[name]), text(item[patternKey])];
  if (item[name] !== undefined && item[patternKey] !== undefined) {
    return accept(fail(configFailure(`"${name}" and "${patternKey}" exclude each other`, 'keep one of them')), [
      ...path,
      patternKey,
    ]);
  }
  if (item[name] === undefined && item[patternKey] === undefined) {
    return accept(fail(configFailure(`"${name}" is missing`, `or give "${patternKey}", a regular expression`)), path);
  }
  if (exact !== undefined) return { exact };
  return pattern === undefined ? undefined : accept(checkPattern(pattern), [...path, patternKey]);
}

/**
 * By the engine that will match it, as cosign's does. A pattern always matches the whole text: written without anchors, `example.com` must
 * not match `example.com.evil.test`.
 */
function checkPattern(pattern: string): Result<Matcher, ConfigFailure> {
  const whole = `^(?:${pattern})$`;
  // Alone first: only then is it sure that the group around it cannot be closed by what is in it.
  for (const each of [pattern, whole]) {
    const compiled = compileRe2(each);
    if ('problem' in compiled) return fail(configFailure(`${quote(pattern)} ${compiled.problem}`, RE2_HINT));
  }
  return ok({ pattern: whole });
}
