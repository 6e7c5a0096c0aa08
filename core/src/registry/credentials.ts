/**
 * Whose name and password go to which repository: what the settings say, the config files of Docker and podman, their credential
 * helpers, and GITHUB_TOKEN. https://docs.docker.com/reference/cli/docker/login/#credential-stores,
 * https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
import { join } from 'node:path';
import type { RegistryLogin } from '../config/registry-setting.ts';
import type { DockerConfig } from '../exec/environment.ts';
import { configFailure, fail, ok, type Result } from '../failure.ts';
import { once } from '../once.ts';
import type { Repository } from '../reference.ts';
import { userHome } from '../user-home.ts';
import {
  entryOf,
  entryOfPrefix,
  fromAuth,
  parseDockerConfig,
  readDockerConfig,
  serverOf,
  toAuth,
  type DockerConfigFile,
} from './docker-config.ts';
import { plain, property } from './refusal.ts';

/** `identity`: the secret is a token that is only good for fetching other tokens. */
export interface Login {
  readonly kind: 'password' | 'identity';
  readonly username: string;
  readonly secret: string;
}

export interface Credentials {
  /**
   * Undefined: nobody is logged in there, which is enough for public images. Asked once an account, then remembered. Without
   * `path`, who we are at the host as a whole.
   */
  login(registry: string, path?: string): Promise<Result<Login | undefined>>;
  /**
   * A Docker config with the logins of these hosts and no others, for a tool; without those that cannot be read.
   * `repositories` of these hosts that have an account of their own get an entry of their own, which crane, cosign, trivy and
   * skopeo look for first; Docker itself knows hosts only.
   */
  dockerConfigFor(registries: readonly string[], repositories?: Iterable<Repository>): Promise<DockerConfig>;
}

/** A login that the settings name, for a registry or a repository prefix in one. */
export interface Account {
  /** `ghcr.io` or `ghcr.io/team-a`. */
  readonly match: string;
  readonly login: RegistryLogin;
}

export interface HelperAnswer {
  readonly exitCode: number;
  readonly stdout: string;
}

/** Runs `docker-credential-NAME get` with the server's address on standard input: this folder starts no process. */
export type RunHelper = (name: string, server: string) => Promise<Result<HelperAnswer>>;

export interface CredentialsOptions {
  /** Those that say where logins are ({@link storesOf}), GITHUB_TOKEN and GITHUB_ACTOR are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `.docker` and `.config` are; the user's home, if there is one, when absent. */
  readonly home?: string;
  readonly runHelper: RunHelper;
  /** The longest that covers a repository counts; none when absent. */
  readonly accounts?: readonly Account[];
  /** Told every secret as soon as it is known, before anybody uses it. */
  readonly learnt?: (secret: string) => void;
}

/** What is sent by Basic, before it is encoded; an identity that has no name goes by that of one. */
export function userAndSecret({ kind, username, secret }: Login): string {
  return `${kind === 'identity' && username === '' ? '<token>' : username}:${secret}`;
}

/** A helper's name becomes part of a program's name. */
const HELPER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function createCredentials(options: CredentialsOptions): Credentials {
  const { env, home = userHome(env), runHelper, accounts = [], learnt = () => {} } = options;
  const stores = storesOf(env, home);
  const configs = new Map<string, Promise<Result<DockerConfigFile>>>();
  /** Of repositories, and of helpers. */
  const logins = new Map<string, Promise<Result<Login | undefined>>>();

  function configAt(name: string): Promise<Result<DockerConfigFile>> {
    const text = name === INLINE ? env[INLINE] : undefined;
    return once(configs, name, async () =>
      text === undefined ? readDockerConfig(name) : parseDockerConfig(text, name),
    );
  }

  /** Undefined: the settings say nothing of it. */
  async function ofAccount(registry: string, path: string | undefined): Promise<Result<Login | undefined> | undefined> {
    const account = accountFor(accounts, registry, path);
    return account === undefined ? undefined : read(account, registry, path);
  }

  async function read({ match, login }: Account, registry: string, path?: string): Promise<Result<Login | undefined>> {
    if (login.kind === 'helper') return askOnce(login.name, registry);
    if (login.kind === 'dockerConfig') return inConfig(login.file, registry, path);
    const username = 'username' in login ? login.username : env[login.usernameEnv];
    const secret = env[login.passwordEnv];
    if (username && secret) return ok({ kind: 'password', username, secret });
    const missing = username || 'username' in login ? login.passwordEnv : login.usernameEnv;
    return fail(configFailure(`${missing} is not set, which the settings name for the login to ${match}`));
  }

  async function inConfig(name: string, registry: string, path?: string): Promise<Result<Login | undefined>> {
    const config = await configAt(name);
    if (!config.ok) return config;
    const { auths, credHelpers, credsStore } = config.value;
    // Where a prefix of the repository has an entry, as in the files of podman and skopeo, it goes before the host's.
    const prefixed = fromAuth(entryOfPrefix(auths, registry, path));
    if (prefixed !== undefined) return ok(prefixed);
    const helper = entryOf(credHelpers, registry) ?? credsStore;
    if (typeof helper === 'string' && helper !== '') {
      const answer = await askOnce(helper, registry);
      if (!answer.ok || answer.value !== undefined) return answer;
    }
    return ok(fromAuth(entryOf(auths, registry)));
  }

  async function find(registry: string, path?: string): Promise<Result<Login | undefined>> {
    const own = await ofAccount(registry, path);
    if (own !== undefined) return own;
    for (const store of stores) {
      const stored = await inConfig(store, registry, path);
      if (!stored.ok || stored.value !== undefined) return stored;
    }
    const token = env['GITHUB_TOKEN'];
    // The registry looks at the token; the name only has to be there.
    if (registry === 'ghcr.io' && token) {
      return ok({ kind: 'password', username: env['GITHUB_ACTOR'] || 'x-access-token', secret: token });
    }
    return ok(undefined);
  }

  function askOnce(helper: string, registry: string): Promise<Result<Login | undefined>> {
    return once(logins, `${helper} ${registry}`, () => askHelper(helper, registry, runHelper));
  }

  function login(registry: string, path?: string): Promise<Result<Login | undefined>> {
    return once(logins, `of ${registry}/${path ?? ''}`, async () => {
      const found = await find(registry, path);
      if (found.ok && found.value !== undefined) {
        learnt(found.value.secret);
        // As it is sent: in base64 the two together hold nothing that is known of the one.
        learnt(userAndSecret(found.value));
      }
      return found;
    });
  }

  async function dockerConfigFor(
    registries: readonly string[],
    repositories: Iterable<Repository> = [],
  ): Promise<DockerConfig> {
    const auths: Record<string, Readonly<Record<string, string>>> = {};
    const hosts = new Set(registries);
    for (const registry of [...hosts].sort()) {
      const found = await login(registry);
      if (found.ok && found.value !== undefined) auths[serverOf(registry)] = toAuth(found.value);
    }
    for (const { registry, path } of repositories) {
      if (!hosts.has(registry) || !hasOwnAccount(registry, path)) continue;
      const found = await login(registry, path);
      if (!found.ok || found.value === undefined) continue;
      for (const name of namesForTools(registry)) auths[`${name}/${path}`] = toAuth(found.value);
    }
    return { auths };
  }

  function hasOwnAccount(registry: string, path: string): boolean {
    const account = accountFor(accounts, registry, path);
    return account !== undefined && account.match !== registry;
  }

  return { login, dockerConfigFor };
}

