/** What is signed and believed of images that somebody else put there, with a plugin of one file in place of the tools. */
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

const PLUGIN = `
import { createHash, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
const ok = (value) => ({ ok: true, value });
const signed = (key, bytes) => sign('sha256', bytes, readFileSync(key)).toString('base64');
const payloadType = 'application/vnd.in-toto+json';
export default {
  name: 'own', version: '1.0.0', api: '1.1', needs: { tools: [] },
  apply(hooks) {
    const on = (contract, run) => hooks.task.for(contract).tapPromise('own', async (input) => ok(run(input)));
    on('image.scan@1', ({ children }) => {
      const at = new Date().toISOString();
      const platforms = children.map(({ digest, platform: { os, architecture } }) => {
        return { digest, platform: os + '/' + architecture, status: 'scanned', packages: 1, findings: [] };
      });
      return { scanner: { name: 'own', version: '1', uri: 'https://own.example' }, startedAt: at, finishedAt: at, platforms };
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

function keys(): Readonly<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    'own.mjs': PLUGIN,
    'own.key': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'own.pub': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

const settings = (format: string): string => `plugins: [./own.mjs]
use: { image.copy: sync-registry, image.scan: own, sbom.make: own, statement.sign: own, payload.sign: own, image.verify: own }
signing: { key: ./own.key, publicKey: ./own.pub, format: ${format} }
`;

interface Answered {
  readonly entries: readonly { readonly digest: string; readonly signed: boolean; readonly why: string }[];
}

it.each(['bundle', 'legacy', 'both'])('scan signs nothing of an image that is not signed (%s)', async (format) => {
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry();
  const ours = seedImage(source, 'a', 'ours', { tag: '1' });
  const cwd = folderWith({
    ...keys(),
    'config.yaml': `sync: [{ source: '${source.host}/a:1', destination: '${destination.host}/a:1' }]\n`,
    'slipway.config.yaml': settings(format),
  });
  const run = async (name: string) => {
    const ran = await command({ cwd }, name, '--json');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return (JSON.parse(ran.stdout) as Answered).entries[0];
  };
  expect(await run('run')).toMatchObject({ digest: ours.digest, signed: true });

  const theirs = seedImage(destination, 'a', 'theirs', { tag: '1' });
  const since = destination.log.length;
  const scanned = await run('scan');
  expect(scanned).toMatchObject({ digest: theirs.digest, signed: false });
  expect(scanned?.why).toContain('no signature of ours');
  expect(destination.log.slice(since).filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);

  expect(await run('run')).toMatchObject({ digest: ours.digest, signed: true });
  const before = destination.log.length;
  expect(await run('scan')).toMatchObject({ digest: ours.digest, signed: true });
  expect(destination.log.slice(before).some(({ method }) => method === 'PUT')).toBe(true);
});

it('an identity whose signature shows no time is not known to be old, whatever the image says of itself', async () => {
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry();
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', created: '2020-01-01T00:00:00Z' });
  const type = 'application/vnd.oci.image.config.v1+json';
  const described = { mediaType: type, digest: source.putBlob('a', config), size: config.length };
  source.putManifest('a', { schemaVersion: 2, config: described, layers: [] }, '1');
  const verify = 'verify: { issuer: https://issuer.example, subject: someone, minAge: 7d }';
  const cwd = folderWith({
    ...keys(),
    'config.yaml': `sync: [{ source: '${source.host}/a:1', destination: '${destination.host}/a:1', ${verify} }]\n`,
    'slipway.config.yaml': settings('bundle'),
  });
  const ran = await command({ cwd }, 'run', '--json');
  expect(ran.code, ran.stdout).toBe(1);
  expect(ran.stdout).toContain('nothing says when');
  expect(destination.log.filter(({ method }) => method === 'PUT')).toEqual([]);
});
