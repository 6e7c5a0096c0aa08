/** Keys of the world. They last between runs: two package keys would give two digests of one image. */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Runner } from './processes.ts';

export interface KeyPair {
  /** Absolute path of the encrypted private key. */
  readonly key: string;
  /** Absolute path of the public key, PEM. */
  readonly publicKey: string;
}

export interface Keys {
  /** Signs Alpine packages; its public key is the same path with `.pub`. */
  readonly packageKey: string;
  readonly production: KeyPair;
  readonly scratch: KeyPair;
  /** Nobody's: signatures by it must never be taken for ours. */
  readonly foreign: KeyPair;
  /** What opens the private keys, for COSIGN_PASSWORD. */
  readonly password: string;
  /** A signing config and a trusted root that name no service: signing and verifying by key, offline. */
  readonly signingConfig: string;
  readonly trustedRoot: string;
}

/** It protects nothing: the keys are made for this machine's demo and trusted nowhere. */
const PASSWORD = 'demo';
const PAIRS = ['production', 'scratch', 'foreign'] as const;

export interface KeyOptions {
  readonly folder: string;
  readonly cosign: string;
  readonly melange: string;
  readonly run: Runner;
}

/** Makes the keys, or takes those that `folder` has from an earlier run. */
export async function ensureKeys(options: KeyOptions): Promise<Keys> {
  const { folder } = options;
  const complete = (await readdir(folder).catch(() => [])).length > 0;
  if (!complete) await makeKeys(options);
  const pair = (name: string): KeyPair => ({
    key: join(folder, `${name}.key`),
    publicKey: join(folder, `${name}.pub`),
  });
  return {
    packageKey: join(folder, 'slipway.rsa'),
    production: pair('production'),
    scratch: pair('scratch'),
    foreign: pair('foreign'),
    password: PASSWORD,
    signingConfig: join(folder, 'signing-config.json'),
    trustedRoot: join(folder, 'trusted-root.json'),
  };
}

/** Made aside and moved in one step, so that an interrupted or a second run never leaves half of them. */
async function makeKeys({ folder, cosign, melange, run }: KeyOptions): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const aside = await mkdtemp(`${folder}-`);
  const env = { COSIGN_PASSWORD: PASSWORD };
  await Promise.all([
    run(melange, ['keygen', 'slipway.rsa'], { cwd: aside }),
    run(cosign, ['signing-config', 'create', '--out', 'signing-config.json'], { cwd: aside }),
    run(cosign, ['trusted-root', 'create', '--out', 'trusted-root.json'], { cwd: aside }),
    ...PAIRS.map((name) => run(cosign, ['generate-key-pair', '--output-key-prefix', name], { cwd: aside, env })),
  ]);
  await rename(aside, folder).catch(() => rm(aside, { recursive: true, force: true }));
}
