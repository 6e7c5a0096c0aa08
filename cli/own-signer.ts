/** For tests of the whole chain: a plugin of one file in place of the tools that scan, list and sign. */
import { generateKeyPairSync } from 'node:crypto';

const PLUGIN = `
import { sign } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
const found = import.meta.dirname + '/scan.json';
const ok = (value) => ({ ok: true, value });
const signed = (key, bytes) => sign('sha256', bytes, readFileSync(key)).toString('base64');
const payloadType = 'application/vnd.in-toto+json';
export default {
  name: 'own', version: '1.0.0', api: '1.1', needs: { tools: [] },
  apply(hooks) {
    const on = (contract, run) => hooks.task.for(contract).tapPromise('own', async (input) => ok(run(input)));
    on('image.scan@1', ({ children }) => {
      const { database, at = new Date().toISOString(), ...each } = existsSync(found) ? JSON.parse(readFileSync(found, 'utf8')) : {};
      const platforms = children.map(({ digest, platform: { os, architecture } }) => {
        return { digest, platform: os + '/' + architecture, status: 'scanned', packages: 1, findings: [], ...each };
      });
      return { scanner: { name: 'own', version: '1', uri: 'https://own.example' }, database, startedAt: at, finishedAt: at, platforms };
    });
    on('sbom.make@1', ({ children }) => ({
      documents: children.map(({ digest }) => ({ digest, spdx: { spdxVersion: 'SPDX-2.3', name: 'a', packages: [] } })),
    }));
    on('statement.sign@1', ({ statement, signing }) => {
      const payload = Buffer.from(JSON.stringify(statement));
      const head = 'DSSEv1 ' + payloadType.length + ' ' + payloadType + ' ' + payload.length + ' ';
      const sig = signed(signing.key, Buffer.concat([Buffer.from(head), payload]));
      return { bundle: JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { publicKey: { hint: '' } },
        dsseEnvelope: { payload: payload.toString('base64'), payloadType, signatures: [{ sig }] },
      }) };
    });
    on('payload.sign@1', ({ payload, signing }) => ({ signature: signed(signing.key, Buffer.from(payload, 'base64')) }));
    on('image.verify@1', () => ({ signer: 'someone', issuer: 'https://issuer.example' }));
  },
};
`;

/**
 * The plugin and a new pair of keys, as files of a checkout. Where a `scan.json` is beside them, each platform is found to be as it says,
 * with a `database` and at a time (`at`).
 */
export function ownSigner(): Readonly<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    'own.mjs': PLUGIN,
    'own.key': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'own.pub': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

export const ownSettings = (format: 'bundle' | 'legacy' | 'both' = 'bundle'): string => `plugins: [./own.mjs]
use: { image.copy: sync-registry, image.scan: own, sbom.make: own, statement.sign: own, payload.sign: own, image.verify: own }
signing: { key: ./own.key, publicKey: ./own.pub, format: ${format} }
`;
