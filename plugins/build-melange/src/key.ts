/** The key that signs packages and their indexes. */
import { configFailure, fail, ok, type Result, type TaskContext } from '@slipway/core';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

export interface SigningKey {
  /** How the file is called: it stands in every signature, and with `.pub` it is the public key's name in an image. */
  readonly name: string;
  /** PEM, as PKCS #1. */
  readonly privateKey: string;
  /** PEM. */
  readonly publicKey: string;
  /** Hex digits of the SHA-256 of the public key, DER. */
  readonly fingerprint: string;
}

/** Of keys that come without a file. */
const ENV_NAME = 'melange.rsa';
const EPHEMERAL_NAME = 'ephemeral.rsa';
const MAX_KEY = 64 * 1024;
/** A file name that no tool takes for anything else, and no shorter than melange's habit. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Reads the key that the options name. `root`: what a path is relative to. */
export async function givenKey(
  written: string,
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Result<SigningKey>> {
  const variable = /^env:\/\/(.*)$/s.exec(written)?.[1];
  if (variable !== undefined) {
    const value = env[variable];
    if (value === undefined || value === '') {
      const message = `signingKey of build-melange names the environment variable ${variable}, which is not set`;
      return fail(configFailure(message, `set ${variable} to the private key, PEM`));
    }
    return parseKey(ENV_NAME, value, written);
  }
  const path = resolve(root, written);
  const name = basename(path);
  if (!NAME.test(name))
    return fail(
      configFailure(
        `the file name of signingKey "${written}" has characters other than letters, digits, ".", "_" and "-"`,
      ),
    );
  try {
    const about = await stat(path);
    if (!about.isFile() || about.size > MAX_KEY)
      return fail(configFailure(`signingKey "${written}" is not a key file`));
    return parseKey(name, await readFile(path, 'utf8'), written);
  } catch {
    return fail(
      configFailure(
        `signingKey "${written}" cannot be read`,
        'paths are relative to the folder of config.yaml; melange keygen makes a key',
      ),
    );
  }
}

function parseKey(name: string, pem: string, written: string): Result<SigningKey> {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'rsa') {
      return fail(
        configFailure(
          `signingKey "${written}" is not an RSA key`,
          'packages are signed with RSA: melange keygen makes such a key',
        ),
      );
    }
    const half = createPublicKey(key);
    const fingerprint = createHash('sha256')
      .update(half.export({ type: 'spki', format: 'der' }))
      .digest('hex');
    // Melange reads no other form; OpenSSL 3 makes PKCS #8.
    const privateKey = key.export({ type: 'pkcs1', format: 'pem' }).toString();
    return ok({ name, privateKey, publicKey: half.export({ type: 'spki', format: 'pem' }).toString(), fingerprint });
  } catch {
    return fail(
      configFailure(
        `signingKey "${written}" is not a private key without a password, PEM`,
        'melange keygen makes a key',
      ),
    );
  }
}

export interface Keys {
  /** The key for a task: the one that the options name, otherwise one for the whole run. */
  keyFor(context: TaskContext): Promise<Result<SigningKey>>;
}

/** `written`: the option. */
export function createKeys(written: string | undefined): Keys {
  /** By the folder that lasts as long as the run. */
  const made = new Map<string, Promise<Result<SigningKey>>>();
  return {
    async keyFor(context) {
      if (written !== undefined) return givenKey(written, context.files.root, process.env);
      const { shared } = context.files;
      const making = made.get(shared) ?? makeKey(context);
      made.set(shared, making);
      const key = await making;
      // A task that was stopped while it made the key must not fail those that follow.
      if (!key.ok && made.get(shared) === making) made.delete(shared);
      return key;
    },
  };
}

async function makeKey({ exec, files, log }: TaskContext): Promise<Result<SigningKey>> {
  log(
    'warning: no signingKey is set for build-melange: packages are signed with a key of this run alone, so the digest of an image changes whenever it is built',
  );
  const folder = await mkdtemp(join(files.work, 'key-'));
  const made = await exec('melange', ['keygen', '--key-size', '4096', EPHEMERAL_NAME], { cwd: folder });
  if (!made.ok) return made;
  return parseKey(EPHEMERAL_NAME, await readFile(join(folder, EPHEMERAL_NAME), 'utf8'), EPHEMERAL_NAME);
}

/** Writes the key into a task's own folder, which is gone after the task; its path. */
export async function writeKey(key: SigningKey, folder: string): Promise<string> {
  const path = join(await mkdtemp(join(folder, 'signing-')), key.name);
  await writeFile(path, key.privateKey, { mode: 0o600, flag: 'wx' });
  return path;
}
