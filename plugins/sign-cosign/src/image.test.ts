/** What is made of cosign's answers, in the words that cosign 3.1 prints; test/plugins/sign-cosign.test.ts asks the real one. */
import { fail, ok, pin, type Accept, type Digest, type Pinned, type TaskContext } from '@slipway/core';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verifyImage } from './image.ts';

const IMAGE: Pinned = pin({ registry: 'r.example', path: 'a' }, `sha256:${'a'.repeat(64)}` as Digest);
const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1';
const OLDER = 'cosign container image signature';
const TEST = 'https://in-toto.io/attestation/test-result/v0.1';
const ISSUER = 'https://issuer.example';

const exact: Accept = { kind: 'identity', issuer: { exact: ISSUER }, subject: { exact: 'team@r.example' } };
const pattern: Accept = { ...exact, subject: { pattern: '^(?:.*@r\\.example)$' } };
const key: Accept = {
  kind: 'key',
  publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString(),
  fingerprint: 'f'.repeat(64),
};

interface Printed {
  readonly type: string;
  readonly optional?: unknown;
}

/** Cosign's answers: of what it finds by itself, and of the older tag; `undefined`: it finds nothing. */
interface Answers {
  readonly newer?: Printed;
  readonly older?: Printed;
  /** The older tag's signature carries what a log has promised. */
  readonly logged?: true;
  /** The flag that it takes to verify; empty: no flag of its kind. */
  readonly told?: string;
}

async function verify(accept: Accept, { newer, older, logged, told }: Answers, tlogs: readonly unknown[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-cosign-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const trustedRoot = join(folder, 'trusted-root.json');
  const mediaType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';
  await writeFile(trustedRoot, JSON.stringify({ mediaType, tlogs }));
  const context = {
    files: { work: folder, shared: folder },
    plainHttp: () => false,
    registry: { referrers: async () => ok([]) },
    exec: async (_: string, args: readonly string[]) => {
      const asksOlder = args.includes('--new-bundle-format=false');
      const found = asksOlder ? older : (newer ?? older);
      const hash = args.find((arg) => arg.startsWith('--signature-digest-algorithm=')) ?? '';
      if (found === undefined || hash !== (told ?? '') || (args.includes('--offline=true') && logged !== true)) {
        const output = 'Error: no matching signatures: offline verification failed\n';
        return fail({ reason: 'tool', class: 'permanent', tool: 'cosign', message: 'cosign failed', output });
      }
      const { type, optional = null } = found;
      return ok({ stdout: `\n${JSON.stringify([{ critical: { type }, optional }])}\n`, stderr: '' });
    },
  } as unknown as TaskContext;
  return verifyImage({ image: IMAGE, accept: [accept], trustedRoot }, context);
}

const LOG = {
  baseUrl: 'https://log.example',
  hashAlgorithm: 'SHA2_256',
  publicKey: {
    rawBytes: generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ type: 'spki', format: 'der' })
      .toString('base64'),
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    validFor: { start: '2026-01-01T00:00:00Z' },
  },
  logId: { keyId: 'AAAA' },
};
const said = (Subject: string) => ({
  Subject,
  Issuer: ISSUER,
  Bundle: { Payload: { integratedTime: 1_600_000_000 } },
});

test.each([key, exact, pattern])('a statement that is no signature admits nobody, $kind', async (accept) => {
  // Its type should be a URL, and is what its signer wrote.
  for (const type of [TEST, 'test-result']) {
    const attested = await verify(accept, { newer: { type } });
    expect(attested).toMatchObject({ ok: false, failure: { reason: 'trust', message: expect.stringContaining(type) } });
  }
  // Cosign looks at the older tag only when told, where there are bundles.
  const signed = await verify(accept, {
    newer: { type: TEST },
    older: { type: OLDER, optional: said('team@r.example') },
  });
  expect(signed).toMatchObject({ ok: true });
});

test.each([SIGNATURE, 'https://slsa.dev/provenance/v1', OLDER])('%s does', async (type) => {
  expect(await verify(key, { newer: { type } })).toEqual(ok({ signer: 'f'.repeat(64) }));
});

test('what a bundle says of its signer and of its time is believed of nobody', async () => {
  const newer = { type: SIGNATURE, optional: said('boss@r.example') };
  expect(await verify(pattern, { newer })).toMatchObject({ ok: false, failure: { reason: 'trust' } });
  expect(await verify(exact, { newer: { type: SIGNATURE, optional: said('team@r.example') } })).toEqual(
    ok({ signer: 'team@r.example', issuer: ISSUER }),
  );
});

test('the time beside an older signature counts where it alone was to prove it', async () => {
  const older = { type: OLDER, optional: said('team@r.example') };
  const signer = { signer: 'team@r.example', issuer: ISSUER };
  expect(await verify(pattern, { older })).toEqual(ok(signer));
  expect(await verify(pattern, { older }, [LOG])).toEqual(ok(signer));
  expect(await verify(pattern, { older, logged: true }, [LOG])).toEqual(
    ok({ ...signer, signedAt: '2020-09-13T12:26:40.000Z' }),
  );
});

test('a key of a larger curve is verified with its own hash, and with the one that cosign took before', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const larger: Accept = { ...key, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
  for (const hash of ['sha384', undefined]) {
    const told = hash === undefined ? '' : `--signature-digest-algorithm=${hash}`;
    const signed = await verify(larger, { newer: { type: SIGNATURE }, told });
    expect(signed).toEqual(ok({ signer: 'f'.repeat(64) }));
  }
  expect(
    await verify(larger, { newer: { type: SIGNATURE }, told: '--signature-digest-algorithm=sha512' }),
  ).toMatchObject({
    ok: false,
  });
});
