/** What this machine lacks for Dockerfiles, told from files and the environment before anything is started. */
import type { Failure, MissingToolFailure, PreflightRequest } from '@slipway/core';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { userConfig } from './builder.ts';
import { MAKE_ONE, NEEDED } from './explain.ts';
import { parseOptions, type DockerOptions } from './options.ts';
import { findSecrets } from './secrets.ts';

const DOCKER_SOCKET = '/var/run/docker.sock';

export async function preflight({ options, root, env }: PreflightRequest): Promise<readonly Failure[]> {
  const parsed = parseOptions(options);
  const secrets = await findSecrets(parsed.secrets, root, env);
  const builder = await missingBuilder(parsed, env);
  return [...(secrets.ok ? [] : [secrets.failure]), ...(builder === undefined ? [] : [builder])];
}

async function missingBuilder(
  { endpoint, builder }: DockerOptions,
  env: PreflightRequest['env'],
): Promise<MissingToolFailure | undefined> {
  const socket = endpoint?.startsWith('unix://') === true ? endpoint.slice('unix://'.length) : undefined;
  if (socket !== undefined && !(await exists(socket))) {
    return missing(
      `no buildkitd listens at ${socket}`,
      'start it, or correct the option "endpoint" of the plugin build-docker',
    );
  }
  // What a named builder is, and whether another endpoint answers, only buildx can tell.
  if (endpoint !== undefined || builder !== undefined || env['BUILDX_BUILDER'] !== undefined) return undefined;
  const chosen = env['DOCKER_HOST'] !== undefined || (await exists(join(userConfig(env), 'current')));
  return chosen || (await exists(DOCKER_SOCKET))
    ? undefined
    : missing(`there is no builder for Dockerfiles: ${NEEDED}`, MAKE_ONE);
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
