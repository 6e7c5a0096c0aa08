/** What this machine lacks for Dockerfiles, told from files and the environment before anything is started. */
import type { Failure, MissingToolFailure, PreflightRequest } from '@slipway/core';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { userConfig } from './builder.ts';
import { findCaches } from './caches.ts';
import { MAKE_ONE, NEEDED } from './explain.ts';
import { parseOptions, type DockerOptions } from './options.ts';
import { findSecrets } from './secrets.ts';

const DOCKER_SOCKET = '/var/run/docker.sock';
const SOCKET = 'unix://';

export async function preflight({ options, root, env }: PreflightRequest): Promise<readonly Failure[]> {
  const parsed = parseOptions(options);
  // Each by itself, so that all that are missing are told at once.
  const secrets = Object.entries(parsed.secrets).map(([id, source]) => findSecrets({ [id]: source }, root, env));
  const caches = findCaches(parsed, root);
  const sources = [...(await Promise.all(secrets)), caches].flatMap((found) => (found.ok ? [] : [found.failure]));
  return [...sources, ...(await missingBuilders(parsed, env))];
}

async function missingBuilders(
  { endpoint, endpoints, builder }: DockerOptions,
  env: PreflightRequest['env'],
): Promise<readonly MissingToolFailure[]> {
  const option = endpoints === undefined ? 'endpoint' : 'endpoints';
  const named = [...new Set(endpoint === undefined ? Object.values(endpoints ?? {}) : [endpoint])];
  const absent: MissingToolFailure[] = [];
  for (const socket of named.filter((one) => one.startsWith(SOCKET)).map((one) => one.slice(SOCKET.length))) {
    if (await exists(socket)) continue;
    const hint = `start it, or correct the option "${option}" of the plugin build-docker`;
    absent.push(missing(`no buildkitd listens at ${socket}`, hint));
  }
  // What a named builder is, and whether another endpoint answers, only buildx can tell.
  if (named.length > 0 || builder !== undefined || env['BUILDX_BUILDER'] !== undefined) return absent;
  const config = userConfig(env);
  const chosen = env['DOCKER_HOST'] !== undefined || (config !== undefined && (await exists(join(config, 'current'))));
  if (chosen || (await exists(DOCKER_SOCKET))) return [];
  return [missing(`there is no builder for Dockerfiles: ${NEEDED}`, MAKE_ONE)];
}

function missing(message: string, hint: string): MissingToolFailure {
  return { reason: 'missing-tool', class: 'permanent', tool: 'buildkitd', message, hint };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
