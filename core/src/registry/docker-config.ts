/** Docker's config file: https://docs.docker.com/reference/cli/docker/login/#credential-stores */
import { open } from 'node:fs/promises';
import { configFailure, fail, ok, type Result } from '../failure.ts';
import { normaliseHost } from '../reference.ts';
import type { Login } from './credentials.ts';
import { property } from './refusal.ts';

const HUB_SERVER = 'https://index.docker.io/v1/';
const MAX_CONFIG = 1024 * 1024;

/** What Slipway reads of such a file; nothing in it is checked yet. */
export interface DockerConfigFile {
  readonly auths: unknown;
  readonly credHelpers: unknown;
  readonly credsStore: unknown;
}

const NOTHING: DockerConfigFile = { auths: undefined, credHelpers: undefined, credsStore: undefined };
/** Of a file that is not there; a folder in its place is what a container runtime makes of a missing one. */
const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/** A file that is not there holds nothing. */
export async function readDockerConfig(file: string): Promise<Result<DockerConfigFile>> {
  let text: string;
  try {
    await using handle = await open(file);
    if ((await handle.stat()).size > MAX_CONFIG) {
      return fail(configFailure(`${file} is too large to be a Docker config`));
    }
    text = await handle.readFile('utf8');
  } catch (error) {
    const code = property(error, 'code');
    if (ABSENT.has(code)) return ok(NOTHING);
    return fail(
      configFailure(
        `${file} cannot be read (${String(code)})`,
        'it holds the logins of registries; DOCKER_CONFIG says where it is',
      ),
    );
  }
  return parseDockerConfig(text, file);
}

/** `name`: what the text is called in a failure. */
export function parseDockerConfig(text: string, name: string): Result<DockerConfigFile> {
  try {
    const json: unknown = JSON.parse(text);
    return ok({
      auths: property(json, 'auths'),
      credHelpers: property(json, 'credHelpers'),
      credsStore: property(json, 'credsStore'),
    });
  } catch {
    return fail(configFailure(`${name} is not valid JSON`, 'mend it, or write it again with "docker login"'));
  }
}

/** The entry of the longest prefix that has one; the host's own is not meant. */
export function entryOfPrefix(table: unknown, registry: string, path = ''): unknown {
  const parts = path.split('/').filter((part) => part !== '');
  for (let count = parts.length; count > 0; count -= 1) {
    const entry = property(table, `${registry}/${parts.slice(0, count).join('/')}`);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** What the config says for a registry, whose key may be written as a host or as an address. */
export function entryOf(table: unknown, registry: string): unknown {
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
  return normaliseHost(host);
}

/** Under which name Docker keeps a registry's login. */
export function serverOf(registry: string): string {
  return registry === 'docker.io' ? HUB_SERVER : registry;
}

export function fromAuth(entry: unknown): Login | undefined {
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

export function toAuth({ kind, username, secret }: Login): Readonly<Record<string, string>> {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  return kind === 'identity'
    ? { auth: encode(`${username}:`), identitytoken: secret }
    : { auth: encode(`${username}:${secret}`) };
}
