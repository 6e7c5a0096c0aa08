/** `registries:` of the settings. Certificates and keys are read here, so that what is wrong with them is known at once. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { configFailure, type ConfigFailure } from '../failure.ts';
import { parseBandwidth } from './bandwidth.ts';
import type { Document, Path } from './document.ts';
import { count, fields, flag, items, text, type Fields } from './fields.ts';
import { parsePrefix } from './hosts.ts';
import type { RegistryLogin, RegistrySetting } from './registry-setting.ts';
import { quote } from './quote.ts';
import { FROM_HERE, readText } from './read-text.ts';

const MAX_PEM = 1024 * 1024;
const MAX_DOCKER_CONFIG = 1024 * 1024;
/** What is of a host, whose connections all repositories of it share. */
const OF_HOST = ['ca', 'cert', 'key', 'connections', 'requestsPerSecond', 'bandwidth', 'plainHttp'];

/** `folder`: what paths are relative to. What is wrong goes to `problems`. */
export async function readRegistries(
  document: Document,
  folder: string,
  problems: ConfigFailure[],
): Promise<readonly RegistrySetting[]> {
  const found: RegistrySetting[] = [];
  for (const [index, item] of items(fields(document.data)['registries']).entries()) {
    const setting = await readItem(fields(item), ['registries', index]);
    if (setting !== undefined) found.push(setting);
  }
  return found;

  function problem(message: string, hint: string | undefined, path: Path): undefined {
    problems.push(configFailure(message, hint, document.locate(path)));
  }

  async function readItem(item: Fields, path: Path): Promise<RegistrySetting | undefined> {
    const match = readMatch(item, path);
    const login = await readLogin(fields(item['login']), [...path, 'login']);
    const tls = await readTls(item, path);
    if (match === undefined) return undefined;
    const [host = ''] = match.split('/');
    if (match !== host) {
      const wrong = [...OF_HOST, ...(login === undefined ? ['reserve'] : [])].filter((key) => item[key] !== undefined);
      for (const key of wrong) {
        problem(`"${key}" is for a whole host`, `move it to an item that matches ${host}`, [...path, key]);
      }
    }
    const bandwidth = parseBandwidth(text(item['bandwidth']) ?? '');
    const plainHttp = flag(item['plainHttp']);
    const [connections, requestsPerSecond, reserve] = ['connections', 'requestsPerSecond', 'reserve'].map((key) =>
      count(item[key]),
    );
    return {
      match,
      ...(login === undefined ? {} : { login }),
      ...tls,
      ...(connections === undefined ? {} : { connections }),
      ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(reserve === undefined ? {} : { reserve }),
      ...(plainHttp === undefined ? {} : { plainHttp }),
    };
  }

  function readMatch(item: Fields, path: Path): string | undefined {
    const written = text(item['match']);
    if (!written) return undefined;
    const prefix = parsePrefix(written);
    if (!prefix.ok) return problem(prefix.failure.message, prefix.failure.hint, [...path, 'match']);
    if (found.some(({ match }) => match === prefix.value)) {
      return problem(`the registry ${quote(prefix.value)} is listed twice`, 'make one item of them', [
        ...path,
        'match',
      ]);
    }
    return prefix.value;
  }

  async function readLogin(item: Fields, path: Path): Promise<RegistryLogin | undefined> {
    const [username, usernameEnv] = [text(item['username']), text(item['usernameEnv'])];
    const passwordEnv = text(item['passwordEnv']);
    const [dockerConfig, helper] = [text(item['dockerConfig']), text(item['helper'])];
    const ways = [username ?? usernameEnv ?? passwordEnv, dockerConfig, helper].filter((way) => way !== undefined);
    if (ways.length === 0) return undefined;
    if (ways.length > 1) {
      return problem('a login has one way only', 'keep usernameEnv and passwordEnv, dockerConfig or helper', path);
    }
    if (helper !== undefined) return { kind: 'helper', name: helper };
    if (dockerConfig !== undefined) {
      const file = await readFileAt(dockerConfig, MAX_DOCKER_CONFIG, [...path, 'dockerConfig']);
      return file === undefined ? undefined : { kind: 'dockerConfig', file: file.path };
    }
    if (username !== undefined && usernameEnv !== undefined) {
      return problem('"username" and "usernameEnv" exclude each other', 'keep one of them', [...path, 'username']);
    }
    if (passwordEnv !== undefined && username !== undefined) return { kind: 'env', username, passwordEnv };
    if (passwordEnv !== undefined && usernameEnv !== undefined) return { kind: 'env', usernameEnv, passwordEnv };
    const missing = passwordEnv === undefined ? 'passwordEnv' : 'usernameEnv';
    return problem(`"${missing}" is missing`, 'a name and the variable of its password stand together', path);
  }

  async function readTls(item: Fields, path: Path): Promise<Pick<RegistrySetting, 'ca' | 'cert' | 'key'>> {
    const pem: { ca?: string; cert?: string; key?: string } = {};
    for (const key of ['ca', 'cert', 'key'] as const) {
      const name = text(item[key]);
      const file = name ? await readFileAt(name, MAX_PEM, [...path, key]) : undefined;
      if (file === undefined) continue;
      if (await isUsable({ [key]: file.text })) pem[key] = file.text;
      else
        problem(`${quote(name ?? '')} is not a PEM ${key === 'key' ? 'private key' : 'certificate'}`, NO_PASSWORD, [
          ...path,
          key,
        ]);
    }
    const [has, lacks] = item['cert'] === undefined ? ['key', 'cert'] : ['cert', 'key'];
    if (item[has] !== undefined && item[lacks] === undefined) {
      problem(`"${lacks}" is missing beside "${has}"`, 'a certificate is worth nothing without its key', [
        ...path,
        has,
      ]);
    }
    if (pem.cert !== undefined && pem.key !== undefined && !(await isUsable(pem))) {
      problem('"cert" and "key" do not belong together', undefined, [...path, 'key']);
    }
    return pem;
  }

  async function readFileAt(
    name: string,
    limit: number,
    path: Path,
  ): Promise<{ readonly path: string; readonly text: string } | undefined> {
    // A secret may be mounted anywhere, so that these paths are not held inside the folder.
    const file = resolve(folder, name);
    const read = /\p{Cc}/u.test(name) ? undefined : await readText(file, limit);
    if (read?.ok === true) return { path: file, text: read.value };
    return problem(read?.failure.message ?? `the path ${quote(name)} has a control character`, FROM_HERE, path);
  }
}

const NO_PASSWORD = 'PEM as openssl writes it, a key without a password';

interface Pem {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** OpenSSL itself says whether they can be used; why not is nothing that it says to people. */
async function isUsable(pem: Pem): Promise<boolean> {
  // Most settings name no certificate, and this takes time to load.
  const { createSecureContext } = await import('node:tls');
  try {
    for (const text of [pem.ca, pem.cert]) if (text !== undefined) new X509Certificate(text);
    if (pem.key !== undefined) createPrivateKey(pem.key);
    createSecureContext(pem);
    return true;
  } catch {
    return false;
  }
}
