/** Implementations change, the data stays: each swap is a line of the settings, and the plan is the same byte for byte. */
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { worldSettings } from '../demo/world/settings.ts';
import { project, type ProjectOptions } from './chain/project.ts';
import { digestOf, source, verifies } from './chain/shorthand.ts';
import { cosign, freshPath, freshPrefix, slipway, world, writeFiles, writeSettings, freshFolder } from './world.ts';

/** What the settings say besides the world's; `plugins` are added to the world's. */
type Swap = Readonly<Record<string, unknown>> & { readonly plugins?: readonly unknown[] };

const swapped = ({ plugins = [], ...swap }: Swap): ProjectOptions['settings'] & {} => ({
  ...swap,
  plugins: [...(worldSettings(world())['plugins'] as readonly unknown[]), ...plugins],
});

const CRANE: Swap = { use: { 'image.copy': 'sync-crane' } };
const SKOPEO: Swap = { use: { 'image.copy': 'sync-skopeo' } };
const LISTED: Swap = { plugins: ['sync-skopeo'], use: { 'image.copy': 'sync-skopeo' } };
const SYFT: Swap = { use: { 'sbom.make': 'sbom-syft' } };
const INLINE: Swap = { plugins: ['./sign-inline.mjs'], use: { 'statement.sign': 'sign-inline' } };

/** A signer of a dozen lines, which needs neither a tool nor a package: the Sigstore bundle of a key, made by Node. */
const SIGNER = `import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const TYPE = 'application/vnd.in-toto+json';

async function signStatement({ statement, signing }) {
  const key = createPrivateKey(await readFile(signing.key, 'utf8'));
  const payload = Buffer.from(JSON.stringify(statement));
  // https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md: what is signed
  const signed = Buffer.concat([Buffer.from(\`DSSEv1 \${TYPE.length} \${TYPE} \${payload.length} \`), payload]);
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: createHash('sha256').update(spki).digest('base64') } },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: TYPE,
      signatures: [{ sig: sign('sha256', signed, key).toString('base64') }],
    },
  };
  return { ok: true, value: { bundle: JSON.stringify(bundle) } };
}

export default {
  name: 'sign-inline',
  version: '1.0.0',
  api: '1.0',
  needs: { tools: [] },
  apply(hooks) {
    hooks.task.for('statement.sign@1').tapPromise('sign-inline', signStatement);
  },
};
`;

test('the plan is the same byte for byte, whoever does the work', async () => {
  const from = await source('swap-plan');
  const sync = [
    { source: `hub.slipway.example/${from.path}:1`, destination: `${world().destination.host}/${freshPath('swap')}:1` },
  ];
  const { run, change } = await project({ sync, files: { 'sign-inline.mjs': SIGNER } });
  const first = await run('plan');
  expect(first.code, first.stderr).toBe(0);
  for (const swap of [CRANE, SKOPEO, LISTED, SYFT, INLINE]) {
    await change({ settings: swapped(swap) });
    const again = await run('plan');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toBe(first.stdout);
  }
});

test('crane, skopeo and Slipway itself publish the same digest from the same config', async () => {
  const from = await source('swap-copy');
  const { run, change } = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: 'registry.slipway.example/swap:1' }],
  });
  const [own, cranes, skopeos] = [freshPrefix('by-slipway'), freshPrefix('by-crane'), freshPrefix('by-skopeo')];
  const byItself = await run('run', '--to', own);
  await change({ settings: swapped(CRANE) });
  const byCrane = await run('run', '--to', cranes);
  await change({ settings: swapped(SKOPEO) });
  const bySkopeo = await run('run', '--to', skopeos);
  for (const ran of [byItself, byCrane, bySkopeo]) {
    expect(ran.code, ran.stderr + ran.stdout).toBe(0);
    expect(ran.row('/swap:1')).toMatchObject({ outcome: 'published', digest: from.digest, signed: true });
  }
  const started = ({ answer }: typeof byCrane) =>
    answer.tools.map(({ name }) => name).filter((name) => /crane|skopeo/.test(name));
  expect([started(byItself), started(byCrane), started(bySkopeo)]).toEqual([[], ['crane'], ['skopeo']]);
  for (const prefix of [own, cranes, skopeos]) expect(await digestOf(`${prefix}/swap:1`)).toBe(from.digest);
});

test('syft makes the attested SBOM in place of the scanner', async () => {
  const from = await source('swap-sbom');
  const { run } = await project({
    sync: [
      {
        source: `hub.slipway.example/${from.path}:1`,
        destination: `${world().destination.host}/${freshPath('swap-sbom')}:1`,
      },
    ],
    settings: swapped(SYFT),
  });
  const ran = await run('run');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect(ran.answer.entries[0]).toMatchObject({ outcome: 'published', signed: true, packages: 1 });
  expect(ran.answer.tools.find(({ name }) => name === 'syft')).toMatchObject({ started: 2 });
  const verified = await run('verify', '--deep');
  expect(verified.answer.entries[0], verified.stderr).toMatchObject({ ok: true, missing: [] });
});

