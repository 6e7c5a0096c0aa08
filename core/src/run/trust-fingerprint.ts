/** Under what something was verified: whose signatures count, and what proves identities. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Accept } from '../config/settings-model.ts';
import { acceptFingerprint } from '../trust/accept.ts';

/** Of trusted roots by their path: a run reads each once, as the tools do that verify with it. */
const roots = new Map<string, string>();

/** What was verified under one is not believed under another. `trustedRoot`: absolute path of a Sigstore trusted root. */
export function trustFingerprint(accept: readonly Accept[], trustedRoot: string | undefined): string {
  const own = acceptFingerprint(accept);
  return trustedRoot === undefined ? own : `${own} ${contentOf(trustedRoot)}`;
}

function contentOf(file: string): string {
  let hash = roots.get(file);
  if (hash === undefined) {
    hash = hashOf(file);
    roots.set(file, hash);
  }
  return hash;
}

/** One that cannot be read fails where it is used. */
function hashOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}
