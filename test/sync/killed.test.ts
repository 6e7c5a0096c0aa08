/** Copies that are killed, and copies that meet: between real registries, watched on the way. */
import { createHash, randomFillSync } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../demo/world/listen.ts';
import { project } from '../chain/project.ts';
import { digestOf } from '../chain/shorthand.ts';
import { freshFolder, freshPath, skopeo, world, writeFiles } from '../world.ts';

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
const TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** In front of a registry: how many bytes were sent to it, and what. */
async function counting(upstream: string) {
  const count = { uploaded: 0, requests: [] as string[] };
  const server = createServer((request, response) => {
    count.requests.push(`${request.method} ${request.url?.split('?')[0] ?? ''}`);
    const onward = send(
      `http://${upstream}${request.url ?? '/'}`,
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.on('data', (chunk: Buffer) => (count.uploaded += chunk.byteLength));
    // Whoever goes away in the middle goes away at the other side too.
    request.on('aborted', () => onward.destroy());
    request.pipe(onward);
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${port}`, count };
}

/** An image with one layer of random bytes, put into the world's source by hand: nobody needs it on disk. */
async function largeImage(path: string, size: number): Promise<string> {
  const host = `http://${world().source.host}/v2/${path}`;
  const piece = randomFillSync(Buffer.alloc(8 * MIB));
  const layer = createHash('sha256');
  for (let at = 0; at < size; at += piece.byteLength) layer.update(piece);
  const digest = `sha256:${layer.digest('hex')}`;
  async function put(name: string, length: number, pieces: () => Iterable<Uint8Array>): Promise<void> {
    const opened = await fetch(`${host}/blobs/uploads/`, { method: 'POST' });
    const url = new URL(opened.headers.get('location') ?? '');
    url.searchParams.set('digest', name);
    const body = ReadableStream.from(pieces());
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(length) };
    const stored = await fetch(url, { method: 'PUT', body, headers, duplex: 'half' });
    expect(stored.status).toBe(201);
  }
  await put(digest, size, () => Array.from({ length: size / piece.byteLength }, () => piece));
  const config = Buffer.from('{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}');
  const configDigest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  await put(configDigest, config.byteLength, () => [config]);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: TYPE,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: configDigest,
      size: config.byteLength,
    },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size }],
  });
  const stored = await fetch(`${host}/manifests/1`, {
    method: 'PUT',
    body: manifest,
    headers: { 'content-type': TYPE },
  });
  expect(stored.status).toBe(201);
  return `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
}

/** As skopeo sees it, which reads every blob and checks its digest. */
async function isWhole(reference: string): Promise<void> {
  const folder = await freshFolder();
  const { code, stderr } = await skopeo('copy', '--src-tls-verify=false', `docker://${reference}`, `dir:${folder}`);
  expect(code, stderr).toBe(0);
}

test('killed in the middle of a gigabyte, the next run sends only the rest', async () => {
  const path = freshPath('killed');
  const digest = await largeImage(path, SIZE);
  const to = await counting(world().destination.host);
  const one = await project({
    sync: [{ source: `hub.slipway.example/${path}:1`, destination: `${to.host}/${path}:1` }],
    settings: { trust: [{ match: '**', level: 'copy' }] },
  });
  const running = one.start('run');
  await expect.poll(() => to.count.uploaded, { timeout: 60_000, interval: 5 }).toBeGreaterThan(SIZE / 4);
  running.child.kill('SIGKILL');
  await running.ended;
  const first = to.count.uploaded;
  expect(first).toBeLessThan(SIZE);
  // Nothing is to be seen of it, and the address of the upload is for its owner only.
  expect(await digestOf(`${world().destination.host}/${path}:1`)).toBeUndefined();
  const folder = join(one.folder, '.slipway', 'uploads');
  const [record = ''] = await readdir(folder);
  expect([(await stat(folder)).mode & 0o777, (await stat(join(folder, record))).mode & 0o777]).toEqual([0o700, 0o600]);
  const { url } = JSON.parse(await readFile(join(folder, record), 'utf8')) as { url: string };

  to.count.uploaded = 0;
  const again = await one.run('run');
  expect(again.code, again.stdout + again.stderr).toBe(0);
  expect(await digestOf(`${world().destination.host}/${path}:1`)).toBe(digest);
  // What was on its way when it was killed is sent again, and no more.
  expect(to.count.uploaded).toBeGreaterThan(0);
  expect(to.count.uploaded).toBeLessThanOrEqual(SIZE - first + 16 * MIB);
  expect(await readdir(folder)).toEqual([]);
  const state = new URL(url).searchParams.get('_state') ?? '';
  expect(state).not.toBe('');
  const journals = JSON.stringify(await one.journals());
  expect(journals).not.toContain(state);
  expect(again.stdout + again.stderr).not.toContain(state);
  await isWhole(`${world().destination.host}/${path}:1`);
}, 180_000);

test('an upload that a checkout names is not gone on with: nothing is sent to where it leads', async () => {
  const path = freshPath('planted');
  const digest = await largeImage(path, 32 * MIB);
  const { host } = world().destination;
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(String(request.method));
    request.resume().on('end', () => response.writeHead(request.method === 'GET' ? 204 : 201).end());
  });
  const port = await listen(server);
  onTestFinished(() => void server.close());
  const source = `hub.slipway.example/${path}:1`;
  const one = await project({
    sync: [{ source, destination: `${host}/${path}:1` }],
    settings: { trust: [{ match: '**', level: 'copy' }] },
  });
  const manifest = await fetch(`http://${world().source.host}/v2/${path}/manifests/${digest}`, {
    headers: { accept: TYPE },
  });
  const { layers } = (await manifest.json()) as { layers: readonly { digest: string; size: number }[] };
  for (const layer of layers) {
    const blob = `${host}/${path}@${layer.digest}`;
    const url = `http://127.0.0.1:${port}/v2/upload`;
    await writeFiles(one.folder, {
      [`.slipway/uploads/${createHash('sha256').update(blob).digest('hex')}.json`]: JSON.stringify({
        ...{ blob, size: layer.size, url, owner: {}, proof: '' },
      }),
    });
  }
  const ran = await one.run('run');
  expect(seen).toEqual([]);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
});

test('two syncs of one config at once both succeed, and leave a whole image', async () => {
  const path = freshPath('twice');
  const digest = await largeImage(path, 64 * MIB);
  const one = await project({
    sync: [{ source: `hub.slipway.example/${path}:1`, destination: `${world().destination.host}/${path}:1` }],
    settings: { trust: [{ match: '**', level: 'copy' }] },
  });
  const both = await Promise.all([one.run('run'), one.run('run')]);
  for (const ran of both) expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const reference = `${world().destination.host}/${path}:1`;
  expect(await digestOf(reference)).toBe(digest);
  await isWhole(reference);
}, 120_000);
