/** The registry client as the settings and the environment say: logins, mirrors, limits. */
import type { Settings } from '../config/model.ts';
import type { Variables } from '../exec/environment.ts';
import { findProgram } from '../exec/program.ts';
import { runProcess } from '../exec/process.ts';
import { createRedactor } from '../exec/redact.ts';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import { createRegistry } from '../registry/client.ts';
import { createCredentials, type Credentials } from '../registry/credentials.ts';
import { isLoopback } from '../registry/address.ts';
import type { Registry } from '../registry/model.ts';
import type { ApiMemory } from '../registry/referrers.ts';
import { routeRegistry } from '../registry/route.ts';
import { createLayouts, type Layouts } from '../oci/layouts.ts';

export interface OpenRegistry {
  /** To be closed by the caller. */
  readonly registry: Registry;
  /** The part of it that is in the file system; closed with it. */
  readonly layouts: Layouts;
  readonly credentials: Credentials;
}

export function openRegistry(options: {
  readonly settings: Settings;
  /** Relative locations are in it. */
  readonly folder: string;
  readonly env: Variables;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly apiMemory?: ApiMemory;
}): OpenRegistry {
  const { settings, folder, env, version, signal, apiMemory } = options;
  const credentials = createCredentials({
    env,
    runHelper: (name, server) => runCredentialHelper(name, server, env, signal),
  });
  const remote = createRegistry({
    plainHttp: plainHttpRule(settings),
    mirrors: settings.mirrors,
    credentials,
    perHost: settings.limits.host,
    ...(apiMemory === undefined ? {} : { apiMemory }),
    userAgent: `slipway/${version}`,
    signal,
  });
  const layouts = createLayouts(folder);
  return { registry: routeRegistry(remote, layouts), layouts, credentials };
}

export function plainHttpRule({ plainHttp }: Settings): (host: string) => boolean {
  const allowed = new Set(plainHttp);
  return (host) => allowed.has(host) || isLoopback(host.replace(/:\d+$/, ''));
}

/** https://github.com/docker/docker-credential-helpers#development */
async function runCredentialHelper(
  name: string,
  server: string,
  env: Variables,
  signal: AbortSignal,
): Promise<Result<{ readonly exitCode: number; readonly stdout: string }>> {
  const program = findProgram(`docker-credential-${name}`, env['PATH']);
  if (program === undefined) return fail(helperFailure(name, 'it is not on PATH'));
  const outcome = await runProcess({
    path: program,
    args: ['get'],
    cwd: '/',
    env: Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)),
    input: server,
    timeout: 30_000,
    maxOutput: 64 * 1024,
    signal,
    redact: createRedactor([]),
  });
  if (outcome.end === 'exit') return ok({ exitCode: outcome.code, stdout: outcome.stdout });
  return fail(helperFailure(name, outcome.end));
}

function helperFailure(name: string, end: string): Failure {
  const tool = `docker-credential-${name}`;
  return {
    reason: 'tool',
    class: 'permanent',
    tool,
    message: `the credential helper ${tool} could not be asked (${end})`,
    hint: "Docker's config.json names it: install it, or log in without it",
  };
}
