/**
 * Large layers between two CNCF registries on this machine: one image with a layer of 2 GB, and 50 images of 100 MB.
 *
 *   sh tools/node.sh bench/sync/big.ts [--gigabytes 2] [--images 50] [--megabytes 100] [--rounds 3] [--only slipway,crane] [--built]
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProcesses, run } from '../../demo/world/processes.ts';
import { startRegistry } from '../../demo/world/registries.ts';
import { measure, median, type Usage } from '../kit/measure.ts';
import { listOption, option } from '../kit/options.ts';
import { buildSlipway } from '../kit/slipway.ts';
import { megabytes, printTable, ratio, seconds } from '../kit/table.ts';
import { toolPaths } from '../kit/tools.ts';
import { contenders, tools, type Contender } from './contenders.ts';
import type { Copy } from './pair.ts';

const BLOCK = 1 << 20;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

await buildSlipway();
const paths = await toolPaths([...tools, 'registry'], ['skopeo']);
const only = listOption('only');
const runners = contenders(paths).filter(({ name, width }) => width === 'default' && (only?.includes(name) ?? true));
const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
const processes = createProcesses();
try {
  const source = await startRegistry(processes, paths['registry'] ?? '', join(folder, 'source'));
  const gigabytes = option('gigabytes', 2);
  await upload(source.host, 'mirror/large', gigabytes * 1000);
  await contest(`one layer of ${gigabytes} GB`, source.host, ['mirror/large']);
  const images = Array.from({ length: option('images', 50) }, (_, n) => `mirror/image${n}`);
  const size = option('megabytes', 100);
  for (const name of images) await upload(source.host, name, size);
  await contest(`${images.length} images of ${size} MB`, source.host, images);
} finally {
  await processes.end();
  await rm(folder, { recursive: true });
}

async function contest(title: string, source: string, repositories: readonly string[]): Promise<void> {
  const runs = new Map<Contender, Usage[]>();
  for (let round = 0; round < option('rounds', 3); round += 1) {
    // Nobody always comes first, or after the same one.
    const first = round % runners.length;
    for (const runner of [...runners.slice(first), ...runners.slice(0, first)]) {
      const usage = await once(runner, source, repositories);
      runs.set(runner, [...(runs.get(runner) ?? []), usage]);
      console.error(`${title}: ${runner.name}: ${seconds(usage.wall)}`);
    }
  }
  const figures = [...runs].map(([{ name }, each]) => ({ name, ...median(each) }));
  const ours = figures.find(({ name }) => name === 'slipway');
  console.log(`\n${title}`);
  printTable(
    ['', 'wall', 'CPU', 'memory', 'ours to its wall'],
    figures.map(({ name, wall, cpu, peak }) => [
      ...[name, seconds(wall), seconds(cpu), megabytes(peak)],
      ratio(ours?.wall ?? Number.NaN, wall),
    ]),
  );
}

/** Each time into a registry that has nothing. */
async function once(runner: Contender, source: string, repositories: readonly string[]): Promise<Usage> {
  const work = join(folder, 'work');
  const servers = createProcesses();
  await mkdir(work);
  try {
    const { host } = await startRegistry(servers, paths['registry'] ?? '', join(work, 'destination'));
    const copies: readonly Copy[] = repositories.map((repository) => ({
      source: `${source}/${repository}:1`,
      destination: `${host}/${repository}:1`,
      repository,
      tag: '1',
    }));
    const config = join(work, 'config');
    await mkdir(config);
    // Nobody waits for what another one has written.
    await run('sync', []);
    return await measure(paths['bench-kit'] ?? '', await runner.prepare(config, copies));
  } finally {
    await servers.end();
    await rm(work, { recursive: true });
  }
}

/** An image with one layer of so many million bytes. Its blocks repeat, which no registry and no copying program makes use of. */
async function upload(host: string, repository: string, size: number): Promise<void> {
  const block = randomBytes(BLOCK);
  const length = size * 1e6;
  const pieces = (): readonly Uint8Array[] =>
    Array.from({ length: Math.ceil(length / BLOCK) }, (_, n) => block.subarray(0, Math.min(BLOCK, length - n * BLOCK)));
  const layer = createHash('sha256');
  for (const piece of pieces()) layer.update(piece);
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } }),
  );
  const digests = { layer: `sha256:${layer.digest('hex')}`, config: digestOf(config) };
  await send(host, repository, digests.layer, pieces(), length);
  await send(host, repository, digests.config, [config], config.length);
  const manifest = {
    ...{ schemaVersion: 2, mediaType: MANIFEST },
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digests.config, size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digests.layer, size: length }],
  };
  const headers = { 'content-type': MANIFEST };
  await expectOk(
    fetch(`http://${host}/v2/${repository}/manifests/1`, { method: 'PUT', headers, body: JSON.stringify(manifest) }),
  );
}

async function send(
  host: string,
  repository: string,
  digest: string,
  pieces: readonly Uint8Array[],
  length: number,
): Promise<void> {
  const opened = await expectOk(fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' }));
  const place = new URL(opened.headers.get('location') ?? '', `http://${host}`);
  place.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(length) };
  await expectOk(fetch(place, { method: 'PUT', headers, body: ReadableStream.from(pieces), duplex: 'half' }));
}

async function expectOk(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
