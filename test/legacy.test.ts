/** `signing.format`: what cosign, told to read the older layout, sees of what Slipway publishes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { worldSettings } from '../demo/world/settings.ts';
import { image, source } from './chain/shorthand.ts';
import { project, type Project } from './chain/project.ts';
import { cosign, crane, freshFolder, freshPath, identityToken, world } from './world.ts';

interface Manifest {
  readonly layers: readonly { readonly digest: string; readonly annotations: Readonly<Record<string, string>> }[];
}

const TYPES = ['https://spdx.dev/Document', 'https://cosign.sigstore.dev/attestation/vuln/v1'];

/** `signing` of the world's settings with another format. */
function signing(format: string): Readonly<Record<string, unknown>> {
  return { signing: { ...(worldSettings(world())['signing'] as object), format } };
}

async function published(label: string, format: string) {
  const from = await source(label, image(label));
  const path = freshPath(label);
  const repository = `${world().destination.host}/${path}`;
  const entry = { source: `hub.slipway.example/${from.path}:1`, destination: `${repository}:1` };
  const one = await project({ sync: [entry], settings: signing(format) });
  const ran = await one.run('run');
  expect(ran.code, ran.stderr).toBe(0);
  return { one, repository, digest: from.digest, reference: `${repository}@${from.digest}`, entry };
}

async function tagged(repository: string, digest: string, kind: 'sig' | 'att'): Promise<Manifest | undefined> {
  const { code, stdout } = await crane('manifest', `${repository}:${digest.replace(':', '-')}.${kind}`);
  return code === 0 ? (JSON.parse(stdout) as Manifest) : undefined;
}

/** Reads only the older layout. */
function verifyLegacy(reference: string, key: string, ...command: readonly string[]) {
  const flags = ['--new-bundle-format=false', '--insecure-ignore-tlog=true', '--key', key];
  return cosign([...(command.length === 0 ? ['verify'] : command), ...flags, reference]);
}

async function again(one: Project): Promise<{ readonly outcome: string; readonly signed: number }> {
  const ran = await one.run('run');
  expect(ran.code, ran.stderr).toBe(0);
  return {
    outcome: ran.answer.entries[0]?.outcome ?? '',
    signed: ran.answer.tools.find(({ name }) => name === 'cosign')?.started ?? 0,
  };
}

describe.each(['legacy', 'both'])('signing.format: %s', (format) => {
  it('is verified by cosign in the older layout, signature and attestations', async () => {
    const { reference, repository, digest } = await published(`layout-${format}`, format);
    const { production, foreign } = world().keys;
    expect(await verifyLegacy(reference, production.publicKey)).toMatchObject({ code: 0 });
    expect((await verifyLegacy(reference, foreign.publicKey)).code).not.toBe(0);
    for (const type of TYPES) {
      const command = ['verify-attestation', '--type', type];
      expect(await verifyLegacy(reference, production.publicKey, ...command)).toMatchObject({ code: 0 });
    }
    const bundles = await cosign(['verify', '--insecure-ignore-tlog=true', '--key', production.publicKey, reference]);
    expect(bundles.code).toBe(0);
    // The tag scheme's index holds the bundles: where only the older layout is wanted, there is none.
    expect((await crane('manifest', `${repository}:${digest.replace(':', '-')}`)).code === 0).toBe(format === 'both');
  });

  it('signs each platform too, for consumers that check only the manifest they pull, and names the repository', async () => {
    const { reference, repository } = await published(`platforms-${format}`, format);
    const index = JSON.parse((await crane('manifest', reference)).stdout) as {
      readonly manifests: readonly { readonly digest: string }[];
    };
    expect(index.manifests).toHaveLength(2);
    for (const { digest } of index.manifests) {
      const { code, stdout } = await verifyLegacy(`${repository}@${digest}`, world().keys.production.publicKey);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject([
        { critical: { identity: { 'docker-reference': repository }, image: { 'docker-manifest-digest': digest } } },
      ]);
    }
  });

  it('adds nothing when it runs again, and repairs what is gone', async () => {
    const { one, repository, digest, reference } = await published(`again-${format}`, format);
    const before = [await tagged(repository, digest, 'sig'), await tagged(repository, digest, 'att')];
    expect(before.map((each) => each?.layers.length)).toEqual([1, 3]);
    expect(await again(one)).toEqual({ outcome: 'unchanged', signed: 0 });
    expect([await tagged(repository, digest, 'sig'), await tagged(repository, digest, 'att')]).toEqual(before);

    const empty = await emptyTag(repository, `${digest.replace(':', '-')}.sig`);
    expect(empty.code, empty.stderr).toBe(0);
    const verified = await one.run('verify');
    expect(verified.code).toBe(1);
    expect(verified.answer.entries[0]?.missing).toEqual([format === 'both' ? 'legacy signature' : 'signature']);
    expect((await again(one)).signed).toBe(1);
    expect(await verifyLegacy(reference, world().keys.production.publicKey)).toMatchObject({ code: 0 });
    expect((await one.run('verify', '--deep')).code).toBe(0);
  });

  it('keeps the signatures of others in the same tag', async () => {
    const { production, foreign } = world().keys;
    const label = `others-${format}`;
    const from = await source(label, image(label));
    const repository = `${world().destination.host}/${freshPath(label)}`;
    await crane('copy', `${world().source.host}/${from.path}:1`, `${repository}:1`);
    const legacy = ['--new-bundle-format=false', '--use-signing-config=false', '--tlog-upload=false'];
    const signed = await cosign(['sign', '--yes', '--key', foreign.key, ...legacy, `${repository}@${from.digest}`]);
    expect(signed.code, signed.stderr).toBe(0);
    const entry = { source: `hub.slipway.example/${from.path}:1`, destination: `${repository}:1` };
    const one = await project({ sync: [entry], settings: signing(format) });
    expect((await one.run('run')).code).toBe(0);
    for (const { publicKey } of [production, foreign]) {
      expect(await verifyLegacy(`${repository}@${from.digest}`, publicKey)).toMatchObject({ code: 0 });
    }
  });

  it('renews a scan in place: the tag does not grow', async () => {
    const { one, repository, digest } = await published(`scan-${format}`, format);
    const before = await tagged(repository, digest, 'att');
    expect((await one.run('scan')).code).toBe(0);
    const after = await tagged(repository, digest, 'att');
    expect(after?.layers.length).toBe(before?.layers.length);
    expect(after).not.toEqual(before);
  });

  it('signs a retag for the repository that it goes to', async () => {
    const { entry, one, digest } = await published(`retag-${format}`, format);
    const path = freshPath('retagged');
    const repository = `${world().destination.host}/${path}`;
    await one.change({ sync: [entry, { source: entry.destination, destination: `${repository}:2` }] });
    const ran = await one.run('run');
    expect(ran.code, ran.stderr).toBe(0);
    const { publicKey } = world().keys.production;
    expect(await verifyLegacy(`${repository}@${digest}`, publicKey)).toMatchObject({ code: 0 });
    const sbom = ['verify-attestation', '--type', 'https://spdx.dev/Document'];
    expect(await verifyLegacy(`${repository}@${digest}`, publicKey, ...sbom)).toMatchObject({ code: 0 });
    const { stdout } = await verifyLegacy(`${repository}@${digest}`, publicKey);
    expect(JSON.parse(stdout)).toMatchObject([{ critical: { identity: { 'docker-reference': repository } } }]);
  });
});

