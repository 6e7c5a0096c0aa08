/** One run of cosign that signs, without any registry, and what its last words mean when it does not. */
import {
  fail,
  ok,
  readToolOutput,
  type Failure,
  type Result,
  type SigningInput,
  type TaskContext,
} from '@slipway/core';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signingEnvironment } from './environment.ts';
import { servicesFor } from './services.ts';

const TOO_LARGE =
  'if the statement is too large for the log: sign with a signing config that names no log, as with signing.key alone';

export interface MadeBundle {
  readonly text: string;
  /** Absolute path of the trusted root that was signed with. */
  readonly trustedRoot: string;
}

/** `attest-blob` signs an in-toto statement, `sign-blob` bytes as they are. Fails before cosign starts when there is nothing to sign with. */
export async function makeBundle(
  command: 'attest-blob' | 'sign-blob',
  content: Uint8Array,
  signing: SigningInput,
  context: TaskContext,
): Promise<Result<MadeBundle>> {
  const env = signingEnvironment(signing);
  if (!env.ok) return env;
  const services = await servicesFor(signing, context);
  if (!services.ok) return services;
  const { signingConfig, trustedRoot } = services.value;
  const file = join(context.files.work, 'content.json');
  const bundle = join(context.files.work, 'bundle.json');
  await writeFile(file, content);
  const args = [
    ...[command, '--yes', '--bundle', bundle],
    // The token flow takes a token or fails; every other one would wait for a person.
    ...(signing.key === undefined ? ['--fulcio-auth-flow', 'token'] : ['--key', signing.key]),
    ...['--signing-config', signingConfig, '--trusted-root', trustedRoot],
    ...(command === 'attest-blob' ? ['--statement', file] : [file]),
  ];
  const signed = await context.exec('cosign', args, { env: env.value });
  if (!signed.ok) return fail(explain(signed.failure, signing, content.byteLength));
  const written = await readToolOutput('cosign', bundle, String);
  return written.ok ? ok({ text: written.value, trustedRoot }) : written;
}

/** `size`: bytes of what was to be signed. */
function explain(failure: Failure, signing: SigningInput, size: number): Failure {
  if (failure.reason !== 'tool') return failure;
  const output = failure.output ?? '';
  const permanent = (message: string, hint: string): Failure => ({ ...failure, class: 'permanent', message, hint });
  if (/\b413\b|too large|entity too large|message larger than max/i.test(output)) {
    return permanent(`the transparency log refused the statement because it is too large (${kib(size)})`, TOO_LARGE);
  }
  if (output.includes('error signing bundle: invalid character')) {
    // What a proxy in front of a log answers is a page, and cosign shows only that it could not read it.
    return permanent(
      `a signing service did not answer as one (the statement has ${kib(size)}): ${failure.message}`,
      TOO_LARGE,
    );
  }
  if (output.includes('decryption failed')) {
    return permanent(
      `the private key ${signing.key ?? ''} could not be opened with the password`,
      'set COSIGN_PASSWORD to the password of the key',
    );
  }
  if (/reading key|loading key|getting signer/.test(output)) {
    return permanent(
      `the signing key ${signing.key ?? ''} could not be read: ${failure.message}`,
      "signing.key is a file of cosign's, env://NAME, or the URI of a key management service",
    );
  }
  if (/retrieving ID token|reading ID token|ambient OIDC/.test(output)) {
    return {
      ...failure,
      message: `no identity token could be had: ${failure.message}`,
      hint: 'in GitHub Actions the job needs "permissions: id-token: write"',
    };
  }
  return {
    ...failure,
    hint:
      failure.class === 'transient'
        ? 'a signing service could not be reached; try again'
        : 'the lines of cosign above say why',
  };
}

function kib(size: number): string {
  return `${Math.ceil(size / 1024)} KiB`;
}
