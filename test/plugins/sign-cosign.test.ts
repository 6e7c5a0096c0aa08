/** `sign-cosign` with the real cosign: keys without a network, and identities of the world's own Fulcio. */
import { createHash, createPublicKey, generateKeyPairSync, verify as verifySignature } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  formatPinned,
  verifyKeyBundle,
  type Accept,
  type Bundle,
  type Pinned,
  type SigningInput,
  type Statement,
} from '@slipway/core';
import { contractSuite } from '@slipway/core/testing';
import plugin from '../../plugins/sign-cosign/src/index.ts';
import { image } from '../chain/shorthand.ts';
import { cosign, freshFolder, freshPath, identityToken, push, world } from '../world.ts';
import { contextOf, hostOf, must, pinned, pluginWorld, recorded, serve } from './plugin-world.ts';

const PAYLOAD = Buffer.from('{"critical":{}}').toString('base64');
const EMAIL = 'builder@slipway.example';
const statement: Statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ digest: { sha256: 'a'.repeat(64) } }],
  predicateType: 'https://sigstore.dev/cosign/sign/v1',
  predicate: {},
};

beforeEach(() => void vi.stubEnv('COSIGN_PASSWORD', world().keys.password));
afterEach(() => vi.unstubAllEnvs());

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'statement.sign@1',
    world: pluginWorld,
    input: async () => ({ statement, signing: { key: world().keys.production.key } }),
    // An ECDSA signature has a random part; what it signs has none.
    repeatable: ({ bundle }) => payloadOf(bundle),
  },
);

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'bundle.verify@1',
    world: pluginWorld,
    input: async () => ({ bundle: await keylessBundle(), accept: identity(EMAIL), trustedRoot: keyless().trustedRoot }),
  },
);

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'payload.sign@1',
    world: pluginWorld,
    input: async () => ({ payload: PAYLOAD, signing: { key: world().keys.production.key } }),
    // An ECDSA signature has a random part.
    repeatable: ({ signature }) => signature.length > 0,
  },
);

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'payload.verify@1',
    world: pluginWorld,
    input: async () => ({
      payload: PAYLOAD,
      bundle: (await keylessPayload()).bundle ?? '',
      accept: identity(EMAIL),
      trustedRoot: keyless().trustedRoot,
    }),
  },
);

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'image.verify@1',
    world: pluginWorld,
    input: async () => ({ image: await signedImage(), accept: [await foreignKey()] }),
  },
);

describe('verifying an image', () => {
  it('says which of several signers it was, and what it found when it was none', async () => {
    const host = await hostOf(plugin);
    const ask = async (accept: readonly [Accept, ...Accept[]]) =>
      host.call(
        'image.verify@1',
        { image: await signedImage(), accept, trustedRoot: keyless().trustedRoot },
        await contextOf(plugin, await pluginWorld()),
      );
    const key = await foreignKey();
    expect(await ask([identity(EMAIL), key])).toEqual({ ok: true, value: { signer: key.fingerprint } });
    expect(await ask([identity(EMAIL)])).toMatchObject({ ok: false, failure: { reason: 'trust' } });
  });

  it('is no judgement when the registry cannot be asked', async () => {
    const host = await hostOf(plugin);
    const image = { ...(await signedImage()), registry: '127.0.0.1:9' };
    const asked = host.call(
      'image.verify@1',
      { image, accept: [await foreignKey()] },
      await contextOf(plugin, await pluginWorld()),
    );
    expect(await asked).toMatchObject({
      ok: false,
      failure: { reason: 'registry', class: 'transient', side: 'source', host: '127.0.0.1:9' },
    });
  });
});

