/** What a sync entry may ask for, looked at from outside: some platforms, who signed the source, its age, and what is overwritten. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { alpineImage, AMD64, ARM64 } from '../../demo/world/images.ts';
import { imageLayout, sha256, type Layout } from '../../demo/world/image.ts';
import { cosign, crane, freshPath, identityToken, push, world } from '../world.ts';
import { project, type Project } from './project.ts';
import { digestOf, image, source, verifies } from './shorthand.ts';
import { watch } from './watching-proxy.ts';

const MUSL = [{ name: 'musl', version: '1.2.5-r0' }];
const RISCV = { os: 'linux', architecture: 'riscv64' };

interface IndexJson {
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly digest: string;
    readonly size: number;
    readonly mediaType: string;
    readonly platform?: { readonly architecture: string };
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

async function manifest(reference: string): Promise<IndexJson> {
  const { code, stdout, stderr } = await crane('manifest', reference);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as IndexJson;
}

/** Three platforms, an attestation of one of them as buildx makes it, and annotations. */
function annotated(label: string): Layout {
  const layout = imageLayout([
    alpineImage(RISCV, MUSL, label),
    alpineImage(ARM64, MUSL, label),
    alpineImage(AMD64, MUSL, label),
  ]);
  const blobs = new Map(layout.blobs);
  const add = (value: unknown): { readonly digest: string; readonly size: number } => {
    const bytes = Buffer.from(JSON.stringify(value));
    blobs.set(sha256(bytes), bytes);
    return { digest: sha256(bytes), size: bytes.length };
  };
  const index = JSON.parse(Buffer.from(blobs.get(layout.root.digest) ?? []).toString()) as IndexJson;
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    ...add({ os: 'unknown', architecture: 'unknown', rootfs: { type: 'layers', diff_ids: [] } }),
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const attestations = index.manifests.map(({ digest }) => ({
    mediaType,
    ...add({ schemaVersion: 2, mediaType, config, layers: [], annotations: { about: digest } }),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': digest },
  }));
  const root = add({ ...index, manifests: [...index.manifests, ...attestations], annotations: { vendor: 'upstream' } });
  blobs.delete(layout.root.digest);
  return { blobs, root: { mediaType: 'application/vnd.oci.image.index.v1+json', ...root } };
}

async function copyAttestation(reference: string): Promise<Readonly<Record<string, unknown>>> {
  const type = 'https://slipway.example/attestation/copy/v1';
  const { keys } = world();
  const found = await cosign([
    'verify-attestation',
    '--insecure-ignore-tlog',
    '--key',
    keys.production.publicKey,
    '--type',
    type,
    reference,
  ]);
  if (found.code !== 0) throw new Error(found.stderr);
  const [line = ''] = found.stdout.trim().split('\n').slice(-1);
  const { payload } = JSON.parse(line) as { readonly payload: string };
  return (JSON.parse(Buffer.from(payload, 'base64').toString()) as { readonly predicate: Record<string, unknown> })
    .predicate;
}

interface Synced {
  readonly one: Project;
  readonly path: string;
  readonly reference: string;
}

async function synced(
  from: string,
  options: Readonly<Record<string, unknown>>,
  settings?: Readonly<Record<string, unknown>>,
): Promise<Synced> {
  const path = freshPath('to');
  const reference = `${world().destination.host}/${path}:1`;
  const sync = [{ source: from, destination: reference, ...options }];
  return { one: await project({ sync, ...(settings === undefined ? {} : { settings }) }), path, reference };
}

