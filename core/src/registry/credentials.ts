/**
 * Whose name and password go to which host: Docker's config file, its credential helpers, and GITHUB_TOKEN.
 * https://docs.docker.com/reference/cli/docker/login/#credential-stores
 */
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { configFailure, fail, ok, type Result } from '../failure.ts';
import { plain, property } from './refusal.ts';

/** `identity`: the secret is a token that is only good for fetching other tokens. */
export interface Login {
  readonly kind: 'password' | 'identity';
  readonly username: string;
  readonly secret: string;
}

export interface Credentials {
  /** Undefined: nobody is logged in there, which is enough for public images. Asked once a host, then remembered. */
  login(registry: string): Promise<Result<Login | undefined>>;
  /** Text of a Docker config with the logins of these hosts and no others, for a tool; without those that cannot be read. */
  dockerConfigFor(registries: readonly string[]): Promise<string>;
}

export interface HelperAnswer {
  readonly exitCode: number;
  readonly stdout: string;
}

/** Runs `docker-credential-NAME get` with the server's address on standard input: this folder starts no process. */
export type RunHelper = (name: string, server: string) => Promise<Result<HelperAnswer>>;

export interface CredentialsOptions {
  /** DOCKER_CONFIG, GITHUB_TOKEN and GITHUB_ACTOR are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `.docker` is; the user's home when absent. */
  readonly home?: string;
  readonly runHelper: RunHelper;
}

const HUB_SERVER = 'https://index.docker.io/v1/';
const MAX_CONFIG = 1024 * 1024;
/** A helper's name becomes part of a program's name. */
const HELPER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

interface DockerConfig {
  readonly auths: unknown;
  readonly credHelpers: unknown;
  readonly credsStore: unknown;
}

export function createCredentials({ env, home = homedir(), runHelper }: CredentialsOptions): Credentials {
  const file = join(env['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json');
  const logins = new Map<string, Promise<Result<Login | undefined>>>();
  let config: Promise<Result<DockerConfig>> | undefined;

  async function find(registry: string): Promise<Result<Login | undefined>> {
    config ??= readConfig(file);
    const read = await config;
    if (!read.ok) return read;
    const { auths, credHelpers, credsStore } = read.value;
    const helper = entryOf(credHelpers, registry) ?? credsStore;
    if (typeof helper === 'string' && helper !== '') {
      const answer = await askHelper(helper, registry, runHelper);
      if (!answer.ok || answer.value !== undefined) return answer;
    }
    const stored = fromAuth(entryOf(auths, registry));
    if (stored !== undefined) return ok(stored);
    const token = env['GITHUB_TOKEN'];
    // The registry looks at the token; the name only has to be there.
    if (registry === 'ghcr.io' && token) {
      return ok({ kind: 'password', username: env['GITHUB_ACTOR'] || 'x-access-token', secret: token });
    }
    return ok(undefined);
  }

  function login(registry: string): Promise<Result<Login | undefined>> {
    const known = logins.get(registry) ?? find(registry);
    logins.set(registry, known);
    return known;
  }

  async function dockerConfigFor(registries: readonly string[]): Promise<string> {
    const auths: Record<string, unknown> = {};
    for (const registry of [...new Set(registries)].sort()) {
      const found = await login(registry);
      if (found.ok && found.value !== undefined) auths[serverOf(registry)] = toAuth(found.value);
    }
    return JSON.stringify({ auths });
  }

  return { login, dockerConfigFor };
}

async function readConfig(file: string): Promise<Result<DockerConfig>> {
  let text: string;
  try {
    await using handle = await open(file);
    if ((await handle.stat()).size > MAX_CONFIG) {
      return fail(configFailure(`${file} is too large to be a Docker config`));
    }
    text = await handle.readFile('utf8');
  } catch (error) {
    const code = property(error, 'code');
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return ok({ auths: undefined, credHelpers: undefined, credsStore: undefined });
    }
    return fail(
      configFailure(
        `${file} cannot be read (${String(code)})`,
        'it holds the logins of registries; DOCKER_CONFIG says where it is',
      ),
    );
  }
  try {
    const json: unknown = JSON.parse(text);
    return ok({
      auths: property(json, 'auths'),
      credHelpers: property(json, 'credHelpers'),
      credsStore: property(json, 'credsStore'),
    });
  } catch {
    return fail(configFailure(`${file} is not valid JSON`, 'mend it, or write it again with "docker login"'));
  }
}

/** What the config says for a registry, whose key may be written as a host or as an address. */
function entryOf(table: unknown, registry: string): unknown {
  if (typeof table !== 'object' || table === null) return undefined;
  const exact = property(table, serverOf(registry)) ?? property(table, registry);
  if (exact !== undefined) return exact;
  const key = Object.keys(table).find((name) => hostOf(name) === registry);
  return key === undefined ? undefined : property(table, key);
}

/** `https://index.docker.io/v1/` → `docker.io`. A key with a repository in it is good for that one only, so it is no host. */
function hostOf(key: string): string | undefined {
  const [host = '', ...path] = key.replace(/^https?:\/\//, '').split('/');
  if (!['', 'v1', 'v2', 'v1/', 'v2/'].includes(path.join('/'))) return undefined;
  const name = host.toLowerCase();
  return name === 'index.docker.io' || name === 'registry-1.docker.io' ? 'docker.io' : name;
}

/** Under which name Docker keeps a registry's login. */
function serverOf(registry: string): string {
  return registry === 'docker.io' ? HUB_SERVER : registry;
}

function fromAuth(entry: unknown): Login | undefined {
  const auth = property(entry, 'auth');
  const decoded = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '') : '';
  const colon = decoded.indexOf(':');
  const username = colon < 0 ? property(entry, 'username') : decoded.slice(0, colon);
  const secret = colon < 0 ? property(entry, 'password') : decoded.slice(colon + 1);
  const identity = property(entry, 'identitytoken');
  const name = typeof username === 'string' ? username : '';
  if (typeof identity === 'string' && identity !== '') return { kind: 'identity', username: name, secret: identity };
  if (name === '' || typeof secret !== 'string' || secret === '') return undefined;
  return { kind: 'password', username: name, secret };
}

function toAuth({ kind, username, secret }: Login): unknown {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  return kind === 'identity'
    ? { auth: encode(`${username}:`), identitytoken: secret }
    : { auth: encode(`${username}:${secret}`) };
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
