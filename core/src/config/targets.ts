/** Destinations: a repository and a tag, in which what stands in braces is filled in. */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { formatRepository, parseTag, type Reference, type Repository, type Tagged } from '../reference.ts';
import { locationScheme, parseLocation, parsePlace } from '../location.ts';
import type { Context, Target, TemplateValues } from './model.ts';
import { quote } from './quote.ts';
import { nearest } from './suggest.ts';

const VARIABLE = /\{([^{}]*)\}/g;
/** Enough of a commit id to be unique, and short enough to read. */
const SHORT_SHA = 12;
/** Where referrers are kept on registries without the API, and what cosign writes: moving those would lose attestations. */
const REFERRERS_TAG = /^sha(?:256|512)-[0-9a-f]{64}/;

/** What a template is filled in with. A name that is here without a value cannot be filled in now; others do not exist. */
export interface Values extends TemplateValues {
  readonly tag?: string | undefined;
}

/** Those that change with the run, and not with the config or what a source offers. */
const OF_RUN = ['date', 'sha'] as const;
const OF_SOURCE = ['registry', 'path', 'name', 'tag'] as const;

const LACKING: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  sha: ['needs a commit, and there is none', 'run it in a git checkout, or set GITHUB_SHA'],
  tag: ['needs a tag, and the source has only a digest', 'write the tag before the digest, as alpine:3.20@sha256:…'],
};

export function runValues(context: Context): TemplateValues {
  const { date, sha } = context;
  return { date, ...(sha === undefined ? {} : { sha: sha.slice(0, SHORT_SHA) }) };
}

/** Of a source: a reference, or only a repository. */
export function sourceValues(source: Reference | Repository): Values {
  const { registry, path } = source;
  const tag = 'kind' in source ? source.tag : undefined;
  return { registry, path, name: path.slice(path.lastIndexOf('/') + 1), tag };
}

/**
 * `ghcr.io/a/{name}:{tag}-{date}` → its target, and the name `ghcr.io/a/b:1-{date}` that stays the same from day to day.
 * {date} and {sha} may stand in the tag only. `values` of a build have nothing of a source.
 */
export function parseDestination(
  text: string,
  values: Values,
): Result<{ readonly target: Target; readonly name: string }, ConfigFailure> {
  if (text.includes('@')) {
    return fail(
      configFailure(`the destination ${quote(text)} has a digest`, 'a destination is a repository and a tag'),
    );
  }
  const [repositoryTemplate, tagTemplate = 'latest'] = splitTag(text);
  const repository = 'registry' in values ? fillIn(repositoryTemplate, values, OF_SOURCE) : ok(repositoryTemplate);
  if (!repository.ok) return repository;
  const tag = fillTag(tagTemplate, values);
  if (!tag.ok) return tag;
  const reference = parseLocation(`${repository.value}:${tag.value.text}`);
  if (!reference.ok) {
    const { message, hint = portHint(text, values) } = reference.failure;
    return fail(configFailure(message, hint));
  }
  const target = toTarget(reference.value, tag.value);
  return target.ok
    ? ok({ target: target.value, name: `${formatRepository(reference.value)}:${tag.value.name}` })
    : target;
}

function portHint(template: string, { registry }: Values): string | undefined {
  if (registry?.includes(':') !== true || !variablesIn(template).includes('registry')) return undefined;
  return `a repository's name has no ":": write another name in place of {registry}, which is ${registry}`;
}

/** A further tag in `repository`. */
export function parseFurtherTag(
  template: string,
  repository: Repository,
  values: Values,
): Result<Target, ConfigFailure> {
  const tag = fillTag(template, values);
  return tag.ok ? toTarget(repository, tag.value) : tag;
}

/** `ghcr.io/a/b:1` → its two parts, and so for a location. */
export function splitTag(text: string): readonly [repository: string, tag?: string] {
  const colon = text.lastIndexOf(':');
  const start = Math.max(text.lastIndexOf('/'), (locationScheme(text) ?? '').length - 1);
  return colon > start ? [text.slice(0, colon), text.slice(colon + 1)] : [text];
}

/** A repository without a tag. `hint`: what to write in place of one. */
export function parseWholeRepository(text: string, hint: string): Result<Repository, ConfigFailure> {
  return text.includes('@') || splitTag(text).length > 1
    ? fail(configFailure(`${quote(text)} has a tag or a digest`, hint))
    : parsePlace(text);
}

/** The names in braces. */
export function variablesIn(template: string): readonly string[] {
  return [...template.matchAll(VARIABLE)].map(([, name = '']) => name);
}

interface FilledTag {
  readonly text: string;
  /** With {date} and {sha} as they were. */
  readonly name: string;
}

function fillTag(template: string, values: Values): Result<FilledTag, ConfigFailure> {
  const known = 'registry' in values ? [...OF_SOURCE, ...OF_RUN] : OF_RUN;
  const text = fillIn(template, values, known);
  if (!text.ok) return text;
  return ok({ text: text.value, name: replace(template, { ...values, date: '{date}', sha: '{sha}' }) });
}

function toTarget(repository: Repository, { text, name }: FilledTag): Result<Target, ConfigFailure> {
  const tag = parseTag(text);
  if (tag === undefined) {
    return fail(configFailure(`${quote(text)} is not a tag`, 'a tag is up to 128 letters, digits, "_", "." and "-"'));
  }
  if (isReferrersTag(tag)) {
    return fail(configFailure(`the tag ${quote(tag)} is kept for attestations`, 'choose a tag that is not a digest'));
  }
  const destination: Tagged = { kind: 'tagged', registry: repository.registry, path: repository.path, tag };
  return ok(name === text ? { destination, templated: false } : { destination, templated: true, template: name });
}

/** `sha256-<hex>` and `sha256-<hex>.sig`: what registries and tools keep about images, and no image that anybody named. */
export function isReferrersTag(tag: string): boolean {
  return REFERRERS_TAG.test(tag);
}

export function fillIn(template: string, values: Values, known: readonly string[]): Result<string, ConfigFailure> {
  for (const name of variablesIn(template)) {
    if (!known.includes(name)) {
      const environment = template.includes('$');
      const meant = environment ? undefined : nearest(name, known);
      const no = environment ? 'variables of the environment are not filled in; ' : '';
      const hint = meant === undefined ? `${no}there are ${listed(known)}` : `did you mean "{${meant}}"?`;
      return fail(configFailure(`${quote(`{${name}}`)} cannot be filled in`, hint));
    }
    if (values[name as keyof Values] === undefined) {
      const [why, hint] = LACKING[name] ?? ['is not known here'];
      return fail(configFailure(`"{${name}}" ${why}`, hint));
    }
  }
  return ok(replace(template, values));
}

function replace(template: string, values: Values): string {
  return template.replaceAll(VARIABLE, (_, name: string) => values[name as keyof Values] ?? '');
}

/** `{date} and {sha}`. */
function listed(names: readonly string[]): string {
  const braces = names.map((name) => `{${name}}`);
  return [braces.slice(0, -1).join(', '), braces.at(-1)].join(' and ');
}
