/** The registry client as the settings and the environment say: logins, mirrors, limits. */
import type { Settings } from '../config/settings-model.ts';
import type { Variables } from '../exec/environment.ts';
import { findProgram } from '../exec/program.ts';
import { runProcess } from '../exec/process.ts';
import { createRedactor } from '../exec/redact.ts';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { Repository } from '../reference.ts';
import type { ChallengeMemory } from '../registry/challenge.ts';
import { createRegistry, type RegistryOptions } from '../registry/client.ts';
import { accountFor, createCredentials, type Credentials } from '../registry/credentials.ts';
import type { HostOptions } from '../registry/http.ts';
import { isLoopback, otherName, withPort } from '../registry/address.ts';
import type { FetchJson, Registry } from '../registry/model.ts';
import type { ApiMemory } from '../registry/referrers.ts';
import type { Rehearsal } from '../registry/rehearsal.ts';
import { routeRegistry } from '../registry/route.ts';
import type { UploadRecords } from '../registry/upload-records.ts';
import { createLayouts, type Layouts } from '../oci/layouts.ts';

export interface OpenRegistry {
  /** To be closed by the caller. */
  readonly registry: Registry;
  /** The part of it that is in the file system; closed with it. */
  readonly layouts: Layouts;
  readonly credentials: Credentials;
  readonly fetchJson: FetchJson;
}

export function openRegistry(options: {
  readonly settings: Settings;
  /** Relative locations are in it. */
  readonly folder: string;
  readonly env: Variables;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly apiMemory?: ApiMemory;
  readonly challenges?: ChallengeMemory;
  readonly uploads?: UploadRecords;
  readonly rehearsal?: Rehearsal;
  /** Repositories that the run writes to. */
  readonly writes?: (repository: Repository) => boolean;
  /** Something that people should read, as a registry said it. */
  readonly notice?: (message: string) => void;
  /** Told every secret as soon as it is known. */
  readonly learnt?: (secret: string) => void;
}): OpenRegistry {
  const { settings, folder, env, version, signal, apiMemory, challenges, uploads, writes, notice, learnt, rehearsal } =
    options;
  const registries = underBothNames(settings);
  const accounts = registries.flatMap(({ match, login }) => (login === undefined ? [] : [{ match, login }]));
  const credentials = createCredentials({
    env,
    runHelper: (name, server) => runCredentialHelper(name, server, env, signal),
    accounts,
    ...(learnt === undefined ? {} : { learnt }),
  });
  const remote = createRegistry({
    ...connectionRules(settings),
    mirrors: settings.mirrors,
    credentials,
    accountOf: ({ registry, path }) => accountFor(accounts, registry, path)?.match ?? registry,
    reserve: (account) => registries.find(({ match }) => match === account)?.reserve ?? 0,
    ...(apiMemory === undefined ? {} : { apiMemory }),
    ...(challenges === undefined ? {} : { challenges }),
    ...(uploads === undefined ? {} : { uploads }),
    ...(rehearsal === undefined ? {} : { rehearsal }),
    ...(writes === undefined ? {} : { writes }),
    ...(notice === undefined ? {} : { notice }),
    userAgent: `slipway/${version}`,
    signal,
  });
  const layouts = createLayouts(folder, signal);
  return {
    registry: routeRegistry(remote, rehearsal?.layouts(layouts) ?? layouts),
    layouts,
    credentials,
    fetchJson: remote.fetchJson,
  };
}

/** How registries are spoken to, whoever we are there. */
export function connectionRules(
  settings: Settings,
): Pick<RegistryOptions, 'plainHttp' | 'perHost' | 'rampUp' | 'bandwidth' | 'hostOptions'> {
  const { limits, registries } = settings;
  const plainHttp = plainHttpRule(settings);
  const fullName = (host: string) => withPort(host, plainHttp(host));
  const named = new Map<string, HostOptions>(settings.plainHttp.map((host) => [fullName(host), {}]));
  for (const { match, login: _, reserve: __, plainHttp: ___, ...host } of registries) {
    if (!match.includes('/')) named.set(fullName(match), { ...named.get(fullName(match)), ...host });
  }
  return {
    plainHttp,
    perHost: limits.host,
    rampUp: limits.rampUp,
    ...(limits.bandwidth === undefined ? {} : { bandwidth: limits.bandwidth }),
    // In the clear an address without its port may be of a host that is only named with it.
    hostOptions: (host) => named.get(fullName(host)) ?? named.get(withPort(host, true)),
  };
}

/** What is said of a host counts under its other name too, unless that has an item of its own. */
function underBothNames(settings: Settings): Settings['registries'] {
  const { registries } = settings;
  const plainHttp = plainHttpRule(settings);
  const listed = new Set(registries.map(({ match }) => match));
  return registries.flatMap((item) => {
    const [host = '', ...path] = item.match.split('/');
    const other = otherName(host, plainHttp(host));
    if (other === undefined || plainHttp(other) !== plainHttp(host)) return [item];
    const match = [other, ...path].join('/');
    return listed.has(match) ? [item] : [item, { ...item, match }];
  });
}

export function plainHttpRule({ plainHttp, registries }: Settings): (host: string) => boolean {
  const said = new Map(plainHttp.map((host) => [host, true]));
  for (const { match, plainHttp: clear, ca, cert } of registries) {
    if (clear !== undefined) said.set(match, clear);
    else if ((ca ?? cert) !== undefined && !said.has(match)) said.set(match, false);
  }
  for (const [host, clear] of [...said]) {
    const full = withPort(host, clear);
    if (!said.has(full)) said.set(full, clear);
  }
  return (host) => said.get(host) ?? isLoopback(host.replace(/:\d+$/, ''));
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
