import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { complaints, hints, options, valueOf } from './fixtures.ts';
import { loadConfig } from './load.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = String(pair.publicKey.export({ type: 'spki', format: 'pem' }));
const privateKey = String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));

async function load(verify: string, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-keys-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    if (content.startsWith('/')) await symlink(content, join(folder, name));
    else await writeFile(join(folder, name), content);
  }
  const file = join(folder, 'config.yaml');
  await writeFile(file, `sync:\n  - source: alpine:1\n    destination: r.example/a:1\n    verify: ${verify}\n`);
  return loadConfig(file, options);
}

test('keys are read from the config’s folder, alone or among several signers', async () => {
  const alone = valueOf(await load('{ key: ./up.pub }', { 'up.pub': publicKey }));
  expect(alone.entries[0]).toMatchObject({
    verify: { accept: [{ kind: 'key', publicKey, fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }] },
  });
  const several = '{ anyOf: [{ key: up.pub }, { issuer: https://i.example, subject: s }], minAge: 1d }';
  const both = valueOf(await load(several, { 'up.pub': publicKey }));
  expect(both.entries[0]).toMatchObject({
    verify: { accept: [{ kind: 'key' }, { kind: 'identity', subject: { exact: 's' } }], minAge: 86_400_000 },
  });
});

test('a key that is missing, private, no key, or outside of the folder is told once', async () => {
  expect(complaints(await load('{ key: up.pub }', {}))).toEqual([
    expect.stringMatching(/^4:20 .*up\.pub does not exist$/),
  ]);
  expect(hints(await load('{ key: up.pub }', {}))).toEqual([expect.stringContaining('paths are relative to')]);
  expect(complaints(await load('{ key: up.pub }', { 'up.pub': privateKey }))).toEqual([
    '4:20 "up.pub" is a private key',
  ]);
  expect(complaints(await load('{ key: up.pub }', { 'up.pub': 'hello' }))).toEqual([
    '4:20 "up.pub" is not a PEM public key',
  ]);
  const elsewhere = await mkdtemp(join(tmpdir(), 'slipway-outside-'));
  onTestFinished(() => rm(elsewhere, { recursive: true, force: true }));
  const outside = join(elsewhere, 'k.pub');
  await writeFile(outside, publicKey);
  expect(complaints(await load('{ key: up.pub }', { 'up.pub': outside }))).toEqual([
    expect.stringContaining('"up.pub" is a link that leaves the config\'s folder'),
  ]);
  expect(complaints(await load('{ key: up.pub, issuer: a }', { 'up.pub': publicKey }))).toEqual([
    '4:13 a public key stands alone',
  ]);
});
