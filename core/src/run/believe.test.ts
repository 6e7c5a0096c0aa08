import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { fail, ok } from '../failure.ts';
import { sha256 } from '../oci/digest.ts';
import { mediaType, type ManifestContent } from '../oci/model.ts';
import { pin, type Digest } from '../reference.ts';
import { client, must, repository } from '../registry/test-client.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { candidateAnnotations } from '../trust/accept.ts';
import { predicateType } from '../trust/model.ts';
import { believe } from './believe.ts';
import type { StepContext } from './engine.ts';

const MIB = 1024 * 1024;
const SUBJECT = pin(repository('r.example', 'a'), sha256('image'));
const SIGNER = { kind: 'identity', issuer: { exact: 'i' }, subject: { exact: 's' } } as const;

/** Looks at bundles of these sizes, none of which verifies: what was read of them, in its order, and the most of it at once. */
async function looked(sizes: readonly number[], annotationsOf?: (at: number) => Readonly<Record<string, string>>) {
  const referrers = sizes.map((_, at) => sha256(`referrer ${at}`));
  const read: number[] = [];
  let [open, most] = [0, 0];
  const manifestOf = (digest: Digest): ManifestContent => {
    const at = referrers.indexOf(digest);
    const config = { mediaType: mediaType.empty, digest: sha256('{}'), size: 2 };
    const layer = { mediaType: mediaType.bundle, digest: sha256(`bundle ${at}`), size: sizes[at] ?? 0 };
    const subject = { mediaType: mediaType.ociManifest, digest: SUBJECT.digest, size: 1 };
    return {
      kind: 'manifest',
      descriptor: { mediaType: mediaType.ociManifest, digest, size: 1 },
      bytes: new Uint8Array(1),
      value: { schemaVersion: 2, config, layers: [layer], subject },
    };
  };
  const engine = {
    now: () => new Date(0),
    memory: { get: () => undefined, put: async () => {} },
    registry: {
      referrers: async () =>
        ok(
          referrers.map((digest, at) => ({
            descriptor: {
              ...{ mediaType: mediaType.ociManifest, artifactType: mediaType.bundle, digest, size: 1 },
              ...(annotationsOf === undefined ? {} : { annotations: annotationsOf(at) }),
            },
          })),
        ),
      manifest: async ({ digest }: { readonly digest: Digest }) => ok(manifestOf(digest)),
      async readBlob(_: unknown, { size }: { readonly size: number }) {
        read.push(size);
        most = Math.max(most, (open += size));
        await setImmediate();
        open -= size;
        return ok(new Uint8Array());
      },
    },
    context: async () => ({ [Symbol.asyncDispose]: async () => {} }),
    host: { call: async () => fail({ reason: 'trust', class: 'permanent', message: 'not signed by anybody here' }) },
  };
  const signal = new AbortController().signal;
  const task = { id: 'a#verify', contract: 'core.verify@1', entry: 'a', input: null, needs: [] };
  const step = { engine, task, signal } as unknown as StepContext;
  const facts = must(await believe(step, SUBJECT, { signer: SIGNER, accept: [SIGNER] }));
  expect(facts).toEqual([]);
  return { read, most };
}

test('bundles of an image are read the smallest first, and up to 128 MiB of them', async () => {
  const { read } = await looked([...Array.from({ length: 40 }, () => 63 * MIB), 20 * MIB, 2_000]);
  expect(read).toEqual([2_000, 20 * MIB, 63 * MIB]);
});

test('64 MiB of them are in memory at once, and all of a usual number', async () => {
  const { read, most } = await looked([...Array.from({ length: 200 }, () => 100_000), 30 * MIB, 40 * MIB]);
  expect(read).toHaveLength(202);
  expect(most).toBeLessThanOrEqual(64 * MIB);
});

test('where a registry lists a scan for each day, the newest is read, and what was attached after them', async () => {
  const scans = Array.from({ length: 300 }, (_, at) => MIB + at);
  const signature = 2_000;
  const { read } = await looked([...scans, signature], (at) => {
    if (at === scans.length) return candidateAnnotations(SIGNER, predicateType.signature);
    const created = new Date(Date.UTC(2026, 0, 1 + at)).toISOString();
    return candidateAnnotations(SIGNER, predicateType.scan, { created });
  });
  expect(read).toContain(scans.at(-1));
  expect(read).toContain(signature);
  expect(read.reduce((a, b) => a + b)).toBeLessThan(130 * MIB);
});

test('only what may be ours is read; what proves nothing is remembered, and what cannot be read is a failure', async () => {
  const server = await startScriptedRegistry();
  onTestFinished(() => server.close());
  const registry = client({ retries: 0 });
  onTestFinished(() => registry.close());
  const at = repository(server.host, 'a');
  const [ours, theirs] = ['ab', 'cd'].map(
    (hex) => ({ kind: 'key', publicKey: 'PEM', fingerprint: hex.repeat(32) }) as const,
  );
  if (ours === undefined || theirs === undefined) throw new Error('there are two keys');
  const [one, other] = [seedImage(server, 'a', 'one'), seedImage(server, 'a', 'other')];
  const attach = async (image: typeof one, text: string, signer = ours, artifactType: string = mediaType.bundle) => {
    const annotations = candidateAnnotations(signer, predicateType.scan);
    const [made] = must(
      await registry.attach({ ...image, repository: at }, [{ artifactType, annotations, bytes: Buffer.from(text) }]),
    );
    if (made === undefined) throw new Error('nothing was attached');
    return made;
  };
  const unproven = await attach(one, 'unproven');
  await attach(one, 'of another key', theirs);
  await attach(one, 'of another type', ours, 'a/b');
  // A list may say anything of what refers to an image.
  const elsewhere = await attach(other, 'of another image');
  must(await registry.list(pin(at, one.digest), [elsewhere]));
  const remembered: (readonly [Digest, unknown])[] = [];
  const engine = {
    now: () => new Date(0),
    registry,
    memory: {
      get: () => undefined,
      put: async (of: Digest, _: string, fact: unknown) => void remembered.push([of, fact]),
    },
  };
  const step = { engine, signal: AbortSignal.any([]) } as unknown as StepContext;
  const since = server.log.length;
  const blobs = () =>
    server.log.slice(since).filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
  const looking = () => believe(step, pin(at, one.digest), { signer: ours, accept: [ours] });
  expect(must(await looking())).toEqual([]);
  expect(blobs().map(({ path }) => path.split('/').at(-1))).toEqual([sha256('unproven')]);
  expect(remembered).toEqual([[unproven.digest, null]]);
  server.onRequest = ({ path }) => (path.includes('/blobs/') ? { kind: 'answer', status: 500 } : undefined);
  expect(await looking()).toMatchObject({ ok: false, failure: { reason: 'registry', status: 500 } });
  expect(remembered).toHaveLength(1);
});
