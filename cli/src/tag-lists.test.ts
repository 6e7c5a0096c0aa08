/** How many requests a repository of unchanged tags costs, with and without a list of its tags' digests. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seedImage, startScriptedRegistry, type ScriptedRegistry } from '@slipway/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerOf, command, folderWith } from '../testing.ts';

const TAGS = Array.from({ length: 100 }, (_, index) => `1.${index}.0`);

interface Probe {
  readonly id: string;
  readonly goal: boolean;
  readonly why: string;
}

/** A registry whose list of tags has Google's map of manifests; `lie` changes what the map says of a tag. */
async function listing(
  lie: (tag: string, digest: string) => string = (_, digest) => digest,
): Promise<ScriptedRegistry> {
  const digests = new Map<string, string>();
  const server = await startScriptedRegistry({
    onRequest: ({ path }) => {
      if (!path.endsWith('/tags/list')) return undefined;
      const manifest = Object.fromEntries([...digests].map(([tag, digest]) => [lie(tag, digest), { tag: [tag] }]));
      return { kind: 'answer', status: 200, body: JSON.stringify({ tags: [...digests.keys()], manifest }) };
    },
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  for (const tag of TAGS) digests.set(tag, seedImage(server, 'a/b', tag, { tag }).digest);
  return server;
}

async function resolved(
  config: string,
  options: Readonly<Record<string, unknown>> | undefined,
): Promise<{ readonly probes: readonly Probe[]; readonly stderr: string }> {
  const plugins = options === undefined ? [] : [{ name: 'list-tags', options }];
  const settings = JSON.stringify({ trust: [{ match: '**', level: 'copy' }], plugins });
  const cwd = folderWith({ 'config.yaml': config, 'slipway.config.json': settings });
  const ran = await command({ cwd }, 'plan', '--resolve', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  return { probes: (answerOf(ran) as unknown as { readonly probes: readonly Probe[] }).probes, stderr: ran.stderr };
}

function selection(source: ScriptedRegistry, destination: ScriptedRegistry, more = ''): string {
  return `sync:\n  - source: ${source.host}/a/b\n    destination: ${destination.host}/a/b\n    select: { semver: '*' }\n${more}`;
}

describe('a hundred unchanged tags of one repository', () => {
  it('cost two requests at the source, one of them the selection’s own, and one at the destination', async () => {
    const [source, destination] = [await listing(), await listing()];
    const { probes } = await resolved(selection(source, destination), { google: [source.host, destination.host] });
    expect(probes).toHaveLength(100);
    expect(probes.every(({ goal }) => goal)).toBe(true);
    expect([source.log.length, destination.log.length]).toEqual([2, 1]);
  });

  it('cost a request each where no plugin reads the lists', async () => {
    const [source, destination] = [await listing(), await listing()];
    const { probes } = await resolved(selection(source, destination), undefined);
    expect(probes.every(({ goal }) => goal)).toBe(true);
    expect([source.log.length, destination.log.length]).toEqual([101, 100]);
  });

  it('are asked one by one where the list has no digests', async () => {
    const [source, destination] = [await startScriptedRegistry(), await startScriptedRegistry()];
    onTestFinished(() =>
      Promise.all([source, destination].map((server) => server[Symbol.asyncDispose]())).then(() => {}),
    );
    for (const tag of TAGS) for (const server of [source, destination]) seedImage(server, 'a/b', tag, { tag });
    const { probes } = await resolved(selection(source, destination), { google: [source.host, destination.host] });
    expect(probes.every(({ goal }) => goal)).toBe(true);
    expect([source.log.length, destination.log.length]).toEqual([102, 101]);
  });

  it('of which two have changed: only those two are asked for', async () => {
    const [source, destination] = [await listing(), await listing()];
    for (const tag of TAGS.slice(0, 2)) seedImage(destination, 'a/b', 'older', { tag });
    const { probes } = await resolved(selection(source, destination), { google: [source.host] });
    expect(
      probes
        .filter(({ goal }) => !goal)
        .map(({ id }) => id.split(':').at(-1))
        .filter((tag) => tag === TAGS[0] || tag === TAGS[1]),
    ).toHaveLength(2);
    expect(probes.filter(({ goal }) => goal)).toHaveLength(98);
    expect(source.log.length).toBe(4);
  });

  it('a list that lies makes nothing move: what would be done is asked for first', async () => {
    const liar = await listing((_, digest) => `${digest.slice(0, -6)}abcdef`);
    const destination = await listing();
    const { probes } = await resolved(selection(liar, destination), { google: [liar.host, destination.host] });
    expect(probes.every(({ goal }) => goal)).toBe(true);
  });

  it('immutable: the destination is listed once, and the source is not asked about any tag', async () => {
    const [source, destination] = [await listing(), await listing()];
    const { probes } = await resolved(selection(source, destination, '    immutable: true\n'), undefined);
    expect(probes.every(({ goal, why }) => goal && why.includes('immutable'))).toBe(true);
    expect([source.log.length, destination.log.length]).toEqual([1, 1]);
  });

  it('immutable, in full trust: the source is not asked either', async () => {
    const [source, destination] = [await listing(), await listing()];
    seedImage(destination, 'a/b', 'another', { tag: '1.0.0' });
    const config = `sync:\n  - source: ${source.host}/a/b:1.0.0\n    destination: ${destination.host}/a/b:1.0.0\n    immutable: true\n`;
    const cwd = folderWith({ 'config.yaml': config });
    await command({ cwd }, 'plan', '--resolve', '--json');
    expect(source.log).toEqual([]);
    expect(destination.log.length).toBeGreaterThan(0);
  });
});

it('Docker Hub: neither the registry nor its quota is touched', async () => {
  const destination = await listing();
  const asked: string[] = [];
  const digests = new Map(TAGS.map((tag) => [tag, seedImage(destination, 'a/b', tag, { tag }).digest]));
  const hub = createServer((request, response) => {
    asked.push(request.url ?? '');
    const results = TAGS.map((name) => ({ name, digest: digests.get(name) }));
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ count: 100, next: null, results }));
  });
  await new Promise<void>((listening) => hub.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void hub.close());
  const api = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
  const config = `sync:\n  - source: docker.io/a/b\n    destination: ${destination.host}/a/b\n    select: { tags: [${TAGS.map((tag) => `'${tag}'`).join(', ')}] }\n`;
  const { probes } = await resolved(config, { dockerHub: api, google: [destination.host] });
  expect(probes.filter(({ goal }) => goal)).toHaveLength(100);
  expect(asked).toEqual(['/v2/namespaces/a/repositories/b/tags?page_size=100']);
  expect(destination.log.length).toBe(1);
});