describe('a change of signing.format', () => {
  it('adds the older layout to what was published as bundles, and signs no statement again', async () => {
    const { one, reference } = await published('migrate', 'bundle');
    const { publicKey } = world().keys.production;
    expect((await verifyLegacy(reference, publicKey)).code).not.toBe(0);
    await one.change({ settings: signing('both') });
    expect((await one.run('verify')).answer.entries[0]?.missing).toContain('legacy signature');
    // One payload for the index and one for each platform; the statements are signed already.
    expect(await again(one)).toMatchObject({ signed: 3 });
    expect(await verifyLegacy(reference, publicKey)).toMatchObject({ code: 0 });
    expect((await one.run('verify', '--deep')).code).toBe(0);
  });
});

describe('a keyless signature', () => {
  it('is verified in the older layout by the identity', async () => {
    const { keyless } = world();
    if (keyless === undefined) throw new Error('the world has no Fulcio');
    const email = 'builder@slipway.example';
    const from = await source('keyless-legacy', image('keyless-legacy'));
    const repository = `${world().destination.host}/${freshPath('keyless-legacy')}`;
    const entry = { source: `hub.slipway.example/${from.path}:1`, destination: `${repository}:1` };
    const { signingConfig, trustedRoot, issuer } = keyless;
    const settings = {
      signing: {
        format: 'legacy',
        keyless: { issuer, subject: email },
        identityTokenEnv: 'TEST_TOKEN',
        signingConfig,
        trustedRoot,
      },
    };
    const one = await project({ sync: [entry], settings });
    const ran = await one.runWith({ env: { TEST_TOKEN: await identityToken(email) } }, 'run');
    expect(ran.code, ran.stderr).toBe(0);
    expect((await one.run('verify', '--deep')).code).toBe(0);
    const layer = (await tagged(repository, from.digest, 'sig'))?.layers[0];
    expect(layer?.annotations['dev.sigstore.cosign/certificate']).toContain('BEGIN CERTIFICATE');
    expect(layer?.annotations['dev.sigstore.cosign/chain']).toContain('BEGIN CERTIFICATE');
    const who = ['--certificate-identity', email, '--certificate-oidc-issuer', issuer];
    const flags = [
      '--new-bundle-format=false',
      '--insecure-ignore-tlog=true',
      '--insecure-ignore-sct=true',
      '--trusted-root',
      trustedRoot,
    ];
    const reference = `${repository}@${from.digest}`;
    const seen = await cosign(['verify', ...flags, '--use-signed-timestamps', ...who, reference]);
    expect(seen.code, seen.stderr).toBe(0);
  });
});

/** What a clean-up of tags could leave behind: a manifest without a signature. */
async function emptyTag(repository: string, tag: string) {
  const layer = join(await freshFolder(), 'layer.tar');
  await writeFile(layer, Buffer.alloc(1024));
  return crane('append', '--oci-empty-base', '--new_tag', `${repository}:${tag}`, '--new_layer', layer);
}
