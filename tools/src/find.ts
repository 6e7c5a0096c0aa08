/** Finds tools: on PATH when the version is in range, else in the cache of built ones. Never installs anything. */
import { join } from 'node:path';
import { fail, ok } from '@slipway/core';
import type { FoundTool, MissingToolFailure, Result, ToolFinder, ToolNeed } from '@slipway/core';
import semver from 'semver';
import { cachedTool, cacheFolder, nameCache, noCache } from './cache.ts';
import type { Environment, Place } from './cache.ts';
import { debianPackageOf } from './debian.ts';
import { onPath } from './path.ts';
import { catalogue as allPins } from './pins.ts';
import type { Pin } from './pins.ts';
import { anyVersion, createProber } from './probe.ts';
import type { Prober } from './probe.ts';

export interface FinderOptions extends Place {
  /** PATH, HOME, `SLIPWAY_TOOLS` and `XDG_CACHE_HOME` are read. */
  readonly env: Environment;
  /** The tools that can be built; the whole catalogue when absent. */
  readonly catalogue?: readonly Pin[];
  /** How long a tool may take to tell its version, in milliseconds; 10 s when absent. */
  readonly probeLimit?: number;
}

/** Answers are kept for the life of the finder, so make a new one after an installation. */
export function createToolFinder(options: FinderOptions): ToolFinder {
  const { env, catalogue = allPins } = options;
  const cache = cacheFolder(env);
  const probe = createProber(env, cache && join(cache, 'versions.json'), options.probeLimit);
  const found = new Map<string, Promise<Result<FoundTool>>>();
  return {
    find(need) {
      const key = `${need.name} ${need.range}`;
      const known = found.get(key);
      if (known !== undefined) return known;
      const pin = catalogue.find((each) => each.name === need.name);
      const answer = find(need, pin, { env, cache, probe, place: options });
      found.set(key, answer);
      return answer;
    },
  };
}

interface Where {
  readonly env: Environment;
  readonly cache: string | undefined;
  readonly probe: Prober;
  readonly place: Place;
}

async function find(need: ToolNeed, pin: Pin | undefined, where: Where): Promise<Result<FoundTool>> {
  const { name, range } = need;
  // The name comes from a plugin and becomes part of a path.
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(name))
    return fail(missing(name, 'that is no name of a program', 'Correct the plugin'));
  if (semver.validRange(range) === null)
    return fail(missing(name, `“${range}” is no version range`, 'Correct the plugin'));
  const rejected: string[] = [];
  // A program of our own has no version probe: whatever else has its name on PATH is something different.
  const candidates = pin !== undefined && pin.probe === undefined ? [] : await onPath(name, where.env);
  for (const path of candidates) {
    const version = await where.probe(path, pin?.probe ?? anyVersion);
    if (version !== undefined && semver.satisfies(version, range)) return ok({ name, path, version });
    rejected.push(version === undefined ? `${path} does not tell its version` : `${path} is ${version}`);
  }
  return inCache(need, pin, where, rejected);
}

async function inCache(
  need: ToolNeed,
  pin: Pin | undefined,
  where: Where,
  rejected: readonly string[],
): Promise<Result<FoundTool>> {
  const { name, range } = need;
  const onlyPath = rejected.length === 0 ? 'it is not on PATH' : rejected.join(', ');
  if (pin === undefined) {
    const debian = debianPackageOf.get(name);
    const byHand = `Install ${name} ${range} and put it on PATH`;
    const hint = debian === undefined ? byHand : `Run: apt-get install ${debian} (on Debian; elsewhere: ${byHand})`;
    return fail(missing(`${name} ${range}`, onlyPath, hint));
  }
  if (!semver.satisfies(pin.version, range)) {
    const why = `${onlyPath}, and the version that Slipway can build is ${pin.version}`;
    return fail(missing(`${name} ${range}`, why, `Install ${name} ${range} and put it on PATH`));
  }
  if (where.cache === undefined) return fail(missing(`${name} ${range}`, `${onlyPath}, and ${noCache}`, nameCache));
  const path = await cachedTool(where.cache, pin, where.place);
  if (path !== undefined) return ok({ name, path, version: pin.version });
  return fail(
    missing(
      `${name} ${range}`,
      `${onlyPath}, and not among the built ones in ${where.cache}`,
      'Run: slipway tools install',
    ),
  );
}

function missing(tool: string, why: string, hint: string): MissingToolFailure {
  return {
    reason: 'missing-tool',
    class: 'permanent',
    tool: tool.split(' ', 1)[0] ?? tool,
    message: `${tool} was not found: ${why}`,
    hint,
  };
}

/** A need for exactly the pinned version, for the demo and the tests. */
export function pinnedNeed(pin: Pin): ToolNeed {
  return { name: pin.name, range: pin.version };
}
