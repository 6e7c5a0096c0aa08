/**
 * Names of images. Parsed once at the edge; everything later trusts the types.
 * Grammar: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests and
 * https://github.com/distribution/reference (Docker Hub's short names, `localhost`, ports).
 */
import { configFailure, fail, ok, type ConfigFailure, type Result } from './failure.ts';

/** `sha256:<64 hex>` or `sha512:<128 hex>`; made only by {@link parseDigest} and by hashing. */
export type Digest = string & { readonly __digest: never };
/** A tag, as `3.20` or `latest`. */
export type Tag = string & { readonly __tag: never };

/** A repository: `registry` is a host with an optional port (`docker.io`, `localhost:5000`), `path` the name in it. */
export interface Repository {
  readonly registry: string;
  readonly path: string;
}

/** A reference by tag alone: what it names can change. */
export interface Tagged extends Repository {
  readonly kind: 'tagged';
  readonly tag: Tag;
}

/** A reference by digest; the tag, if any, is only where it came from. Only these can be scanned, signed or attested. */
export interface Pinned extends Repository {
  readonly kind: 'pinned';
  readonly digest: Digest;
  readonly tag?: Tag;
}

export type Reference = Tagged | Pinned;

/** As regular expressions for the whole text, which schemas have too. */
export const digestPattern = '^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$';
export const tagPattern = '^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$';
const DIGEST = new RegExp(digestPattern);
const TAG = new RegExp(tagPattern);
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
/** Up to 65535: a larger one is no port, and no URL can be made with it. */
const PORT = '(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4})';
/** A registry's host with an optional port, as a regular expression for the whole text. */
export const registryPattern = `^(?:\\[[0-9a-fA-F:]+\\]|${LABEL}(?:\\.${LABEL})*)(?::${PORT})?$`;
const HOST = new RegExp(registryPattern);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
/** The name of a repository in its registry, likewise. */
export const repositoryPattern = `^${COMPONENT}(?:/${COMPONENT})*$`;
const PATH = new RegExp(repositoryPattern);
/** Longest reference that is read at all; the spec asks registries for 255 characters of name. */
const MAX_LENGTH = 1024;

export function parseDigest(text: string): Digest | undefined {
  return DIGEST.test(text) ? (text as Digest) : undefined;
}

export function parseTag(text: string): Tag | undefined {
  return TAG.test(text) ? (text as Tag) : undefined;
}

/**
 * `alpine` → `docker.io/library/alpine:latest`; `ghcr.io/a/b@sha256:…` → pinned; `localhost:5000/a:1` → tagged.
 * Without tag and digest the tag is `latest`.
 */
export function parseReference(text: string): Result<Reference, ConfigFailure> {
  if (text.length === 0) return fail(configFailure('an image reference is empty'));
  if (text.length > MAX_LENGTH)
    return fail(configFailure(`an image reference is longer than ${MAX_LENGTH} characters`));
  let rest = text;
  let digest: Digest | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = parseDigest(rest.slice(at + 1));
    if (digest === undefined) {
      return fail(
        configFailure(`"${text}" has no valid digest after "@"`, 'a digest is sha256: and 64 hexadecimal digits'),
      );
    }
    rest = rest.slice(0, at);
  }
  let tag: Tag | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    const after = rest.slice(colon + 1);
    tag = parseTag(after);
    if (tag === undefined) {
      return fail(
        configFailure(`"${text}" has no valid tag after ":"`, 'a tag is up to 128 letters, digits, "_", "." and "-"'),
      );
    }
    rest = rest.slice(0, colon);
  }
  const repository = parseRepository(rest);
  if (!repository.ok)
    return fail(
      configFailure(`"${text}" is not an image reference: ${repository.failure.message}`, repository.failure.hint),
    );
  if (digest !== undefined) {
    return ok({ kind: 'pinned', ...repository.value, digest, ...(tag === undefined ? {} : { tag }) });
  }
  return ok({ kind: 'tagged', ...repository.value, tag: tag ?? ('latest' as Tag) });
}

