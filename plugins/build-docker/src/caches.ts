/** Caches outside of the builder, as buildx describes them: https://docs.docker.com/build/cache/backends/ */
import { configFailure, fail, formatPlatform, ok, parseReference } from '@slipway/core';
import type { BuildContext, Result } from '@slipway/core';
import { resolve } from 'node:path';

/** `inline` is none of them: it writes the cache into the image, whose digest would then depend on how it was built. */
const TYPES = ['registry', 'local', 'gha', 's3', 'azblob'] as const;

const PLACEHOLDER = /\{(source|platform)\}/g;
const value = String.raw`(?:[^\s,="{}?\x00-\x1f\x7f]|\{source\}|\{platform\})*`;

/** One record of CSV that begins with its type; nothing in it can begin another field or another argument. */
export const cachePattern = `^type=(?:${TYPES.join('|')})(?:,[a-z][a-z0-9_.-]{0,63}=${value})*$`;

/** Arguments are seen by everybody on the machine, and in logs. */
const SECRET_KEY = /token|secret|passw|key/;
const LOGIN = /:\/\/[^/]*@/;

/** What buildx reads itself, by type of the cache: https://docs.docker.com/build/cache/backends/gha/, …/s3/ */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  gha: ['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL', 'ACTIONS_CACHE_URL', 'ACTIONS_CACHE_SERVICE_V2'],
  s3: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
};

export interface CacheOptions {
  /** Caches outside of the builder, in buildx's words; `{source}` and `{platform}` are filled in. */
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  /** Nothing is taken from a cache; they are still written. */
  readonly noCache: boolean;
}

export interface Caches {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Registries whose credentials the builder needs for them. */
  readonly hosts: readonly string[];
}

export type CacheUse = Pick<BuildContext, 'entry' | 'platforms' | 'noCache'>;

/** A `config` failure, which never shows a value, for one that names a secret, or not where it is. `root`: the config's folder. */
export function findCaches(
  { cacheFrom, cacheTo, noCache }: CacheOptions,
  root: string,
  use?: CacheUse,
  ours: Readonly<Record<string, string | undefined>> = process.env,
): Result<Caches> {
  const args: string[] = [];
  const env: Record<string, string> = {};
  const hosts = new Set<string>();
  const ignored = noCache || use?.noCache === true;
  for (const { option, flag, specs, place } of [
    { option: 'cacheFrom', flag: '--cache-from', specs: cacheFrom, place: 'src' },
    { option: 'cacheTo', flag: '--cache-to', specs: cacheTo, place: 'dest' },
  ]) {
    for (const [index, spec] of specs.entries()) {
      const text = use === undefined ? spec.replaceAll(PLACEHOLDER, 'x') : filled(spec, use);
      const cache = readCache(text, place, root);
      if (!cache.ok) {
        const message = `"${option}/${index}" in the options of the plugin build-docker ${cache.failure.message}`;
        return fail({ ...cache.failure, message });
      }
      if (ignored && option === 'cacheFrom') continue;
      args.push(flag, cache.value.text);
      if (cache.value.host !== undefined) hosts.add(cache.value.host);
      for (const name of VARIABLES[cache.value.type] ?? []) {
        const set = ours[name];
        if (set !== undefined) env[name] = set;
      }
    }
  }
  return ok({ args, env, hosts: [...hosts] });
}

interface Cache {
  readonly type: string;
  readonly text: string;
  readonly host?: string;
}

/** `text` fits {@link cachePattern}; `place`: the key of a local cache's folder. */
function readCache(text: string, place: string, root: string): Result<Cache> {
  const fields = text.split(',').map((field): readonly [string, string] => {
    const at = field.indexOf('=');
    return [field.slice(0, at), field.slice(at + 1)];
  });
  const secret = fields.find(([key, set]) => SECRET_KEY.test(key) || LOGIN.test(set));
  if (secret !== undefined) {
    const hint = 'log in to the registry, or leave it to the environment, as AWS_SECRET_ACCESS_KEY';
    return fail(configFailure(`holds a secret in "${secret[0]}"`, hint));
  }
  const named = new Map(fields);
  const type = named.get('type') ?? '';
  if (type === 'local') {
    const folder = named.get(place) ?? '';
    if (folder === '') return fail(configFailure(`does not say where the cache is: "${place}=…" is missing`));
    // Buildx runs in another folder, and a path may hold what separates fields.
    const quoted = `"${place}=${resolve(root, folder).replaceAll('"', '""')}"`;
    const shown = fields.map(([key, set]) => (key === place ? quoted : `${key}=${set}`));
    return ok({ type, text: shown.join(',') });
  }
  if (type !== 'registry') return ok({ type, text });
  const reference = parseReference(named.get('ref') ?? '');
  return reference.ok
    ? ok({ type, text, host: reference.value.registry })
    : fail(configFailure('has no valid "ref"', 'for example type=registry,ref=registry.example/cache:app'));
}

/** So that images, and platforms that are built apart, do not overwrite each other's cache. */
function filled(spec: string, { entry, platforms }: CacheUse): string {
  const words = {
    source: entry.source
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, ''),
    platform: platforms.map((platform) => formatPlatform(platform).replaceAll('/', '-')).join('_'),
  };
  return spec.replaceAll(PLACEHOLDER, (_, name: keyof typeof words) => words[name]);
}
