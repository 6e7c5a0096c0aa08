/**
 * Real registries behind a network that misbehaves: https://github.com/Shopify/toxiproxy. Each copy ends in success or in one
 * clear failure of the right side, in time; what is left in the destination is looked at around the proxy, by crane.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { fail, ok, type Failure, type Result } from '../../core/src/failure.ts';
import { pin, type Digest, type Tag } from '../../core/src/reference.ts';
import { copy } from '../../core/src/registry/copy.ts';
import { client, must } from '../../core/src/registry/test-client.ts';
import { mediaType } from '../../core/src/oci/model.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../../core/src/testing/index.ts';
import { gzipStored, tar, text } from '../../demo/world/archive.ts';
import { createProcesses } from '../../demo/world/processes.ts';
import { crane, freshPath, world } from '../world.ts';

type Side = 'source' | 'destination';

interface Toxic {
  readonly type: string;
  readonly attributes: Readonly<Record<string, number>>;
  /** Nothing is lost, only late or in pieces: the copy must succeed. */
  readonly harmless: boolean;
}

const KILOBYTES_A_SECOND = 2000;
const LAYER = 300_000;
const TAG = 'v1' as Tag;
/** Milliseconds in which the whole of a copy has ended, one way or the other. */
const LIMIT = 30_000;

const toxics: Readonly<Record<string, Toxic>> = {
  'resets at once': { type: 'reset_peer', attributes: { timeout: 0 }, harmless: false },
  'resets after a while': { type: 'reset_peer', attributes: { timeout: 40 }, harmless: false },
  'gives small slices': {
    type: 'slicer',
    attributes: { average_size: 700, size_variation: 300, delay: 5 },
    harmless: true,
  },
  'ends each connection after 100 kB': { type: 'limit_data', attributes: { bytes: 100_000 }, harmless: false },
  'ends each connection after 300 bytes': { type: 'limit_data', attributes: { bytes: 300 }, harmless: false },
  'has little bandwidth': { type: 'bandwidth', attributes: { rate: KILOBYTES_A_SECOND }, harmless: true },
  'is slow to close': { type: 'slow_close', attributes: { delay: 200 }, harmless: true },
  'falls silent, then ends': { type: 'timeout', attributes: { timeout: 100 }, harmless: false },
  'is late': { type: 'latency', attributes: { latency: 20, jitter: 10 }, harmless: true },
};

const stack = new AsyncDisposableStack();
const path = freshPath('toxic');
let api = '';
let image: Digest;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-toxic-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const processes = createProcesses();
  stack.defer(() => processes.end());
  const [port] = await processes.serve({
    command: world().tools['toxiproxy'] ?? 'toxiproxy',
    args: ([free]) => ['-host', '127.0.0.1', '-port', String(free)],
    ports: 1,
    ready: ([free]) => `http://127.0.0.1:${free}/version`,
    logFile: join(folder, 'log'),
  });
  api = `http://127.0.0.1:${port}`;
  const seed = stack.use(await startScriptedRegistry());
  image = putImage(seed);
  must(
    await copyTagged({ source: { host: seed.host, path: 'seed' }, destination: { host: world().source.host, path } }),
  );
});
afterAll(() => stack.disposeAsync());

describe.each(['source', 'destination'] as const)('a network to the %s that', (side) => {
  describe.each(['upstream', 'downstream'])('%s', (stream) => {
    test.each(Object.entries(toxics))(
      '%s',
      async (name, toxic) => {
        const proxied = await proxy(world()[side].host, `${side} ${stream} ${name}`.replaceAll(' ', '-'));
        await proxied.add({ ...toxic, stream });
        const hosts = { source: world().source.host, destination: world().destination.host, [side]: proxied.host };
        const to = freshPath('toxic-copy');
        const places = {
          source: { host: hosts.source, path },
          destination: { host: hosts.destination, path: to },
        };
        const first = await copyTagged(places);
        if (toxic.harmless) must(first);
        if (!first.ok) expectClear(first.failure, side, proxied.host);
        await seenFromOutside(to, first.ok);
        await proxied.clear();
        expect(await copyTagged(places)).toMatchObject({ ok: true });
        await seenFromOutside(to, true);
      },
      LIMIT,
    );
  });
});

interface Place {
  readonly host: string;
  readonly path: string;
}

async function copyTagged({ source, destination }: { readonly source: Place; readonly destination: Place }) {
  await using registry = client({ retries: 2 });
  const from = { registry: source.host, path: source.path };
  const to = { registry: destination.host, path: destination.path };
  const copied = await copy(registry.content(from, 'source'), registry.content(to, 'destination'), image, {
    source: source.host,
  });
  if (!copied.ok) return fail(copied.failure);
  const tagged: Result<void> = await registry.tag(pin(to, image), TAG, copied.value.root);
  return tagged.ok ? ok(undefined) : tagged;
}

/** One failure, of the side that is to blame, which a new try may mend. */
function expectClear(failure: Failure, side: Side, host: string): void {
  expect(failure).toMatchObject({ reason: 'registry', side, host, class: 'transient' });
  expect(failure.message).toMatch(/^[^\n]{10,500}$/);
}

/** Around the proxy: the tag is not there, or the whole image is. */
async function seenFromOutside(repository: string, tagged: boolean): Promise<void> {
  const reference = `${world().destination.host}/${repository}`;
  const digest = await crane('digest', `${reference}:${TAG}`);
  if (tagged) expect(digest.stdout.trim(), digest.stderr).toBe(image);
  // A copy that failed while it moved the tag may have moved it.
  if (digest.code !== 0 && (await crane('manifest', `${reference}@${image}`)).code !== 0) return;
  // Pulls and hashes every layer.
  const valid = await crane('validate', '--remote', `${reference}@${image}`);
  expect(valid.code, valid.stderr).toBe(0);
}

/** A port of its own in front of `upstream`, gone after the test. */
async function proxy(upstream: string, name: string) {
  const made = await send('POST', '/proxies', { name, listen: '127.0.0.1:0', upstream, enabled: true });
  const { listen } = made as { readonly listen: string };
  onTestFinished(async () => void (await send('DELETE', `/proxies/${name}`)));
  return {
    host: listen,
    add: ({ type, attributes, stream }: Toxic & { readonly stream: string }) =>
      send('POST', `/proxies/${name}/toxics`, { name: 'toxic', type, stream, toxicity: 1, attributes }),
    clear: () => send('DELETE', `/proxies/${name}/toxics/toxic`),
  };
}

async function send(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${api}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`toxiproxy answered ${response.status} to ${method} ${path}: ${answer}`);
  return answer === '' ? undefined : (JSON.parse(answer) as unknown);
}

/** An image of three layers whose bytes do not repeat, in `seed`. */
function putImage(registry: ScriptedRegistry): Digest {
  const archives = [0, 1, 2].map((at) => {
    const content = Buffer.concat(
      Array.from({ length: LAYER / 32 }, (_, block) => createHash('sha256').update(`${at} ${block}`).digest()),
    );
    return tar([{ type: 'file', path: `layer-${at}`, content }], { mtime: 0 });
  });
  const hash = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const put = (type: string, bytes: Uint8Array) => ({
    mediaType: type,
    digest: registry.putBlob('seed', bytes),
    size: bytes.byteLength,
  });
  const config = text(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: {},
      rootfs: { type: 'layers', diff_ids: archives.map(hash) },
    }),
  );
  return registry.putManifest('seed', {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: put(mediaType.ociConfig, config),
    layers: archives.map((each) => put('application/vnd.oci.image.layer.v1.tar+gzip', gzipStored(each))),
  }).digest;
}
