/** What the operating system says when `.slipway` cannot be used, as a failure: it is no bug, and a stack trace would help nobody. */
import { tmpdir } from 'node:os';
import { configFailure, type ConfigFailure } from '../failure.ts';

/** These are about processes and the network, not about files. */
const OTHER_CALLS = /^(spawn|kill|connect|getaddrinfo|bind|listen)/;

/** What the operating system said about a file, as a failure; `undefined` for every other error. */
export function stateFailure(error: unknown): ConfigFailure | undefined {
  // Each session makes the folder when it starts: if it is missing, somebody has removed it since.
  const gone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  return fileFailure(
    error,
    'the folder .slipway beside the config',
    gone
      ? 'it was removed, or a folder above it renamed, while this was at work: run it again'
      : 'see who may write there, and whether the disk is full',
  );
}

/** The same, where the state is in the system's folder for temporary files. */
export function temporaryFailure(error: unknown): ConfigFailure | undefined {
  return fileFailure(
    error,
    `the folder ${tmpdir()} for temporary files`,
    'name another one with TMPDIR, or see who may write there, and whether the disk is full',
  );
}

function fileFailure(error: unknown, folder: string, hint: string): ConfigFailure | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  if (OTHER_CALLS.test(String(error.syscall))) return undefined;
  const where = 'path' in error ? error.path : error.syscall;
  if (error.code === 'ELOOP') {
    return configFailure(
      `${String(where)} is a symbolic link, which is not followed: what is swept there could be somebody's own files`,
      'remove the link; it may have come with the checkout',
    );
  }
  return configFailure(`${folder} cannot be used (${String(error.code)} at ${String(where)})`, hint);
}
