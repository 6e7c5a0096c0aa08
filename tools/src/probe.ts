/** Asks a program for its version, and remembers the answer for as long as the file stays the same. */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProcess } from '@slipway/core/exec';
import semver from 'semver';
import type { Environment } from './cache.ts';
import type { VersionProbe } from './pins.ts';

/** For tools that are not in the catalogue: the first thing that looks like a version. */
export const anyVersion: VersionProbe = {
  args: ['--version'],
  otherwise: ['version'],
  pattern: /\bv?(\d+\.\d+(?:\.\d+)?(?:[-+][\w.+-]*)?)/,
};

/** Long enough for a big program on a slow, busy disk; short enough to be waited for. */
const probeLimit = 10_000;

/** A probe of the version of the program at `path`: as `1.2.37`, or undefined when it did not tell a sensible one. */
export type Prober = (path: string, probe: VersionProbe) => Promise<string | undefined>;

/**
 * `memory`, if there is one: a JSON file that outlives the process, so that a normal start launches no tool. An entry counts while
 * modification time and size of the file are what they were. Only answers are kept: a program that was too slow once
 * is asked again by the next process.
 */
export function createProber(env: Environment, memory: string | undefined, limit = probeLimit): Prober {
  const asked = new Map<string, Promise<string | undefined>>();
  return (path, probe) => {
    const known = asked.get(path);
    if (known !== undefined) return known;
    const asking = async () => {
      const version = await ask(path, probe, env, limit);
      if (version !== undefined || probe.otherwise === undefined) return version;
      return ask(path, { ...probe, args: probe.otherwise }, env, limit);
    };
    const answer = memory === undefined ? asking() : remembered(path, asking, memory);
    asked.set(path, answer);
    return answer;
  };
}

async function remembered(
  path: string,
  asking: () => Promise<string | undefined>,
  memory: string,
): Promise<string | undefined> {
  const file = await stat(path);
  const key = `${path} ${file.mtimeMs} ${file.size}`;
  const known = (await read(memory))[key];
  if (known !== undefined) return known;
  const version = await asking();
  if (version !== undefined) await remember(memory, path, key, version);
  return version;
}

async function ask(path: string, probe: VersionProbe, env: Environment, limit: number): Promise<string | undefined> {
  const outcome = await runProcess({
    path,
    args: probe.args,
    cwd: '/',
    // Enough for wrapper scripts; no credentials, and no settings that could make a tool do more than answer.
    env: { PATH: env['PATH'] ?? '', HOME: env['HOME'] ?? tmpdir() },
    timeout: limit,
    maxOutput: 65_536,
    signal: new AbortController().signal,
  });
  if (outcome.end !== 'exit' || outcome.code !== 0) return undefined;
  const text = probe.pattern.exec(outcome.stdout)?.[1];
  if (text === undefined) return undefined;
  return semver.valid(text) ?? semver.coerce(text)?.version;
}

type Memory = Readonly<Record<string, string>>;

async function read(memory: string): Promise<Memory> {
  try {
    const data: unknown = JSON.parse(await readFile(memory, 'utf8'));
    if (typeof data !== 'object' || data === null) return {};
    return Object.fromEntries(
      Object.entries(data).filter((entry): entry is [string, string] => semver.valid(String(entry[1])) !== null),
    );
  } catch {
    // Missing, cut short or unreadable: it only saves time.
    return {};
  }
}

/** Two writers at once may lose one of the entries, which costs one more probe. */
async function remember(memory: string, path: string, key: string, version: string): Promise<void> {
  const others = Object.entries(await read(memory)).filter(([name]) => !name.startsWith(`${path} `));
  const temporary = join(dirname(memory), `.versions-${process.pid}-${Math.random().toString(36).slice(2)}`);
  try {
    await mkdir(dirname(memory), { recursive: true });
    await writeFile(temporary, JSON.stringify(Object.fromEntries([...others, [key, version]]), null, 2));
    await rename(temporary, memory);
  } catch {
    // A cache folder that cannot be written to is no reason to stop.
    await rm(temporary, { force: true });
  }
}
