/** The second run: what it asks, what it starts, and what it leaves alone. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freshPath, world } from '../world.ts';
import { HELLO, project, type Ran } from './project.ts';
import { source } from './shorthand.ts';
import { watch } from './watching-proxy.ts';

const started = ({ answer }: Ran, tool: string): number => answer.tools.find(({ name }) => name === tool)?.started ?? 0;

test('nothing changed: no tool, at most three requests an entry; on a cold machine two more a referrer', async () => {
  const [from, to] = [await watch(world().source.host), await watch(world().destination.host)];
  const image = await source('unchanged');
  const [byTag, pinned, built] = [freshPath('tag'), freshPath('pinned'), freshPath('built')];
  const one = await project({
    sync: [
      { source: `hub.slipway.example/${image.path}:1`, destination: `${to.host}/${byTag}:1` },
      { source: `hub.slipway.example/${image.path}:1@${image.digest}`, destination: `${to.host}/${pinned}:1` },
      { source: `${to.host}/${built}:1`, destination: `${to.host}/${built}:stable` },
    ],
    build: [{ source: `./${HELLO}`, destination: `${to.host}/${built}:1` }],
    settings: { mirrors: [{ source: 'hub.slipway.example', mirror: from.host, trusted: true }] },
  });
  const first = await one.run('run');
  expect(first.code, first.stdout).toBe(0);

  const again = async (): Promise<{
    readonly source: number;
    readonly ofRepository: (path: string) => number;
    readonly all: string;
  }> => {
    from.forget();
    to.forget();
    const ran = await one.run('run');
    expect(ran.code, ran.stdout).toBe(0);
    expect(ran.answer.tools).toEqual([]);
    expect(
      ran.answer.entries.map(({ outcome, signed, digest, before }) => [outcome, signed, digest === before]),
    ).toEqual(ran.answer.entries.map(() => ['unchanged', true, true]));
    const written = [...from.requests, ...to.requests].filter(({ method }) => method !== 'GET' && method !== 'HEAD');
    expect(written).toEqual([]);
    const asked = [...to.requests];
    return {
      source: from.requests.length,
      ofRepository: (path) => asked.filter((seen) => seen.path.startsWith(`/v2/${path}/`)).length,
      all: [...from.requests, ...to.requests]
        .map(({ method, path, status }) => `${method} ${path} ${status}`)
        .join('\n'),
    };
  };

  const warm = await again();
  expect(warm.source, warm.all).toBe(1);
  // Of the entry by tag one request went to its source.
  expect(warm.ofRepository(byTag), warm.all).toBeLessThanOrEqual(2);
  expect(warm.ofRepository(pinned), warm.all).toBeLessThanOrEqual(2);
  // A build and a retag of it.
  expect(warm.ofRepository(built), warm.all).toBeLessThanOrEqual(5);

  await rm(join(one.folder, '.slipway'), { recursive: true });
  const cold = await again();
  // What was verified is not remembered: signature, SBOM, scan and copy attestation are read, each a manifest and a blob.
  expect(cold.ofRepository(byTag), cold.all).toBeLessThanOrEqual(3 + 2 * 4);
  expect(cold.ofRepository(byTag)).toBeGreaterThan(warm.ofRepository(byTag));
  const warmAgain = await again();
  expect(warmAgain.ofRepository(byTag)).toBe(warm.ofRepository(byTag));
});

test('always: scanned and attested again, signed once, and said to be unchanged', async () => {
  const proxy = await watch(world().destination.host);
  const [path, from] = [freshPath('always'), await source('always')];
  const { run } = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${proxy.host}/${path}:1`, always: true }],
  });
  expect((await run('run')).row(`${path}:1`)).toMatchObject({ outcome: 'published', why: 'not published yet' });
  proxy.forget();
  const again = await run('run');
  expect(again.code, again.stdout).toBe(0);
  expect(again.row(`${path}:1`)).toMatchObject({
    outcome: 'unchanged',
    why: 'always',
    signed: true,
    digest: from.digest,
    before: from.digest,
  });
  expect(started(again, 'trivy')).toBeGreaterThanOrEqual(1);
  expect(started(again, 'crane')).toBe(0);
  // The key is tried; two platforms and the summary: the signature and the rest that holds are not made again.
  expect(started(again, 'cosign')).toBe(4);
  const puts = proxy.requests.filter(({ method, path: asked }) => method === 'PUT' && asked.includes('/manifests/'));
  expect(puts.some(({ path: asked }) => asked.endsWith('/manifests/1'))).toBe(false);
  expect(puts.length).toBeGreaterThan(0);
});