describe('a selection whose source cannot be listed', () => {
  const config = (host: string): string =>
    `sync:\n  - { source: '${host}/gone/x', destination: '${host}/x', select: { regex: '.*' } }\n  - { source: '${host}/a/b:1.0.0', destination: '${host}/a/c:1.0.0' }\n`;

  it('is a failure with its place, and the others are looked at all the same', async () => {
    await using broken = await startScriptedRegistry({
      onRequest: ({ path }) => (path.includes('gone') ? { kind: 'answer', status: 403, body: '{}' } : undefined),
    });
    for (const repository of ['a/b', 'a/c']) seedImage(broken, repository, '1', { tag: '1.0.0' });
    const cwd = folderWith({
      'config.yaml': config(broken.host),
      'slipway.config.json': JSON.stringify({ trust: [{ match: '**', level: 'copy' }] }),
    });
    const ran = await command({ cwd }, 'plan', '--resolve', '--json');
    expect(ran.code).toBe(1);
    const { probes } = answerOf(ran) as unknown as {
      readonly probes: readonly (Probe & { readonly failure?: object })[];
    };
    expect(probes).toEqual([
      expect.objectContaining({ id: `sync:${broken.host}/a/c:1.0.0`, goal: true }),
      expect.objectContaining({
        id: `sync:${broken.host}/x:{tag}`,
        goal: false,
        failure: expect.objectContaining({
          reason: 'registry',
          side: 'source',
          at: expect.objectContaining({ line: 2 }),
        }),
      }),
    ]);
    const only = await command({ cwd }, 'plan', '--resolve', '--only', `**/a/c:1.0.0`);
    expect(only.code, only.stdout).toBe(1);
    const named = await command({ cwd }, 'plan', '--resolve', '--only', `sync:${broken.host}/a/c:1.0.0`);
    expect(named.code, named.stdout).toBe(0);
    const plain = await command({ cwd }, 'plan');
    expect([plain.code, plain.stdout]).toEqual([
      0,
      expect.stringContaining('selections (1), whose tags the run looks up'),
    ]);
  });
});

