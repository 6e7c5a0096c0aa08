/** Which services a signature uses, and what is trusted when it is verified. */
import { fail, ok, type Result, type SigningInput, type TaskContext } from '@slipway/core';
import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Names no service at all: with a key, nothing then leaves the machine. */
const NO_SERVICES = {
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  rekorTlogConfig: {},
  tsaConfig: {},
};
/** Without one cosign fetches the public one, even to sign with a key. */
const NO_TRUST = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' };

export interface Services {
  /** Absolute paths. */
  readonly signingConfig: string;
  readonly trustedRoot: string;
}

/** What the settings name; else nothing for a key and the public good instance for an identity. */
export async function servicesFor(signing: SigningInput, context: TaskContext): Promise<Result<Services>> {
  const offline = signing.key !== undefined && signing.signingConfig === undefined;
  const signingConfig = await (signing.signingConfig !== undefined
    ? ok(signing.signingConfig)
    : offline
      ? ok(await constantFile('no-services.json', NO_SERVICES, context))
      : publicGood('signing-config', context));
  if (!signingConfig.ok) return signingConfig;
  const trustedRoot = await (signing.trustedRoot !== undefined
    ? ok(signing.trustedRoot)
    : offline
      ? ok(await constantFile('no-trust.json', NO_TRUST, context))
      : publicGood('trusted-root', context));
  return trustedRoot.ok ? ok({ signingConfig: signingConfig.value, trustedRoot: trustedRoot.value }) : trustedRoot;
}

/**
 * The file of the public good instance, by TUF, once a run. Several at once may fetch it; the first that is finished
 * stays, and none is ever seen half written.
 */
export async function publicGood(
  kind: 'signing-config' | 'trusted-root',
  context: TaskContext,
): Promise<Result<string>> {
  const file = join(context.files.shared, `public-good-${kind}.json`);
  if (await isFile(file)) return ok(file);
  const out = join(context.files.work, `${kind}.json`);
  const made = await context.exec('cosign', [kind, 'create', '--with-default-services', '--out', out], {
    // The home is the run's; what TUF has checked once may outlive it. Each call its own: cosign does not lock the folder.
    env: { TUF_ROOT: join(context.files.work, 'tuf') },
  });
  if (!made.ok) {
    if (made.failure.reason !== 'tool') return made;
    const message = `the ${kind.replace('-', ' ')} of the public Sigstore instance could not be fetched: ${made.failure.message}`;
    return fail({
      ...made.failure,
      class: 'transient',
      message,
      hint: 'try again later, or name your own with signing.signingConfig and signing.trustedRoot',
    });
  }
  await rename(out, file);
  return ok(file);
}

async function constantFile(name: string, content: unknown, context: TaskContext): Promise<string> {
  const file = join(context.files.work, name);
  await writeFile(file, JSON.stringify(content));
  return file;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
