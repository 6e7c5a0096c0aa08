/** Whose attachments count: what others attached, what lies about who signed it, and what is missing. */
import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { cosign, crane, freshPath, push, slipway, world } from '../world.ts';
import { project } from './project.ts';
import { digestOf, image, leakyImage, source, verifies } from './shorthand.ts';

const ALL = ['signature', 'sbom', 'scan', 'copy'];
const SIGNER = 'dev.slipway.signer';

interface Described {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
  readonly manifests: readonly Described[];
}

/** Gives every referrer of `digest` the annotation of our own key, as somebody would who wants to be taken for us. */
async function lieAboutSigner(host: string, path: string, digest: string, fingerprint: string): Promise<number> {
  const url = (name: string): string => `http://${host}/v2/${path}/manifests/${name}`;
  const tag = digest.replace(':', '-');
  const headers = { accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' };
  const list = (await (await fetch(url(tag), { headers })).json()) as Index;
  const manifests: Described[] = [];
  for (const described of list.manifests) {
    const manifest = (await (await fetch(url(described.digest), { headers })).json()) as {
      readonly annotations: Readonly<Record<string, string>>;
    };
    const annotations = { ...manifest.annotations, [SIGNER]: fingerprint };
    const bytes = JSON.stringify({ ...manifest, annotations });
    const changed = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const put = await fetch(url(changed), {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
      body: bytes,
    });
    expect(put.status, await put.text()).toBe(201);
    manifests.push({ ...described, digest: changed, size: bytes.length, annotations });
  }
  const put = await fetch(url(tag), {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
    body: JSON.stringify({ ...list, manifests }),
  });
  expect(put.status).toBe(201);
  return manifests.length;
}

async function fingerprintOf(publicKey: string): Promise<string> {
  const der = createPublicKey(await readFile(publicKey, 'utf8')).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex');
}

test('a foreign key is not ours, also when its annotations say so: verify names all, run signs itself', async () => {
  const { destination, keys } = world();
  const [path, from] = [freshPath('foreign'), await source('foreign')];
  const reference = `${destination.host}/${path}:1`;
  const sync = [{ source: `hub.slipway.example/${from.path}:1`, destination: reference }];
  const ours = {
    key: keys.production.key,
    publicKey: keys.production.publicKey,
    signingConfig: keys.signingConfig,
    trustedRoot: keys.trustedRoot,
  };
  const theirs = { ...ours, key: keys.foreign.key, publicKey: keys.foreign.publicKey };

  const one = await project({ sync, settings: { signing: theirs } });
  expect((await one.run('run')).code).toBe(0);
  await one.change({ settings: { signing: ours } });
  // First as it stands, then with lies about who signed.
  expect((await one.run('verify')).answer.entries).toMatchObject([{ ok: false, missing: ALL }]);
  expect(
    await lieAboutSigner(destination.host, path, from.digest, await fingerprintOf(keys.production.publicKey)),
  ).toBe(4);
  const verified = await one.run('verify');
  expect(verified.code).toBe(1);
  expect(verified.answer.entries).toMatchObject([
    { destination: reference, digest: from.digest, ok: false, missing: ALL },
  ]);
  expect(await verifies(reference, keys.production.publicKey)).toBe(false);

  const ran = await one.run('run');
  expect(ran.code, ran.stdout).toBe(0);
  // The tag named this digest already, so only what is attached is new.
  expect(ran.row(`${path}:1`)).toMatchObject({ outcome: 'unchanged', signed: true });
  expect(ran.row(`${path}:1`).why).toContain('missing: signature');
  expect(ran.answer.tools.find(({ name }) => name === 'cosign')?.started).toBeGreaterThanOrEqual(4);
  expect((await one.run('verify', '--deep')).answer.entries).toMatchObject([{ ok: true, missing: [] }]);
  expect(await verifies(reference, keys.production.publicKey)).toBe(true);
  // Others' attachments are theirs to remove.
  const shown = await slipway(['show', reference, '--json'], { cwd: one.folder });
  expect(shown.stdout).toContain('"verified":false');
});

test('an image signed with cosign itself, by our key, needs no second signature', async () => {
  const { destination, keys } = world();
  const [path, from] = [freshPath('signed'), await source('signed')];
  const reference = `${destination.host}/${path}:1`;
  expect((await crane('copy', `${world().source.host}/${from.path}:1`, reference)).code).toBe(0);
  const signing = ['--signing-config', keys.signingConfig, '--trusted-root', keys.trustedRoot];
  const signed = await cosign([
    'sign',
    '--yes',
    '--key',
    keys.production.key,
    ...signing,
    `${destination.host}/${path}@${from.digest}`,
  ]);
  expect(signed.code, signed.stderr).toBe(0);
  const one = await project({ sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: reference }] });
  expect((await one.run('verify')).answer.entries).toMatchObject([{ ok: false, missing: ['sbom', 'scan', 'copy'] }]);
  expect((await one.run('run')).code).toBe(0);
  expect((await one.run('verify')).code).toBe(0);
});