/** `alpine` → `{ docker.io, library/alpine }`; `localhost:5000/a/b` → `{ localhost:5000, a/b }`. */
export function parseRepository(text: string): Result<Repository, ConfigFailure> {
  const slash = text.indexOf('/');
  const head = slash < 0 ? '' : text.slice(0, slash);
  const named = head.includes('.') || head.includes(':') || head === 'localhost' || head.toLowerCase() !== head;
  const registry = named ? normaliseHost(head) : 'docker.io';
  let path = named ? text.slice(slash + 1) : text;
  if (registry === 'docker.io' && !path.includes('/')) path = `library/${path}`;
  if (!isHost(registry)) return fail(configFailure(`"${head}" is not a registry host`, hostHint(text)));
  if (!PATH.test(path)) {
    const hint = path.toLowerCase() === path ? undefined : 'repository names are lower case';
    return fail(configFailure(`"${path}" is not a repository name`, hint));
  }
  return ok({ registry, path });
}

/** An address in brackets has a grammar of its own, which whoever makes URLs knows. */
function isHost(registry: string): boolean {
  return HOST.test(registry) && (!registry.startsWith('[') || URL.canParse(`https://${registry}`));
}

/** For what other tools write before a host, or in place of one. */
function hostHint(text: string): string | undefined {
  const scheme = /^[A-Za-z][\w+.-]*:\/\//.exec(text)?.[0];
  if (scheme === 'ocidir://') return `a layout is ${layoutScheme}./${text.slice(scheme.length)}`;
  if (scheme !== undefined) return `leave out "${scheme}"`;
  return text.includes('$') ? 'variables are not filled in; --to PREFIX sends every destination elsewhere' : undefined;
}

/** In small letters, and Docker Hub under its one name. */
export function normaliseHost(host: string): string {
  const lower = host.toLowerCase();
  return lower === 'index.docker.io' || lower === 'registry-1.docker.io' ? 'docker.io' : lower;
}

/** In place of a host: `path` is then a folder that holds an OCI image layout, or a file that holds one as a TAR archive. */
export const layoutScheme = 'oci:';
export const archiveScheme = 'oci-archive:';

/** Whether it lies in the file system: made only by `parseLocation`, which tools and plugins never see. */
export function isLocation({ registry }: Repository): boolean {
  return registry === layoutScheme || registry === archiveScheme;
}

/** Whether tools that copy, which know registries alone, can be asked to: what is in the file system the core copies by itself. */
export function areInRegistries(source: Repository, destination: Repository): boolean {
  return !isLocation(source) && !isLocation(destination);
}

/** `registry/path`; `oci:./path` or `oci:/path` for what is in the file system. */
export function formatRepository(repository: Repository): string {
  const { registry, path } = repository;
  // Joined, and not by a template: that is kept with all its parts, which is a lot for ten thousand images.
  if (!isLocation(repository)) return [registry, path].join('/');
  return `${registry}${path === '.' || path.startsWith('/') ? '' : './'}${path}`;
}

/** `registry/path[:tag][@digest]`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.kind === 'pinned' ? `@${reference.digest}` : '';
  return [formatRepository(reference), tag, digest].join('');
}

/** `registry/path@digest`: what tools are given, so that a tag can never be read by mistake. */
export function formatPinned(pinned: Pinned): string {
  return `${formatRepository(pinned)}@${pinned.digest}`;
}

export function pin(repository: Repository, digest: Digest, tag?: Tag): Pinned {
  const { registry, path } = repository;
  return { kind: 'pinned', registry, path, digest, ...(tag === undefined ? {} : { tag }) };
}

export function sameRepository(a: Repository, b: Repository): boolean {
  return a.registry === b.registry && a.path === b.path;
}