test('a signer from a file beside the settings is believed by slipway and by cosign', async () => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const from = await source('swap-signer');
  const destination = `${world().destination.host}/${freshPath('swap-signer')}:1`;
  const { run, folder } = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination }],
    files: {
      'sign-inline.mjs': SIGNER,
      'key.pem': keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'key.pub': keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    },
    settings: swapped({ ...INLINE, signing: { key: './key.pem', publicKey: './key.pub' } }),
  });
  const ran = await run('run');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect(ran.answer.tools.map(({ name }) => name)).not.toContain('cosign');
  const verified = await run('verify', '--deep');
  expect(verified.answer.entries[0], verified.stderr).toMatchObject({ ok: true, missing: [] });

  const publicKey = join(folder, 'key.pub');
  const image = `${destination.slice(0, -':1'.length)}@${from.digest}`;
  expect(await verifies(image, publicKey)).toBe(true);
  expect(await verifies(image, world().keys.production.publicKey)).toBe(false);
  const how = ['--insecure-ignore-tlog', '--key', publicKey, image];
  const attested = await cosign(['verify-attestation', '--type', 'https://spdx.dev/Document', ...how]);
  expect(attested.code, attested.stderr).toBe(0);
  // Nothing is signed again by the next run, for what is there verifies.
  expect((await run('run')).answer.entries[0]?.outcome).toBe('unchanged');
  expect(await readFile(publicKey, 'utf8')).toContain('PUBLIC KEY');
});

describe('plugin diff', () => {
  test('says what skopeo cannot copy, and that all else is equal', async () => {
    const { code, cases, envelope } = await diff('sync-crane', 'sync-skopeo');
    expect(envelope).toMatchObject({
      contract: 'image.copy@1',
      plugins: [
        { name: 'sync-crane', tools: [{ name: 'crane' }] },
        { name: 'sync-skopeo', tools: [{ name: 'skopeo' }] },
      ],
    });
    expect(code).toBe(1);
    const different = cases.filter(({ equal }) => !equal);
    expect(different.map(({ name }) => name)).toContain('an index that holds an index');
    for (const { differences } of different) {
      expect(differences).toEqual([
        'sync-crane: succeeded',
        expect.stringMatching(/^sync-skopeo: skopeo \d\S* cannot copy /),
      ]);
    }
    expect(cases.filter(({ equal }) => equal).map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'a single manifest',
        'an index of two platforms',
        'a Docker manifest list',
        'an artifact',
      ]),
    );
    expect(cases.every(({ neither }) => neither === undefined)).toBe(true);
  });

  test('finds no difference between crane and Slipway itself', async () => {
    const { code, cases } = await diff('sync-registry', 'sync-crane');
    expect(code, JSON.stringify(cases)).toBe(0);
    expect(cases.every(({ equal }) => equal)).toBe(true);
  });

  test('finds no difference between the packages that trivy and syft find', async () => {
    const sample = await diff('scan-trivy', 'sbom-syft');
    expect(sample.code, JSON.stringify(sample.envelope)).toBe(0);
    expect(sample.envelope).toMatchObject({ contract: 'sbom.make@1', ok: true });
    expect(sample.cases.map(({ name }) => name)).toEqual(['packages of linux/amd64', 'packages of linux/arm64']);
    const image = await diff('scan-trivy', 'sbom-syft', '--image', `${world().source.host}/library/alpine:3.20`);
    expect(image.code, JSON.stringify(image.envelope)).toBe(0);
  });

  test('names the difference, and who made it', async () => {
    const blind = `export default {
      name: 'blind', version: '1.0.0', api: '1.0', needs: { tools: [] },
      apply: (hooks) => hooks.task.for('sbom.make@1').tapPromise('blind', async () => ({ ok: true, value: { documents: [] } })),
    };`;
    const folder = await freshFolder();
    await writeFiles(folder, { 'blind.mjs': blind });
    const { code, cases } = await diffIn(folder, 'sbom-syft', './blind.mjs');
    expect(code).toBe(1);
    expect(cases[0]?.differences).toEqual(['only sbom-syft found pkg:apk/alpine/musl@1.2.5-r0']);
  });

  test.each([
    [['sync-crane', 'scan-trivy'], 'sync-crane and scan-trivy have no contract in common'],
    [
      ['sync-crane', 'sync-skopeo', '--contract', 'sbom.make'],
      'sync-crane and sync-skopeo do not both implement sbom.make',
    ],
    [['sync-crane', 'sync-regctl'], 'the plugin package "sync-regctl" is not installed'],
  ])('%j is refused', async (args, message) => {
    const { code, envelope } = await diff(...args);
    expect(code).toBe(2);
    expect(envelope).toMatchObject({ ok: false, failures: [{ message }] });
  });
});

interface Case {
  readonly name: string;
  readonly equal: boolean;
  readonly differences: readonly string[];
  readonly neither?: string;
}

async function diff(...args: readonly string[]) {
  return diffIn(await freshFolder(), ...args);
}

async function diffIn(folder: string, ...args: readonly string[]) {
  await writeSettings(folder);
  const { code, stdout, stderr } = await slipway(['plugin', 'diff', ...args, '--json'], { cwd: folder });
  expect(stdout, stderr).toMatch(/^\{"slipway":1,"command":"plugin diff"/);
  const envelope = JSON.parse(stdout) as { readonly cases?: readonly Case[] };
  return { code, envelope, cases: envelope.cases ?? [] };
}