describe('verify and show', () => {
  test('an image pushed by hand lacks everything; a tag that is not there is said to be missing', async () => {
    const { destination } = world();
    const path = freshPath('hand');
    const digest = await push(image('hand'), `${destination.host}/${path}:1`);
    const { run } = await project({
      sync: [
        { source: 'hub.slipway.example/library/alpine:3.20', destination: `${destination.host}/${path}:1` },
        { source: 'hub.slipway.example/library/alpine:3.20', destination: `${destination.host}/${path}:none` },
      ],
      build: [],
    });
    const verified = await run('verify');
    expect(verified.code).toBe(1);
    expect(verified.answer.entries).toMatchObject([
      { digest, ok: false, missing: ALL },
      { digest: null, ok: false, missing: ['tag'] },
    ]);
  });

  test('--deep also looks at the platforms; show draws the tree and the SBOM', async () => {
    const { destination } = world();
    const [path, from] = [freshPath('deep'), await source('deep')];
    const reference = `${destination.host}/${path}:1`;
    const one = await project({ sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: reference }] });
    expect((await one.run('run')).code).toBe(0);
    expect((await one.run('verify', '--deep')).code).toBe(0);

    const list = JSON.parse((await crane('manifest', reference)).stdout) as Index;
    const child = list.manifests[0]?.digest ?? '';
    const shown = await slipway(['show', reference], { cwd: one.folder });
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(from.digest);
    expect(shown.stdout).toContain(`linux/amd64 ${child}`);
    expect(shown.stdout.match(/ verified /g)?.length).toBe(8);
    const sbom = await slipway(['show', reference, '--sbom', '--platform', 'linux/arm64'], { cwd: one.folder });
    expect(sbom.stdout).toMatch(/musl/);

    await crane('delete', `${destination.host}/${path}:${child.replace(':', '-')}`);
    expect(await digestOf(`${destination.host}/${path}:${child.replace(':', '-')}`)).toBeUndefined();
    expect((await one.run('verify')).code).toBe(0);
    const deep = await one.run('verify', '--deep');
    expect(deep.code).toBe(1);
    expect(deep.answer.entries).toMatchObject([{ ok: false, missing: ['linux/amd64: sbom', 'linux/amd64: scan'] }]);
  });

  test('scan attaches a new scan also when the gate refuses, and moves no tag', async () => {
    const { destination } = world();
    const [path, from] = [freshPath('scan'), await source('scan', leakyImage('scan'))];
    const reference = `${destination.host}/${path}:1`;
    const one = await project({ sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: reference }] });
    expect((await one.run('run')).code).toBe(0);
    const scans = async (): Promise<readonly string[]> => {
      const list = JSON.parse(
        (await crane('manifest', `${destination.host}/${path}:${from.digest.replace(':', '-')}`)).stdout,
      ) as Index;
      return list.manifests
        .filter(({ annotations }) => annotations?.['dev.sigstore.bundle.predicateType']?.includes('vuln'))
        .map(({ digest }) => digest);
    };
    const before = await scans();
    expect(before).toHaveLength(1);
    await one.change({ settings: { policy: { sync: 'refuse' } } });
    const scanned = await one.run('scan');
    expect(scanned.code, scanned.stdout).toBe(3);
    expect(scanned.row(`${path}:1`)).toMatchObject({
      outcome: 'refused',
      digest: from.digest,
      signed: true,
      findings: { CRITICAL: 1 },
    });
    expect(scanned.row(`${path}:1`).failure?.message).toContain('public already');
    expect(scanned.answer.tools.find(({ name }) => name === 'trivy')?.started).toBeGreaterThanOrEqual(1);
    const after = await scans();
    // The newest counts; the older one has left the list.
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    expect(await digestOf(reference)).toBe(from.digest);
  });

  test.each(['bundle', 'legacy', 'both'])(
    'scan signs nothing of an image that somebody else put under the tag (%s)',
    async (format) => {
      const { destination, keys } = world();
      const [path, from] = [freshPath('strange'), await source('strange')];
      const reference = `${destination.host}/${path}:1`;
      const { key, publicKey } = keys.production;
      const { signingConfig, trustedRoot } = keys;
      const { run } = await project({
        sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: reference }],
        settings: { signing: { key, publicKey, signingConfig, trustedRoot, format } },
      });
      expect((await run('run')).code).toBe(0);
      const digest = await push(image('stranger'), reference);
      const scanned = await run('scan');
      expect(scanned.code, scanned.stdout + scanned.stderr).toBe(0);
      expect(scanned.row(`${path}:1`)).toMatchObject({ digest, signed: false });
      expect(scanned.row(`${path}:1`).why).toContain('no signature of ours');
      for (const older of [[], ['--new-bundle-format=false']]) {
        const flags = ['--insecure-ignore-tlog=true', '--key', publicKey, ...older];
        const verified = await cosign(['verify', ...flags, `${destination.host}/${path}@${digest}`]);
        expect(verified.code, verified.stdout).not.toBe(0);
      }
      const ran = await run('run');
      expect(ran.row(`${path}:1`), ran.stdout).toMatchObject({ digest: from.digest, signed: true });
      expect((await run('scan')).row(`${path}:1`)).toMatchObject({ digest: from.digest, signed: true });
    },
  );

  test('scan looks at what is published, whatever the source names by now', async () => {
    const { destination, source: hub } = world();
    const [path, from] = [freshPath('scan'), await source('scan')];
    const reference = `${destination.host}/${path}:1`;
    const one = await project({ sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: reference }] });
    expect((await one.run('run')).code).toBe(0);
    await push(image('newer'), `${hub.host}/${from.path}:1`);
    const scanned = await one.run('scan');
    expect(scanned.code, scanned.stdout + scanned.stderr).toBe(0);
    expect(scanned.row(`${path}:1`)).toMatchObject({ digest: from.digest, outcome: 'unchanged', signed: true });
    expect(await digestOf(reference)).toBe(from.digest);
  });

  test('scan is no success where nothing is published', async () => {
    const reference = `${world().destination.host}/${freshPath('scan')}:1`;
    const one = await project({
      sync: [{ source: 'hub.slipway.example/library/alpine:3.20', destination: reference }],
    });
    const scanned = await one.run('scan');
    expect(scanned.code).toBe(1);
    expect(scanned.row(reference)).toMatchObject({ outcome: 'skipped', digest: null });
    expect(scanned.row(reference).why).toContain('not published yet');
  });
});
