/** `signing:` of the settings. Reads public keys; private keys are only looked for, never read. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import type { Document, Path } from './document.ts';
import { fields, items, text, type Fields } from './fields.ts';
import { readIdentity } from './identity.ts';
import type { Accept, SignatureFormat, Signing } from './settings-model.ts';
import { readPublicKey } from './public-key.ts';
import { quote } from './quote.ts';
import { whyUnreadable } from './read-text.ts';

const KMS = ['awskms', 'azurekms', 'gcpkms', 'gitlab', 'hashivault', 'k8s', 'kubernetes'];
const SCHEME = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<rest>[!-~]+)$/;

export interface SigningSettings {
  readonly signing?: Signing;
  readonly scratch?: Signing;
}

/** `folder`: what paths are relative to. What is wrong goes to `problems`. */
export async function readSigning(
  document: Document,
  folder: string,
  problems: ConfigFailure[],
): Promise<SigningSettings> {
  const item = fields(fields(document.data)['signing']);
  const { scratch: scratchItem, ...own } = item;
  const signing = Object.keys(own).length === 0 ? undefined : await readSigner(own, ['signing']);
  const scratch =
    scratchItem === undefined
      ? undefined
      : await readSigner({ ...format(own), ...fields(scratchItem) }, ['signing', 'scratch']);
  return { ...(signing === undefined ? {} : { signing }), ...(scratch === undefined ? {} : { scratch }) };

  /** The value, or `undefined` once the failure is noted at its place. */
  function accept<T>(result: Result<T, ConfigFailure>, path: Path): T | undefined {
    if (result.ok) return result.value;
    problems.push({ ...result.failure, at: document.locate(path) });
    return undefined;
  }

  async function readSigner(item: Fields, path: Path): Promise<Signing | undefined> {
    const key = text(item['key']);
    const keyPath = key === undefined ? undefined : accept(readKey(key, folder), [...path, 'key']);
    const signer = await readOwn(item, path);
    const others: Accept[] = [];
    for (const [index, value] of items(item['accept']).entries()) {
      const accepted = await readAccept(fields(value), [...path, 'accept', index]);
      if (accepted !== undefined) others.push(accepted);
    }
    const signingConfig = await readFileName(item, 'signingConfig', path);
    const trustedRoot = await readFileName(item, 'trustedRoot', path);
    const identityTokenEnv = text(item['identityTokenEnv']);
    const publicKey = text(item['publicKey']);
    if (signer === undefined) return undefined;
    return {
      ...format(item),
      ...(keyPath === undefined ? {} : { key: keyPath, keyAt: document.locate([...path, 'key']) }),
      ...(publicKey === undefined ? {} : { publicKeyFile: resolve(folder, publicKey) }),
      signer,
      accept: [signer, ...others],
      ...(signingConfig === undefined ? {} : { signingConfig }),
      ...(trustedRoot === undefined ? {} : { trustedRoot }),
      ...(identityTokenEnv === undefined ? {} : { identityTokenEnv }),
    };
  }

  /** How what we sign ourselves is recognised: the public key, or the keyless identity. */
  async function readOwn(item: Fields, path: Path): Promise<Accept | undefined> {
    const { key, keyless, publicKey } = item;
    if (key === undefined && keyless === undefined) {
      return accept(
        fail(configFailure('"signing" names no signer', 'add key and publicKey, or keyless with issuer and subject')),
        path,
      );
    }
    if (key !== undefined && keyless !== undefined) {
      return accept(fail(configFailure('"key" and "keyless" exclude each other', 'keep one of them')), [
        ...path,
        'keyless',
      ]);
    }
    if (keyless !== undefined && publicKey !== undefined) {
      const failure = configFailure(
        '"publicKey" belongs to "key", not to "keyless"',
        'to accept an older key, list it in accept',
      );
      return accept(fail(failure), [...path, 'publicKey']);
    }
    if (keyless !== undefined) return readIdentity(fields(keyless), [...path, 'keyless'], accept);
    if (publicKey === undefined) {
      const hint = 'publicKey: the PEM file of the public key, as cosign public-key prints it';
      return accept(fail(configFailure('"publicKey" is missing beside "key"', hint)), [...path, 'key']);
    }
    return readKeyFile(text(publicKey), [...path, 'publicKey']);
  }

  async function readAccept(item: Fields, path: Path): Promise<Accept | undefined> {
    if (item['publicKey'] === undefined) return readIdentity(item, path, accept);
    if (Object.keys(item).length > 1) {
      return accept(fail(configFailure('a public key stands alone', 'make two items of it')), path);
    }
    return readKeyFile(text(item['publicKey']), [...path, 'publicKey']);
  }

  async function readKeyFile(name: string | undefined, path: Path): Promise<Accept | undefined> {
    if (!name) return undefined;
    const file = accept(resolvePath(name, folder), path);
    return file === undefined ? undefined : accept(await readPublicKey(file, name), path);
  }

  async function readFileName(item: Fields, key: string, path: Path): Promise<string | undefined> {
    const name = text(item[key]);
    return name ? accept(await findFile(name, folder), [...path, key]) : undefined;
  }
}

/** What a consumer can read does not depend on the key: scratch has the format of `signing` unless it says otherwise. */
function format(item: Fields): { readonly format?: SignatureFormat } {
  const value = item['format'];
  return value === 'bundle' || value === 'legacy' || value === 'both' ? { format: value } : {};
}

/** Whether a key file is there is looked at before it is needed: a plan, or a `--to` run in a fork, has no use for it. */
function readKey(key: string, folder: string): Result<string, ConfigFailure> {
  if (!key.includes('://')) return resolvePath(key, folder);
  const { scheme = '', rest = '' } = SCHEME.exec(key)?.groups ?? {};
  if (scheme === 'env') {
    if (/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(rest)) return ok(key);
    return fail(configFailure('"key" names no environment variable', 'for example env://COSIGN_PRIVATE_KEY'));
  }
  if (KMS.includes(scheme)) return ok(key);
  return fail(
    configFailure(
      '"key" has an unknown scheme',
      `a file, env://NAME, or one of ${KMS.map((each) => `${each}://`).join(', ')}`,
    ),
  );
}

async function findFile(name: string, folder: string): Promise<Result<string, ConfigFailure>> {
  const file = resolvePath(name, folder);
  if (!file.ok) return file;
  try {
    if ((await stat(file.value)).isFile()) return file;
    return fail(configFailure(`${quote(name)} is not a file`));
  } catch (error) {
    return fail(configFailure(`${quote(name)} ${whyUnreadable(error)}`, "paths are relative to the settings' folder"));
  }
}

/** Settings are written by whoever runs Slipway: a key may lie outside of their folder, as a mounted secret does. */
function resolvePath(name: string, folder: string): Result<string, ConfigFailure> {
  if (/\p{Cc}/u.test(name)) return fail(configFailure(`the path ${quote(name)} has a control character`));
  return ok(resolve(folder, name));
}