describe('what counts as a signature of an image', () => {
  const TYPE = 'https://in-toto.io/attestation/test-result/v0.1';
  const PROVENANCE = 'https://slsa.dev/provenance/v1';
  const byKey = (): readonly string[] => {
    const { foreign, signingConfig, trustedRoot } = world().keys;
    return ['--key', foreign.key, '--signing-config', signingConfig, '--trusted-root', trustedRoot];
  };

  it('is no other attestation of the same key, until it is signed too', async () => {
    const image = await unsignedImage();
    await attest(image, { predicateType: TYPE, predicate: { result: 'FAILED' } }, byKey());
    // Cosign itself makes no difference.
    const { publicKey } = world().keys.foreign;
    const plain = await cosign(['verify', '--insecure-ignore-tlog=true', '--key', publicKey, formatPinned(image)]);
    expect(plain.code, plain.stderr).toBe(0);
    expect(await verifyImage(image, await foreignKey())).toMatchObject({
      ok: false,
      failure: { reason: 'trust', message: expect.stringContaining(TYPE) },
    });
    const older = ['--new-bundle-format=false', '--use-signing-config=false', '--tlog-upload=false'];
    const signed = await cosign(['sign', '--yes', '--key', world().keys.foreign.key, ...older, formatPinned(image)]);
    expect(signed.code, signed.stderr).toBe(0);
    expect(await verifyImage(image, await foreignKey())).toMatchObject({ ok: true });
  });

  it.each(['P-384', 'P-521'])('is one that cosign made with a key on %s', async (namedCurve) => {
    const folder = await freshFolder();
    const [pem, prefix] = [join(folder, 'key.pem'), join(folder, 'own')];
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    await writeFile(pem, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const imported = await cosign(['import-key-pair', '--key', pem, '--output-key-prefix', prefix, '--yes']);
    expect(imported.code, imported.stderr).toBe(0);
    const text = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const { signingConfig, trustedRoot } = world().keys;
    const newer = ['--signing-config', signingConfig, '--trusted-root', trustedRoot];
    const older = ['--new-bundle-format=false', '--use-signing-config=false', '--tlog-upload=false'];
    for (const format of [newer, older]) {
      const image = await unsignedImage();
      const accept: Accept = { kind: 'key', publicKey: text, fingerprint: 'f'.repeat(64) };
      expect(await verifyImage(image, accept)).toMatchObject({ ok: false, failure: { reason: 'trust' } });
      const signed = await cosign(['sign', '--yes', '--key', `${prefix}.key`, ...format, formatPinned(image)]);
      expect(signed.code, signed.stderr).toBe(0);
      expect(await verifyImage(image, accept)).toEqual({ ok: true, value: { signer: accept.fingerprint } });
    }
  });

  it('is provenance, also of an identity that a pattern accepts', async () => {
    const image = await unsignedImage();
    await attest(image, { predicateType: TYPE, predicate: {} }, await byIdentity(EMAIL));
    const anyone = identity({ pattern: '^(?:.*@slipway\\.example)$' });
    expect(await verifyImage(image, anyone)).toMatchObject({ ok: false, failure: { reason: 'trust' } });
    await attest(image, { predicateType: PROVENANCE, predicate: {} }, await byIdentity(EMAIL));
    expect(await verifyImage(image, anyone)).toMatchObject({
      ok: true,
      value: { signer: EMAIL, issuer: keyless().issuer, signedAt: expect.stringMatching(/^20/) },
    });
  });

  it('says nothing of who made it and when but by its certificate and what proves the time', async () => {
    const image = await unsignedImage();
    const annotations = {
      Subject: 'boss@slipway.example',
      Issuer: keyless().issuer,
      Bundle: { Payload: { integratedTime: 1_600_000_000 } },
    };
    await attest(image, { ...statement, annotations }, await byIdentity(EMAIL));
    const before = new Date().getFullYear();
    for (const accept of [identity(EMAIL), identity({ pattern: '^(?:.*@slipway\\.example)$' })]) {
      const verified = must(await verifyImage(image, accept));
      expect(verified).toMatchObject({ signer: EMAIL, issuer: keyless().issuer });
      expect(new Date(verified.signedAt ?? 0).getFullYear()).toBe(before);
    }
  });
});

async function verifyImage(image: Pinned, accept: Accept) {
  const host = await hostOf(plugin);
  const input = { image, accept: [accept] as const, trustedRoot: keyless().trustedRoot };
  return host.call('image.verify@1', input, await contextOf(plugin, await pluginWorld()));
}

async function byIdentity(email: string): Promise<readonly string[]> {
  vi.stubEnv('SIGSTORE_ID_TOKEN', await identityToken(email));
  const { trustedRoot, signingConfig } = keyless();
  return ['--fulcio-auth-flow', 'token', '--signing-config', signingConfig, '--trusted-root', trustedRoot];
}

async function unsignedImage(): Promise<Pinned> {
  const [host, path] = [world().source.host, freshPath('attested')];
  return pinned(host, path, await push(image(path), `${host}/${path}:1`));
}

interface Said {
  readonly predicateType: string;
  readonly predicate: unknown;
  /** Of the subject. */
  readonly annotations?: unknown;
}

/** Has cosign sign a statement about the image, and attaches it as cosign would. */
async function attest(
  subject: Pinned,
  { predicateType, predicate, annotations }: Said,
  flags: readonly string[],
): Promise<void> {
  const folder = await freshFolder();
  const [file, bundle] = [join(folder, 'statement.json'), join(folder, 'bundle.json')];
  const about = { name: '', digest: { sha256: subject.digest.slice('sha256:'.length) }, annotations };
  await writeFile(file, JSON.stringify({ _type: statement._type, subject: [about], predicateType, predicate }));
  const made = await cosign(['attest-blob', '--yes', '--statement', file, '--bundle', bundle, ...flags]);
  expect(made.code, made.stderr).toBe(0);
  const { registry } = await pluginWorld();
  const type = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const head = must(await registry.manifest(subject, 'destination'));
  if (head === undefined) throw new Error('the image is not there');
  const attachment = { artifactType: type, annotations: {}, bytes: await readFile(bundle) };
  must(await registry.attach({ ...head.descriptor, repository: subject }, [attachment]));
}

/** An image of its own at the source, signed with the foreign key. */
async function signedImage(): Promise<Pinned> {
  const { foreign, signingConfig, trustedRoot } = world().keys;
  const [host, path] = [world().source.host, freshPath('signed')];
  const digest = await push(image(path), `${host}/${path}:1`);
  const flags = ['--key', foreign.key, '--signing-config', signingConfig, '--trusted-root', trustedRoot];
  const signed = await cosign(['sign', '--yes', ...flags, `${host}/${path}@${digest}`]);
  if (signed.code !== 0) throw new Error(signed.stderr);
  return pinned(host, path, digest);
}

async function foreignKey(): Promise<Extract<Accept, { readonly kind: 'key' }>> {
  const publicKey = await readFile(world().keys.foreign.publicKey, 'utf8');
  const der = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  return { kind: 'key', publicKey, fingerprint: createHash('sha256').update(der).digest('hex') };
}

describe('signing a payload', () => {
  it('signs the bytes as they are with a key', async () => {
    const host = await hostOf(plugin);
    const signing = { key: world().keys.production.key };
    const made = must(
      await host.call('payload.sign@1', { payload: PAYLOAD, signing }, await contextOf(plugin, await pluginWorld())),
    );
    const publicKey = await readFile(world().keys.production.publicKey, 'utf8');
    const bytes = Buffer.from(PAYLOAD, 'base64');
    expect(verify256(bytes, made.signature, publicKey)).toBe(true);
    expect(verify256(Buffer.concat([bytes, bytes]), made.signature, publicKey)).toBe(false);
    expect(made.certificate).toBeUndefined();
  });

  it('brings the certificate of an identity and those above it, and verifies for nobody else', async () => {
    const { bundle = '', certificate, chain } = await keylessPayload();
    expect(certificate).toContain('BEGIN CERTIFICATE');
    expect(chain).toContain('BEGIN CERTIFICATE');
    const host = await hostOf(plugin);
    const ask = async (payload: string, accept: Accept) => {
      const input = { payload, bundle, accept, trustedRoot: keyless().trustedRoot };
      return host.call('payload.verify@1', input, await contextOf(plugin, await pluginWorld()));
    };
    expect(await ask(PAYLOAD, identity(EMAIL))).toMatchObject({
      ok: true,
      value: { signer: `${keyless().issuer} ${EMAIL}` },
    });
    expect(await ask(PAYLOAD, identity('other@slipway.example'))).toMatchObject({
      ok: false,
      failure: { reason: 'trust' },
    });
    const other = Buffer.from('{}').toString('base64');
    expect(await ask(other, identity(EMAIL))).toMatchObject({ ok: false, failure: { reason: 'trust' } });
  });
});

async function keylessPayload() {
  vi.stubEnv('TEST_TOKEN', await identityToken(EMAIL));
  const { signingConfig, trustedRoot } = keyless();
  const host = await hostOf(plugin);
  const signing = { signingConfig, trustedRoot, identityTokenEnv: 'TEST_TOKEN' };
  return must(
    await host.call('payload.sign@1', { payload: PAYLOAD, signing }, await contextOf(plugin, await pluginWorld())),
  );
}

function verify256(bytes: Uint8Array, signature: string, publicKey: string): boolean {
  return verifySignature('sha256', bytes, publicKey, Buffer.from(signature, 'base64'));
}

describe('signing with a key', () => {
  it('makes a bundle that the public key verifies, offline', async () => {
    const bundle = must(await sign({ key: world().keys.production.key })).bundle;
    const proved = verifyKeyBundle(bundle, await readFile(world().keys.production.publicKey, 'utf8'));
    expect(proved).toMatchObject({ ok: true, value: { predicateType: statement.predicateType } });
    expect(verifyKeyBundle(bundle, await readFile(world().keys.foreign.publicKey, 'utf8')).ok).toBe(false);
  });

  it('takes the key from the environment, and puts it into no argument', async () => {
    const key = await readFile(world().keys.production.key, 'utf8');
    vi.stubEnv('TEST_SIGNING_KEY', key);
    const starts: string[][] = [];
    must(await sign({ key: 'env://TEST_SIGNING_KEY' }, statement, starts));
    expect(JSON.stringify(starts)).not.toContain(key.split('\n')[1]);
  });

  it('fails before cosign starts when the variable of the key is not set', async () => {
    const starts: string[][] = [];
    const result = await sign({ key: 'env://TEST_NO_SUCH_KEY' }, statement, starts);
    expect(result).toMatchObject({
      ok: false,
      failure: { reason: 'config', message: expect.stringContaining('TEST_NO_SUCH_KEY') },
    });
    expect(starts).toEqual([]);
  });

  it.each(['wrong', undefined])(
    'says that the password is wrong, and asks nobody for another (%s)',
    async (password) => {
      vi.stubEnv('COSIGN_PASSWORD', password);
      const result = await sign({ key: world().keys.production.key });
      expect(result).toMatchObject({
        ok: false,
        failure: { reason: 'tool', class: 'permanent', hint: expect.stringContaining('COSIGN_PASSWORD') },
      });
    },
  );

  it('says once and for all that a log refused a statement by its size', async () => {
    let requests = 0;
    const log = await serve((request, response) => {
      requests += 1;
      request.resume().on('end', () => response.writeHead(413).end('request body too large'));
    });
    for (const version of [1, 2]) {
      requests = 0;
      const signingConfig = await logConfig(`http://${log}`, version);
      const large = { ...statement, predicate: { sbom: 'x'.repeat(300_000) } };
      const result = await sign(
        { key: world().keys.production.key, signingConfig, trustedRoot: world().keys.trustedRoot },
        large,
      );
      expect(result).toMatchObject({
        ok: false,
        failure: { reason: 'tool', class: 'permanent', message: expect.stringContaining('294 KiB') },
      });
      if (!result.ok) expect(result.failure.hint).toContain('too large for the log');
      expect(requests).toBe(1);
    }
  });
});

describe('signing with an identity', () => {
  it('fails before cosign starts when there is none', async () => {
    for (const name of ['SIGSTORE_ID_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'BUILDKITE_AGENT_ACCESS_TOKEN'])
      vi.stubEnv(name, undefined);
    const starts: string[][] = [];
    const { signingConfig, trustedRoot } = keyless();
    expect(await sign({ signingConfig, trustedRoot }, statement, starts)).toMatchObject({
      ok: false,
      failure: { reason: 'config' },
    });
    expect(starts).toEqual([]);
  });

  it('gives the token to cosign by its environment only', async () => {
    const token = await identityToken(EMAIL);
    vi.stubEnv('TEST_TOKEN', token);
    const starts: string[][] = [];
    const { signingConfig, trustedRoot } = keyless();
    must(await sign({ signingConfig, trustedRoot, identityTokenEnv: 'TEST_TOKEN' }, statement, starts));
    expect(JSON.stringify(starts)).not.toContain(token);
  });

  it('is verified for the accepted identity, exactly or by a whole pattern, and for no other', async () => {
    const bundle = await keylessBundle();
    const { issuer } = keyless();
    expect(await verify(bundle, identity(EMAIL))).toMatchObject({
      ok: true,
      value: { signer: `${issuer} ${EMAIL}`, statement },
    });
    expect((await verify(bundle, identity({ pattern: '.*@slipway\\.example' }))).ok).toBe(true);
    for (const other of [
      identity('other@slipway.example'),
      identity({ pattern: 'slipway' }),
      identity(EMAIL, 'https://issuer.invalid'),
    ]) {
      expect(await verify(bundle, other)).toMatchObject({ ok: false, failure: { reason: 'trust' } });
    }
  });

  it('is not verified when a byte of the statement changed, or the time is missing', async () => {
    const bundle = JSON.parse(await keylessBundle()) as {
      dsseEnvelope: { payload: string };
      verificationMaterial: { timestampVerificationData: unknown };
    };
    const payload = Buffer.from(JSON.stringify({ ...statement, predicate: { other: true } })).toString('base64');
    const changed = { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload } };
    const timeless = {
      ...bundle,
      verificationMaterial: { ...bundle.verificationMaterial, timestampVerificationData: {} },
    };
    for (const other of [changed, timeless]) {
      expect(await verify(JSON.stringify(other) as Bundle, identity(EMAIL))).toMatchObject({
        ok: false,
        failure: { reason: 'trust' },
      });
    }
  });

  it('is not verified against a trusted root that knows nobody', async () => {
    const result = await verify(await keylessBundle(), identity(EMAIL), world().keys.trustedRoot);
    expect(result).toMatchObject({ ok: false, failure: { reason: 'trust' } });
  });

  it('is not taken for a key, nor a key for an identity', async () => {
    const byKey = must(await sign({ key: world().keys.production.key })).bundle;
    expect(await verify(byKey, identity(EMAIL))).toMatchObject({ ok: false, failure: { reason: 'trust' } });
    const publicKey = await readFile(world().keys.production.publicKey, 'utf8');
    const key: Accept = { kind: 'key', publicKey, fingerprint: 'f'.repeat(64) };
    expect(await verify(await keylessBundle(), key)).toMatchObject({ ok: false, failure: { reason: 'trust' } });
    expect(await verify(byKey, key)).toMatchObject({ ok: true, value: { signer: key.fingerprint } });
  });
});

function keyless() {
  const { keyless: found } = world();
  if (found === undefined) throw new Error('the world has no Fulcio');
  return found;
}

function identity(subject: string | { readonly pattern: string }, issuer = keyless().issuer): Accept {
  return {
    kind: 'identity',
    issuer: { exact: issuer },
    subject: typeof subject === 'string' ? { exact: subject } : subject,
  };
}

async function keylessBundle(): Promise<Bundle> {
  vi.stubEnv('TEST_TOKEN', await identityToken(EMAIL));
  const { signingConfig, trustedRoot } = keyless();
  return must(await sign({ signingConfig, trustedRoot, identityTokenEnv: 'TEST_TOKEN' })).bundle;
}

async function sign(signing: SigningInput, signed: Statement = statement, starts: string[][] = []) {
  const host = await hostOf(plugin);
  const context = await contextOf(plugin, await pluginWorld());
  return host.call('statement.sign@1', { statement: signed, signing }, recorded(context, starts));
}

async function verify(bundle: Bundle, accept: Accept, trustedRoot = keyless().trustedRoot) {
  const host = await hostOf(plugin);
  return host.call('bundle.verify@1', { bundle, accept, trustedRoot }, await contextOf(plugin, await pluginWorld()));
}

function payloadOf(bundle: Bundle): unknown {
  return (JSON.parse(bundle) as { dsseEnvelope: { payload: string } }).dsseEnvelope.payload;
}

/** A signing config that names one transparency log, of Rekor's major version. */
async function logConfig(url: string, majorApiVersion: number): Promise<string> {
  const file = join(await freshFolder(), 'signing-config.json');
  const service = { url, majorApiVersion, validFor: { start: '2026-01-01T00:00:00Z' }, operator: 'test' };
  const mediaType = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';
  await writeFile(
    file,
    JSON.stringify({ mediaType, rekorTlogUrls: [service], rekorTlogConfig: { selector: 'ANY' }, tsaConfig: {} }),
  );
  return file;
}
