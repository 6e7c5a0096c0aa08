/** The settings that point Slipway at the world: everything that is not in config.yaml. */
import type { KeyPair } from './keys.ts';
import type { WorldAddresses } from './world.ts';

/** The content of a settings file, as JSON data. */
export function worldSettings(world: WorldAddresses): Readonly<Record<string, unknown>> {
  const { keys } = world;
  const signer = (pair: KeyPair): Readonly<Record<string, unknown>> => ({
    key: pair.key,
    publicKey: pair.publicKey,
    signingConfig: keys.signingConfig,
    trustedRoot: keys.trustedRoot,
  });
  return {
    plugins: [
      { name: 'scan-trivy', options: { databaseRepository: world.database } },
      // The key of the world's own packages, so that images have one key and keep their digests.
      { name: 'build-melange', options: { signingKey: keys.packageKey } },
      ...(world.buildkit === undefined ? [] : [{ name: 'build-docker', options: { endpoint: world.buildkit } }]),
    ],
    // Trusted: the real host does not exist, so the mirror must say what a tag names.
    mirrors: [{ source: 'hub.slipway.example', mirror: world.source.host, trusted: true }],
    signing: { ...signer(keys.production), scratch: signer(keys.scratch) },
  };
}

/** What the environment of a run in the world must have. */
export function worldEnvironment(world: WorldAddresses): Readonly<Record<string, string>> {
  return { ...world.environment, COSIGN_PASSWORD: world.keys.password };
}
