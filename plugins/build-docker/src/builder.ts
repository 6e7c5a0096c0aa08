/** Which builder makes the images, and where buildx finds what it knows of it. */
import {
  fail,
  formatPlatform,
  ok,
  userHome,
  type BuildContext,
  type Platform,
  type Result,
  type TaskContext,
} from '@slipway/core';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DockerOptions } from './options.ts';

export interface Builder {
  /** Arguments of `buildx build`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What buildx needs to reach builders that Docker or Kubernetes runs. */
export const inheritedVariables: readonly string[] = [
  ...['DOCKER_HOST', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY', 'DOCKER_API_VERSION'],
  ...['BUILDX_BUILDER', 'KUBECONFIG', 'SSH_AUTH_SOCK'],
];

export type Builders = (context: BuildContext) => Promise<Result<Builder>>;

/** Where the builder of `platforms` listens; undefined: buildx knows the builder by itself. */
export function endpointFor(
  { endpoint, endpoints }: DockerOptions,
  platforms: readonly Platform[],
): string | undefined {
  const [platform] = platforms;
  return endpoints === undefined || platform === undefined ? endpoint : endpoints[formatPlatform(platform)];
}

/** A builder for an endpoint is made once a run; the user's own are used as they are. */
export function createBuilders(options: DockerOptions): Builders {
  const made = new Map<string, Promise<Result<Builder>>>();
  return async (context) => {
    const endpoint = endpointFor(options, context.platforms);
    if (endpoint === undefined) {
      const args = options.builder === undefined ? [] : ['--builder', options.builder];
      const config = userConfig();
      return ok({ args, env: config === undefined ? {} : { BUILDX_CONFIG: config } });
    }
    const key = `${context.files.shared}\n${endpoint}`;
    const known = made.get(key) ?? makeRemote(endpoint, context);
    made.set(key, known);
    const result = await known;
    // The next task tries again: what stopped this one may have been its own time limit.
    if (!result.ok) made.delete(key);
    return result;
  };
}

async function makeRemote(endpoint: string, context: TaskContext): Promise<Result<Builder>> {
  const folder = join(context.files.shared, 'buildx');
  await mkdir(folder, { recursive: true });
  const env = { BUILDX_CONFIG: folder };
  const name = `slipway-${createHash('sha256').update(endpoint).digest('hex').slice(0, 12)}`;
  const created = await context.exec('buildx', ['create', '--name', name, '--driver', 'remote', endpoint], { env });
  // The name holds the endpoint, so one that is there already is the same.
  const there =
    !created.ok && created.failure.reason === 'tool' && /existing instance/.test(created.failure.output ?? '');
  return created.ok || there ? ok({ args: ['--builder', name], env }) : fail(created.failure);
}

/** Tools get a home and a DOCKER_CONFIG of their own; the user's builders are known in the user's. Undefined: the user has neither. */
export function userConfig(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  const home = userHome(env);
  const docker = env['DOCKER_CONFIG'] || (home && join(home, '.docker'));
  return env['BUILDX_CONFIG'] || (docker && join(docker, 'buildx'));
}
