/**
 * The YAML of `skopeo sync --src yaml`: registry → images, by tag or digest, by regular expression, by range of versions.
 * https://github.com/containers/skopeo/blob/main/docs/skopeo-sync.1.md#yaml-file-content-used-source-for---src-yaml
 */
import type { Document, Path } from '../config/document.ts';
import { fields, isFields, text, type Fields } from '../config/fields.ts';
import { quote } from '../config/quote.ts';
import { formatRepository, parseDigest, parseRepository, parseTag, type Repository } from '../reference.ts';
import type { ImportRequest, Select, Remark, Wish, Wishes } from './model.ts';
import { rangeOfSkopeo } from './ranges.ts';
import { mirrorSettings } from './settings.ts';
import { isEmpty, listed, pathText, truth } from './source-file.ts';
import { problemOfSearch, wholeOfSearch } from './tag-patterns.ts';
import { EVERY } from './union.ts';

/** The ways to name tags; a repository may be under several, and then every tag that one of them means is copied. */
const WAYS = ['images', 'images-by-tag-regex', 'images-by-semver'] as const;

/** `17.0.1_12` is a version to us and not to skopeo. */
const BUILDS = '*_*';

const ELSEWHERE: Readonly<Record<string, string>> = {
  credentials:
    'secrets do not belong into a config, and none was taken over: use "docker login", or "login" of the registry in the settings',
  'cert-dir': 'certificates belong into the settings, as "ca", "cert" and "key" of the registry',
};

interface Named {
  readonly repository: Repository;
  readonly path: Path;
  /** Every tag of any of them. */
  readonly sets: Select[];
  /** `sha256:…` as the file has them. */
  readonly digests: { readonly digest: string; readonly path: Path }[];
}

export function readSkopeo(document: Document, request: ImportRequest & { readonly destination: string }): Wishes {
  const unsupported: Remark[] = [];
  const wishes: Wish[] = [];
  for (const [host, value] of Object.entries(fields(document.data))) readRegistry(host, value);
  return { wishes, settings: mirrorSettings(), unsupported, notes: [] };

  function refuse(path: Path, why: string): void {
    unsupported.push({ at: document.locate(path), what: pathText(path), why });
  }

  function readRegistry(host: string, value: unknown): void {
    if (!isFields(value)) return refuse([host], 'it is not the name of a registry with images below it');
    const repositories = new Map<string, Named>();
    for (const way of WAYS) {
      const images = value[way];
      if (isEmpty(images)) continue;
      if (!isFields(images)) refuse([host, way], 'it names no images');
      for (const [name, tags] of Object.entries(fields(images))) readImage(host, way, name, tags, repositories);
    }
    readRest(host, value);
    for (const named of repositories.values()) wishes.push(...wishesOf(named));
  }

  function readRest(host: string, value: Fields): void {
    for (const [key, setting] of Object.entries(value)) {
      if ((WAYS as readonly string[]).includes(key) || isEmpty(setting)) continue;
      if (key === 'tls-verify') {
        // What is true is so here too.
        if (truth(setting) !== true) {
          refuse(
            [host, key],
            'no certificate goes unverified: name its authority in the settings, as "ca" of the registry, or the registry under plainHttp',
          );
        }
      } else refuse([host, key], ELSEWHERE[key] ?? 'skopeo has no such key that is known here');
    }
  }

  function readImage(
    host: string,
    way: (typeof WAYS)[number],
    name: string,
    value: unknown,
    repositories: Map<string, Named>,
  ): void {
    const path = [host, way, name];
    const repository = parseRepository(`${host}/${name}`);
    if (!repository.ok) return refuse(path, repository.failure.message);
    const key = formatRepository(repository.value);
    const named = repositories.get(key) ?? { repository: repository.value, path, sets: [], digests: [] };
    if (way === 'images') readTags(named, path, value);
    else if (isEmpty(value)) refuse(path, 'nothing chooses its tags, so it was left out');
    else if (way === 'images-by-tag-regex') readPatterns(named, path, value);
    else readVersions(named, path, value);
    if (named.sets.length > 0 || named.digests.length > 0) repositories.set(key, named);
  }

  /** An empty list means every tag. */
  function readTags(named: Named, path: Path, value: unknown): void {
    if (listed(value).length === 0) {
      named.sets.push(EVERY);
      return;
    }
    const tags: string[] = [];
    for (const [index, each] of listed(value).entries()) {
      const name = text(each) ?? '';
      if (parseDigest(name) !== undefined) named.digests.push({ digest: name, path: [...path, index] });
      else if (parseTag(name) === undefined) refuse([...path, index], `${quote(name)} is not a tag`);
      else if (!tags.includes(name)) tags.push(name);
    }
    if (tags.length > 0) named.sets.push({ tags });
  }

  /** Skopeo reads one pattern; in a list, each adds its tags. */
  function readPatterns({ sets }: Named, path: Path, value: unknown): void {
    for (const [index, each] of listed(value).entries()) {
      const pattern = text(each) ?? '';
      const problem = pattern === '' ? 'is no pattern' : problemOfSearch(pattern);
      const at = Array.isArray(value) ? [...path, index] : path;
      if (problem === undefined) sets.push({ regex: wholeOfSearch(pattern) });
      else refuse(at, `left out: ${quote(pattern)} ${problem}`);
    }
  }

  /** A range, or in later versions a list of them. */
  function readVersions({ sets }: Named, path: Path, value: unknown): void {
    for (const [index, each] of listed(value).entries()) {
      const range = text(each) ?? '';
      const imported = rangeOfSkopeo(range);
      const at = Array.isArray(value) ? [...path, index] : path;
      if (imported === undefined) refuse(at, `${quote(range)} is not a range that "select.semver" reads`);
      else
        sets.push({ semver: imported.range, exclude: [BUILDS], ...(imported.prerelease ? { prerelease: true } : {}) });
    }
  }

  function wishesOf(named: Named): readonly Wish[] {
    const { repository, path, sets, digests } = named;
    const source = formatRepository(repository);
    const destination = destinationOf(repository, request);
    const { platforms = [] } = request;
    const common = platforms.length === 0 ? {} : { platforms, missingPlatforms: 'skip' as const };
    const suffix = request.appendSuffix ?? '';
    const item = { source, destination: `${destination}:{tag}${suffix}`, ...common };
    const [first, ...others] = sets;
    const made: Wish[] =
      first === undefined
        ? []
        : [{ at: document.locate(path), what: pathText(path), item, sets: [first, ...others], comments: [] }];
    for (const { digest, path: place } of digests) {
      const named12 = `digest-${digest.slice(digest.indexOf(':') + 1).slice(0, 12)}`;
      refuse(place, `skopeo keeps it without a tag, and a destination has one: it is called "${named12}"`);
      made.push({
        at: document.locate(place),
        what: pathText(place),
        item: { source: `${source}@${digest}`, destination: `${destination}:${named12}${suffix}`, ...common },
        comments: [`choose a tag: skopeo kept it by its digest alone`],
      });
    }
    return made;
  }
}

/** Skopeo's rule: the last part of the name, or with `--scoped` all of it. */
function destinationOf(
  { registry, path }: Repository,
  { destination, scoped = false }: { readonly destination: string; readonly scoped?: boolean },
): string {
  const prefix = destination.replace(/^docker:\/\//, '').replace(/\/+$/, '');
  return `${prefix}/${scoped ? `${registry}/${path}` : path.slice(path.lastIndexOf('/') + 1)}`;
}
