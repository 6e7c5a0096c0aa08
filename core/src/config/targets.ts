/** Destinations: a repository and a tag, in which `{date}` and `{sha}` are filled in. */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { formatRepository, parseReference, parseTag, type Repository, type Tagged } from '../reference.ts';
import type { Context, Target } from './model.ts';
import { quote } from './quote.ts';
import { nearest } from './suggest.ts';

const VARIABLE = /\{([^{}]*)\}/g;
/** Enough of a commit id to be unique, and short enough to read. */
const SHORT_SHA = 12;
/** Where referrers are kept on registries without the API, and what cosign writes: moving those would lose attestations. */
const REFERRERS_TAG = /^sha(?:256|512)-[0-9a-f]{64}/;

/** `ghcr.io/a/b:{date}` → its target, and the name `ghcr.io/a/b:{date}` that stays the same from day to day. */
export function parseDestination(
  text: string,
  context: Context,
): Result<{ readonly target: Target; readonly name: string }, ConfigFailure> {
  if (text.includes('@')) {
    return fail(
      configFailure(`the destination ${quote(text)} has a digest`, 'a destination is a repository and a tag'),
    );
  }
  const colon = text.lastIndexOf(':');
  const tagged = colon > text.lastIndexOf('/');
  const template = tagged ? text.slice(colon + 1) : 'latest';
  const tag = fillIn(template, context);
  if (!tag.ok) return tag;
  const reference = parseReference(`${tagged ? text.slice(0, colon) : text}:${tag.value}`);
  if (!reference.ok) return reference;
  const target = toTarget(reference.value, template, tag.value);
  return target.ok ? ok({ target: target.value, name: `${formatRepository(reference.value)}:${template}` }) : target;
}

/** A further tag in `repository`. */
export function parseFurtherTag(
  template: string,
  repository: Repository,
  context: Context,
): Result<Target, ConfigFailure> {
  const tag = fillIn(template, context);
  return tag.ok ? toTarget(repository, template, tag.value) : tag;
}

function toTarget(repository: Repository, template: string, text: string): Result<Target, ConfigFailure> {
  const tag = parseTag(text);
  if (tag === undefined) {
    return fail(configFailure(`${quote(text)} is not a tag`, 'a tag is up to 128 letters, digits, "_", "." and "-"'));
  }
  if (REFERRERS_TAG.test(tag)) {
    return fail(configFailure(`the tag ${quote(tag)} is kept for attestations`, 'choose a tag that is not a digest'));
  }
  const destination: Tagged = { kind: 'tagged', registry: repository.registry, path: repository.path, tag };
  return ok({ destination, templated: template !== text });
}

function fillIn(template: string, context: Context): Result<string, ConfigFailure> {
  const values: Readonly<Record<string, string | undefined>> = {
    date: context.date,
    sha: context.sha?.slice(0, SHORT_SHA),
  };
  const names = Object.keys(values);
  for (const [variable, name = ''] of template.matchAll(VARIABLE)) {
    if (!Object.hasOwn(values, name)) {
      const meant = nearest(name, names);
      const hint = meant === undefined ? 'there are {date} and {sha}' : `did you mean "{${meant}}"?`;
      return fail(configFailure(`${quote(variable)} cannot be filled in`, hint));
    }
    if (values[name] === undefined) {
      return fail(
        configFailure(`"{${name}}" needs a commit, and there is none`, 'run it in a git checkout, or set GITHUB_SHA'),
      );
    }
  }
  return ok(template.replaceAll(VARIABLE, (_, name: string) => values[name] ?? ''));
}