describe('a run', () => {
  it('fails the selection that cannot be listed, and copies what other items mean', async () => {
    await using server = await startScriptedRegistry({
      onRequest: ({ path }) => (path.includes('gone') ? { kind: 'reset' } : undefined),
    });
    for (const tag of ['1.0.0', '1.1.0', '2.0.0-rc.1', 'latest']) seedImage(server, 'a/b', tag, { tag });
    const cwd = folderWith({
      'config.yaml': `sync:
  - { source: '${server.host}/gone/x', destination: '${server.host}/x', select: { regex: '.*' } }
  - { source: '${server.host}/a/b', destination: '${server.host}/copies/{name}', select: { semver: '*' }, tags: ['v{tag}'] }
`,
      'slipway.config.json': JSON.stringify({ trust: [{ match: '**', level: 'copy' }] }),
    });
    const first = await command({ cwd }, 'run', '--json', '--to', `${server.host}/to`);
    expect(first.code, first.stderr).toBe(1);
    const rows = (answerOf(first).entries as unknown as readonly Record<string, unknown>[]).map(
      ({ id, destination, outcome }) => [id, destination, outcome],
    );
    const [host, to] = [server.host, `${server.host}/to`];
    expect(rows).toEqual([
      [`sync:${host}/copies/b:1.1.0`, `${to}/copies/b:1.1.0`, 'published'],
      [`sync:${host}/copies/b:1.1.0`, `${to}/copies/b:v1.1.0`, 'published'],
      [`sync:${host}/copies/b:1.0.0`, `${to}/copies/b:1.0.0`, 'published'],
      [`sync:${host}/copies/b:1.0.0`, `${to}/copies/b:v1.0.0`, 'published'],
      [`sync:${host}/x:{tag}`, `${to}/x:{tag}`, 'failed'],
    ]);
    expect(server.tags('to/copies/b')).toEqual(['1.0.0', '1.1.0', 'v1.0.0', 'v1.1.0']);
  }, 30_000);

  it('never moves an immutable tag, and gives what it names the further tags that are missing', async () => {
    await using server = await startScriptedRegistry();
    const kept = seedImage(server, 'a/b', 'one', { tag: '1' });
    seedImage(server, 'copies/b', 'one', { tag: '1' });
    const moved = seedImage(server, 'a/b', 'two', { tag: '1' });
    expect(moved.digest).not.toBe(kept.digest);
    const cwd = folderWith({
      'config.yaml': `sync:
  - { source: '${server.host}/a/b:1', destination: '${server.host}/copies/b:1', tags: ['1.0'], immutable: true }
`,
      'slipway.config.json': JSON.stringify({ trust: [{ match: '**', level: 'copy' }] }),
    });
    const ran = await command({ cwd }, 'run', '--json');
    expect(ran.code, ran.stdout).toBe(0);
    const rows = answerOf(ran).entries as unknown as readonly { readonly digest: string; readonly outcome: string }[];
    expect(rows.map(({ digest, outcome }) => [digest, outcome])).toEqual([
      [kept.digest, 'unchanged'],
      [kept.digest, 'published'],
    ]);
    expect(server.log.filter(({ path }) => path.endsWith('/a/b/manifests/1'))).toEqual([]);
  }, 30_000);

  it('with --fail fast starts nothing when a selection has failed', async () => {
    await using server = await startScriptedRegistry();
    seedImage(server, 'a/b', '1', { tag: '1' });
    const cwd = folderWith({
      'config.yaml': `sync:
  - { source: '${server.host}/gone', destination: '${server.host}/x', select: { regex: '.*' } }
  - { source: '${server.host}/a/b:1', destination: '${server.host}/y:1' }
`,
      'slipway.config.json': JSON.stringify({ trust: [{ match: '**', level: 'copy' }] }),
    });
    const ran = await command({ cwd }, 'run', '--json', '--fail', 'fast');
    expect(ran.code, ran.stdout).toBe(1);
    expect(
      (answerOf(ran).entries as unknown as readonly { readonly outcome: string }[]).map(({ outcome }) => outcome),
    ).toEqual(['cancelled', 'failed']);
    expect(server.tags('y')).toEqual([]);
  }, 30_000);
});