/** The name of a variable that holds the text of such a file; it stands for itself among the files. */
const INLINE = 'DOCKER_AUTH_CONFIG';

/** Where logins are kept, by docker and by podman, in the order in which they are asked. */
function storesOf(env: CredentialsOptions['env'], home: string | undefined): readonly string[] {
  const docker = env['DOCKER_CONFIG'] || (home && join(home, '.docker'));
  const podman = [env['XDG_RUNTIME_DIR'], env['XDG_CONFIG_HOME'] || (home && join(home, '.config'))];
  return [
    ...(env[INLINE] ? [INLINE] : []),
    ...(docker ? [join(docker, 'config.json')] : []),
    ...(env['REGISTRY_AUTH_FILE']
      ? [env['REGISTRY_AUTH_FILE']]
      : podman.flatMap((folder) => (folder ? [join(folder, 'containers', 'auth.json')] : []))),
  ];
}

/** The account whose prefix is the longest that covers the repository. */
export function accountFor<T extends { readonly match: string }>(
  accounts: readonly T[],
  registry: string,
  path = '',
): T | undefined {
  const name = `${registry}/${path}`;
  let best: T | undefined;
  for (const account of accounts) {
    if (account.match !== registry && name !== account.match && !name.startsWith(`${account.match}/`)) continue;
    if (best === undefined || account.match.length > best.match.length) best = account;
  }
  return best;
}

/** Some tools call Docker Hub by its older name. */
function namesForTools(registry: string): readonly string[] {
  return registry === 'docker.io' ? [registry, 'index.docker.io'] : [registry];
}

/** https://github.com/docker/docker-credential-helpers#development */
async function askHelper(name: string, registry: string, runHelper: RunHelper): Promise<Result<Login | undefined>> {
  if (!HELPER.test(name)) {
    return fail(
      configFailure(
        `the Docker config names a credential helper ${JSON.stringify(plain(name))}, which is not a valid name`,
      ),
    );
  }
  const answer = await runHelper(name, serverOf(registry));
  if (!answer.ok) return answer;
  const { exitCode, stdout } = answer.value;
  if (exitCode !== 0) {
    if (/credentials not found/i.test(stdout)) return ok(undefined);
    return fail(
      configFailure(
        `docker-credential-${name} failed for ${registry} (exit ${exitCode})`,
        `try: echo ${serverOf(registry)} | docker-credential-${name} get`,
      ),
    );
  }
  try {
    const json: unknown = JSON.parse(stdout);
    const username = property(json, 'Username');
    const secret = property(json, 'Secret');
    if (typeof username === 'string' && typeof secret === 'string') {
      if (secret === '') return ok(undefined);
      return ok(
        username === '<token>' ? { kind: 'identity', username: '', secret } : { kind: 'password', username, secret },
      );
    }
  } catch {
    // Told below: what it printed may hold a secret, so it is not shown.
  }
  return fail(
    configFailure(
      `docker-credential-${name} gave no valid answer for ${registry}`,
      `try: echo ${serverOf(registry)} | docker-credential-${name} get`,
    ),
  );
}