describe('platforms', () => {
  test('make an index over the very children, the same on every machine, and quiet from then on', async () => {
    const from = await source('platforms', annotated('platforms'));
    const proxy = await watch(world().source.host);
    let mark = 0;
    const asked = (): readonly string[] => proxy.requests.slice(mark).map(({ method }) => method);
    const name = `${proxy.host}/${from.path}:1`;
    const options = { platforms: ['linux/amd64', 'arm64'] };
    const { one, path, reference } = await synced(name, options);
    const ran = await one.run('run');
    expect(ran.code, ran.stdout).toBe(0);
    const row = ran.row(`${path}:1`);
    expect(row).toMatchObject({ outcome: 'published', signed: true });
    expect(row.digest).not.toBe(from.digest);
    expect(await digestOf(reference)).toBe(row.digest);

    const [whole, part] = [await manifest(`${world().source.host}/${from.path}:1`), await manifest(reference)];
    const kept = new Set(['arm64', 'amd64']);
    const images = whole.manifests
      .filter(({ platform }) => kept.has(platform?.architecture ?? ''))
      .map(({ digest }) => digest);
    const expected = whole.manifests.filter(
      ({ digest, annotations }) =>
        images.includes(digest) || images.includes(annotations?.['vnd.docker.reference.digest'] ?? ''),
    );
    expect(expected).toHaveLength(4);
    expect(part).toEqual({ ...whole, manifests: expected });
    expect((await crane('validate', '--remote', reference)).code).toBe(0);
    expect(await verifies(reference, world().keys.production.publicKey)).toBe(true);
    expect(await copyAttestation(reference)).toMatchObject({
      source: { digest: from.digest },
      platforms: ['linux/amd64', 'linux/arm64'],
    });

    mark = proxy.requests.length;
    expect((await one.run('run')).row(`${path}:1`).outcome).toBe('unchanged');
    expect(asked()).toEqual(['HEAD']);
    // Another machine: the signed attestation says whose subset it is.
    const elsewhere = await project({ sync: [{ source: name, destination: reference, ...options }] });
    mark = proxy.requests.length;
    const again = await elsewhere.run('run');
    expect(again.row(`${path}:1`), again.stdout).toMatchObject({ outcome: 'unchanged', digest: row.digest });
    expect(again.answer.tools).toEqual([]);
    expect(asked()).toEqual(['HEAD']);
    expect((await elsewhere.run('verify', '--deep')).code).toBe(0);
    // A mirror has no attestation, and comes to the same by reading the source once.
    const mirror = await project({
      sync: [{ source: name, destination: reference, ...options }],
      settings: { trust: [{ match: '**', level: 'copy' }] },
    });
    mark = proxy.requests.length;
    expect((await mirror.run('run')).row(`${path}:1`)).toMatchObject({ outcome: 'unchanged', digest: row.digest });
    expect(asked()).toEqual(['HEAD', 'GET']);
    expect((await mirror.run('run')).row(`${path}:1`).outcome).toBe('unchanged');
    expect(asked()).toEqual(['HEAD', 'GET', 'HEAD']);
  });

  test('a part of the source that changed and is not asked for gives the same digest, and is attested again', async () => {
    const layouts = ['old', 'new'].map((label) =>
      imageLayout([alpineImage(AMD64, MUSL, 'same'), alpineImage(ARM64, MUSL, label)]),
    );
    const from = await source('partly', layouts[0]);
    const { one, path, reference } = await synced(`${world().source.host}/${from.path}:1`, { platforms: ['amd64'] });
    const first = (await one.run('run')).row(`${path}:1`);
    expect(first.outcome).toBe('published');
    const moved = await push(layouts[1] ?? image('x'), `${world().source.host}/${from.path}:1`);
    expect(moved).not.toBe(from.digest);
    const ran = await one.run('run');
    expect(ran.row(`${path}:1`), ran.stdout).toMatchObject({ outcome: 'unchanged', digest: first.digest });
    expect(await copyAttestation(reference)).toMatchObject({ source: { digest: moved } });
    expect((await one.run('run')).answer.tools).toEqual([]);
  });

  test('one that is missing is an error that lists what there is; a single image counts by its config', async () => {
    const from = await source('missing');
    const name = `${world().source.host}/${from.path}:1`;
    const lacking = await synced(name, { platforms: ['amd64', 'riscv64'] });
    const ran = await lacking.one.run('run');
    expect(ran.code).toBe(1);
    const { failure } = ran.row(`${lacking.path}:1`);
    expect(failure).toMatchObject({ reason: 'registry', side: 'source', class: 'permanent', at: { line: 1 } });
    expect(failure?.message).toContain('lacks linux/riscv64: it has linux/amd64, linux/arm64');
    expect(await digestOf(lacking.reference)).toBeUndefined();

    const single = await source('single', imageLayout([alpineImage(AMD64, MUSL, 'single')]));
    const alone = await synced(`${world().source.host}/${single.path}:1`, { platforms: ['linux/amd64'] });
    expect((await alone.one.run('run')).row(`${alone.path}:1`)).toMatchObject({
      outcome: 'published',
      digest: single.digest,
    });
  });

  test('that may be missing are left out, as is attested, which says nothing to whoever wants them all', async () => {
    const from = await source('skipped', annotated('skipped'));
    const name = `${world().source.host}/${from.path}:1`;
    const platforms = ['amd64', 'ppc64le'];
    const { one, path, reference } = await synced(name, { platforms, missingPlatforms: 'skip' });
    const row = (await one.run('run')).row(`${path}:1`);
    expect(row).toMatchObject({ outcome: 'published', signed: true });
    expect((await manifest(reference)).manifests).toHaveLength(2);
    expect(await copyAttestation(reference)).toMatchObject({ missingPlatforms: 'skip' });
    const elsewhere = await project({
      sync: [{ source: name, destination: reference, platforms, missingPlatforms: 'skip' }],
    });
    expect((await elsewhere.run('run')).row(`${path}:1`)).toMatchObject({ outcome: 'unchanged', digest: row.digest });
    const strict = await project({ sync: [{ source: name, destination: reference, platforms }] });
    expect((await strict.run('run')).row(`${path}:1`).failure?.message).toContain('lacks linux/ppc64le');
  });
});

