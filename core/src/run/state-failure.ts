/** When the folder for state is what fails: no bug, and nobody is helped by a stack trace. */
import { configFailure, type ConfigFailure } from '../failure.ts';

/** These are about processes and the network, not about files. */
const OTHER_CALLS = /^(spawn|kill|connect|getaddrinfo|bind|listen)/;

/** What the operating system said about a file, as a failure; `undefined` for every other error. */
export function stateFailure(error: unknown): ConfigFailure | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  if (OTHER_CALLS.test(String(error.syscall))) return undefined;
  const where = 'path' in error ? error.path : error.syscall;
  return configFailure(
    `the folder .slipway beside the config cannot be used (${String(error.code)} at ${String(where)})`,
    'see who may write there, and whether the disk is full',
  );
}
