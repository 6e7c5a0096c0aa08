/** Where a user's own files are: caches, logins, what tools know of the user. */
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import type { Variables } from './exec/environment.ts';

/**
 * `HOME`, else what the system has for the user. Undefined: nothing that can be used, as for a user in a container whom the system does
 * not know; or it is relative, and what is kept there would be in the checkout.
 */
export function userHome(env: Variables, ofSystem: () => string = homedir): string | undefined {
  const home = env['HOME'] ?? known(ofSystem);
  return home !== undefined && isAbsolute(home) ? home : undefined;
}

function known(ofSystem: () => string): string | undefined {
  try {
    return ofSystem();
  } catch {
    return undefined;
  }
}