describe('verify', () => {
  const legacy = ['--new-bundle-format=false', '--use-signing-config=false', '--tlog-upload=false'];
  const bundle = (): readonly string[] => {
    const { signingConfig, trustedRoot } = world().keys;
    return ['--signing-config', signingConfig, '--trusted-root', trustedRoot];
  };

  async function signedByKey(
    label: string,
    format: readonly string[],
  ): Promise<{ readonly path: string; readonly digest: string }> {
    const from = await source(label);
    const reference = `${world().source.host}/${from.path}@${from.digest}`;
    const signed = await cosign(['sign', '--yes', '--key', world().keys.foreign.key, ...format, reference]);
    expect(signed.code, signed.stderr).toBe(0);
    return from;
  }

  const key = async (name: 'foreign' | 'scratch'): Promise<Readonly<Record<string, string>>> => {
    return { 'upstream.pub': await readFile(world().keys[name].publicKey, 'utf8') };
  };

  test.each([
    { format: 'bundle', flags: bundle },
    { format: 'legacy', flags: () => legacy },
  ])('a $format signature by the key admits the source, another key or none does not', async ({ format, flags }) => {
    const from = await signedByKey(`signed-${format}`, flags());
    const verify = { verify: { key: './upstream.pub' } };
    const { one, path, reference } = await synced(`hub.slipway.example/${from.path}:1`, verify);
    await one.change({ files: await key('scratch') });
    const refused = await one.run('run');
    expect(refused.code, refused.stdout).toBe(1);
    expect(refused.row(`${path}:1`)).toMatchObject({
      outcome: 'failed',
      failure: { reason: 'trust', class: 'permanent', side: 'source' },
    });
    expect(refused.row(`${path}:1`).failure?.message).toContain('is not signed by');
    expect(await digestOf(`${reference.slice(0, -2)}@${from.digest}`)).toBeUndefined();

    await one.change({ files: await key('foreign') });
    const ran = await one.run('run');
    expect(ran.row(`${path}:1`), ran.stdout).toMatchObject({ outcome: 'published', digest: from.digest });
    expect((await copyAttestation(reference))['verified']).toEqual({ signer: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await one.run('run')).answer.tools).toEqual([]);

    const unsigned = await source('unsigned');
    const none = await synced(`hub.slipway.example/${unsigned.path}:1`, verify);
    await none.one.change({ files: await key('foreign') });
    const nobody = await none.one.run('run');
    expect(nobody.code).toBe(1);
    expect(nobody.row(`${none.path}:1`).failure?.message).toContain('no signatures found');
  });

  test('an identity admits the source, and stands in the attestation; the time of its signature counts as its age', async () => {
    const { keyless } = world();
    if (keyless === undefined) throw new Error('the world has no Fulcio');
    const from = await source('identity');
    const reference = `${world().source.host}/${from.path}@${from.digest}`;
    const { issuer, signingConfig, trustedRoot } = keyless;
    const env = { SIGSTORE_ID_TOKEN: await identityToken('team@upstream.example') };
    const flow = ['--fulcio-auth-flow', 'token', '--signing-config', signingConfig, '--trusted-root', trustedRoot];
    const signed = await cosign(['sign', '--yes', ...flow, reference], { env });
    expect(signed.code, signed.stderr).toBe(0);
    const { production } = world().keys;
    const settings = {
      signing: {
        key: production.key,
        publicKey: production.publicKey,
        signingConfig: world().keys.signingConfig,
        trustedRoot,
      },
    };
    const asks = (more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
      verify: { issuer, ...more },
    });
    const name = `hub.slipway.example/${from.path}:1`;

    const other = await synced(name, asks({ subject: 'other@upstream.example' }), settings);
    const refused = await other.one.run('run');
    expect(refused.row(`${other.path}:1`).failure?.message).toMatch(/other@upstream\.example.*team@upstream\.example/s);

    const young = await synced(name, asks({ subjectPattern: '.*@upstream\\.example', minAge: '1d' }), settings);
    const early = await young.one.run('run');
    expect(early.code, early.stdout).toBe(0);
    expect(early.row(`${young.path}:1`)).toMatchObject({ outcome: 'skipped', failure: { reason: 'wait' } });
    expect(early.row(`${young.path}:1`).why).toMatch(/was signed at .* too new until/);
    // It is known by now who signed it: no tool is asked again.
    expect((await young.one.run('run')).answer.tools).toEqual([]);

    const {
      one,
      path,
      reference: to,
    } = await synced(name, asks({ subjectPattern: '.*@upstream\\.example' }), settings);
    const ran = await one.run('run');
    expect(ran.row(`${path}:1`), ran.stdout).toMatchObject({ outcome: 'published' });
    expect((await copyAttestation(to))['verified']).toEqual({
      signer: 'team@upstream.example',
      issuer,
      signedAt: expect.stringMatching(/^20\d\d-/),
    });
    expect((await one.run('run')).answer.tools).toEqual([]);
  });

  test('the age of an image that nobody signed is what it says itself, and unknown is not old', async () => {
    const from = await source('aged');
    const name = `hub.slipway.example/${from.path}:1`;
    // The images of the world say that they were made on 1 January 2026.
    const old = await synced(name, { verify: { minAge: '1d' } });
    const ran = await old.one.run('run');
    expect(ran.row(`${old.path}:1`), ran.stdout).toMatchObject({ outcome: 'published', digest: from.digest });
    const young = await synced(name, { verify: { minAge: '3000d' } });
    const before = await push(image('older'), young.reference);
    const waits = await young.one.run('run');
    expect(waits.code).toBe(0);
    expect(waits.row(`${young.path}:1`)).toMatchObject({ outcome: 'skipped', before, failure: { reason: 'wait' } });
    expect(await digestOf(young.reference)).toBe(before);

    const timeless = await source('timeless', withoutTime(imageLayout([alpineImage(AMD64, MUSL, 'timeless')])));
    const unknown = await synced(`hub.slipway.example/${timeless.path}:1`, { verify: { minAge: '1d' } });
    const refused = await unknown.one.run('run');
    expect(refused.code).toBe(1);
    expect(refused.row(`${unknown.path}:1`).failure).toMatchObject({ reason: 'trust', side: 'source' });
  });
});

