/** Public keys that signatures are checked with. */
import { createHash, createPublicKey } from 'node:crypto';
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import type { Accept } from './settings-model.ts';
import { quote } from './quote.ts';
import { FROM_HERE, readText } from './read-text.ts';

const MAX_BYTES = 64 * 1024;

/** From a PEM file; `name` is what the settings call it. The fingerprint is sha256 of the SPKI DER, in hex. */
export async function readPublicKey(file: string, name: string): Promise<Result<Accept, ConfigFailure>> {
  const text = await readText(file, MAX_BYTES);
  if (!text.ok) return fail({ hint: `it is a PEM file with a public key; ${FROM_HERE}`, ...text.failure });
  // Node would make the public key from a private one, and then the private one would be taken for something to show around.
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text.value)) {
    return fail(configFailure(`${quote(name)} is a private key`, 'name the file with the public key, as cosign.pub'));
  }
  try {
    const key = createPublicKey(text.value);
    const publicKey = key.export({ type: 'spki', format: 'pem' });
    const der = key.export({ type: 'spki', format: 'der' });
    const fingerprint = createHash('sha256').update(der).digest('hex');
    return ok({ kind: 'key', publicKey: String(publicKey), fingerprint });
  } catch {
    return fail(configFailure(`${quote(name)} is not a PEM public key`, 'it starts with -----BEGIN PUBLIC KEY-----'));
  }
}