/** The same image, made in 1970 as reproducible builds say. */
function withoutTime(layout: Layout): Layout {
  const blobs = new Map(layout.blobs);
  const { config, ...rest } = JSON.parse(Buffer.from(blobs.get(layout.root.digest) ?? []).toString()) as {
    readonly config: { readonly digest: string };
  };
  const bytes = Buffer.from(
    Buffer.from(blobs.get(config.digest) ?? [])
      .toString()
      .replace(/"created":"[^"]+"/, '"created":"1970-01-01T00:00:00Z"'),
  );
  blobs.set(sha256(bytes), bytes);
  const made = Buffer.from(
    JSON.stringify({ ...rest, config: { ...config, digest: sha256(bytes), size: bytes.length } }),
  );
  blobs.set(sha256(made), made);
  return { blobs, root: { ...layout.root, digest: sha256(made), size: made.length } };
}

describe('backup', () => {
  test('what a sync overwrites is kept first, under a name of its own that is never overwritten', async () => {
    const from = await source('backup');
    const name = `${world().source.host}/${from.path}:1`;
    const { one, path, reference } = await synced(name, { backup: 'was-{tag}' });
    const first = await one.run('run');
    expect(first.row(`${path}:1`)).not.toHaveProperty('backup');
    const repository = reference.slice(0, -2);
    const versions = [from.digest];
    for (const label of ['second', 'third']) {
      versions.push(await push(image(`backup-${label}`), name));
      const ran = await one.run('run');
      const kept = label === 'second' ? 'was-1' : 'was-1-2';
      expect(ran.row(`${path}:1`), ran.stdout).toMatchObject({
        outcome: 'published',
        digest: versions.at(-1),
        before: versions.at(-2),
        backup: `${repository}:${kept}`,
      });
      expect(await digestOf(`${repository}:${kept}`)).toBe(versions.at(-2));
    }
    expect(await digestOf(`${repository}:was-1`)).toBe(versions[0]);
    const again = await one.run('run');
    expect(again.row(`${path}:1`)).not.toHaveProperty('backup');
    const looked = await one.run('verify');
    expect(looked.code, looked.stdout).toBe(0);
    const backups = looked.answer.entries.filter((entry) => 'backup' in entry);
    expect(backups.map(({ destination, digest }) => [destination, digest])).toEqual([
      [`${repository}:was-1`, versions[0]],
      [`${repository}:was-1-2`, versions[1]],
    ]);
  });
});
