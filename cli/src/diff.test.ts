/** `slipway diff`: what it says is what the sync then does, and saying so changes nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedImage, startScriptedRegistry, type ScriptedRegistry } from '@slipway/core/testing';
import { describe, expect, it } from 'vitest';
import { answerOf, command, folderWith } from '../testing.ts';

const APKO = 'contents:\n  repositories: [https://apk.example/main]\n  packages: [musl]\narchs: [amd64]\n';

interface DiffAnswer {
  readonly ok: boolean;
  readonly entries: readonly {
    readonly id: string;
    readonly kind: string;
    readonly destination: string;
    readonly from?: string;
    readonly to?: string;
    readonly cost?: { readonly requests: number; readonly bytes: number; readonly pulls: number };
  }[];
  readonly selections: readonly unknown[];
  readonly cost?: { readonly requests: number; readonly bytes: number; readonly pulls: number };
  readonly hosts: Readonly<Record<string, number>>;
}

const BOTH = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];
const SETTINGS = "trust: [{ match: '*', level: copy }]\nlimits: { rampUp: false }\n";

async function world(text: (source: string, destination: string) => string) {
  const source = await startScriptedRegistry();
  const destination = await startScriptedRegistry();
  const config = text(source.host, destination.host);
  const cwd = folderWith({ 'config.yaml': config, 'slipway.config.yaml': SETTINGS });
  const run = (...args: readonly string[]) => command({ cwd, env: {} }, ...args);
  return {
    source,
    destination,
    cwd,
    config,
    run,
    diff: async (...args: readonly string[]) => {
      const ran = await run('diff', '--json', ...args);
      return { ...ran, answer: answerOf(ran) as unknown as DiffAnswer };
    },
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await destination[Symbol.asyncDispose]();
    },
  };
}

/** Bytes of blobs that are stored at the destination, each counted once a registry as a sync sends it. */
function storedBytes(registry: ScriptedRegistry, repositories: readonly string[]): number {
  const blobs = new Map(
    repositories.flatMap((name) =>
      registry.stored(name).blobs.map((digest) => [digest, registry.blob(name, digest)?.byteLength ?? 0] as const),
    ),
  );
  return [...blobs.values()].reduce((sum, size) => sum + size, 0);
}

const kinds = ({ entries }: DiffAnswer) =>
  entries.map(({ kind, destination }) => `${kind} ${destination.replace(/^[^/]*\//, '')}`);

describe('slipway diff', () => {
  it('says what a copy within one registry costs, whose blobs are mounted and not sent', async () => {
    await using around = await world(
      (from) => `sync:
  - { source: '${from}/one:1', destination: '${from}/to/one:1' }
  - { source: '${from}/two:1', destination: '${from}/to/two:1', platforms: [linux/arm64] }
`,
    );
    const { source, diff, run } = around;
    for (const kind of ['new', 'moved']) {
      seedImage(source, 'one', kind, { tag: '1' });
      seedImage(source, 'two', kind, { tag: '1', platforms: BOTH });
      const { code, answer } = await diff();
      expect([code, answer.entries.map((entry) => entry.kind)]).toEqual([0, [kind, kind]]);
      const from = source.log.length;
      expect((await run('sync')).code).toBe(0);
      expect([source.log.length - from, answer.cost?.bytes]).toEqual([answer.cost?.requests, 0]);
    }
  });

  it('says of each host how often it is asked, also where a mirror has the bytes of one image and not of another', async () => {
    await using mirror = await startScriptedRegistry();
    await using around = await world(
      (from, to) => `sync:
  - { source: '${from}/one:1', destination: '${to}/one:1' }
  - { source: '${from}/two:1', destination: '${to}/two:1', platforms: [linux/arm64] }
`,
    );
    const { source, destination, cwd, run, diff } = around;
    for (const name of ['one', 'two']) seedImage(source, name, name, { tag: '1', platforms: BOTH });
    seedImage(mirror, 'hub/two', 'two', { tag: '1', platforms: BOTH });
    const mirrors = `mirrors: [{ source: '${source.host}', mirror: '${mirror.host}/hub' }]\n`;
    writeFileSync(join(cwd, 'slipway.config.yaml'), SETTINGS + mirrors);
    const { hosts } = (await diff()).answer;
    const all = [source, destination, mirror];
    const before = all.map(({ log }) => log.length);
    expect((await run('sync')).code).toBe(0);
    expect(hosts).toEqual(Object.fromEntries(all.map(({ host, log }, at) => [host, log.length - (before[at] ?? 0)])));
  });

  it('predicts the requests and the bytes of the sync that follows, and changes nothing', async () => {
    await using around = await world(
      (source, destination) => `sync:
  - { source: '${source}/one:1', destination: '${destination}/one:1', tags: [latest] }
  - { source: '${source}/one:1', destination: '${destination}/copy/of/one:1' }
  - { source: '${source}/two:1', destination: '${destination}/two:1', platforms: [linux/arm64] }
  - { source: '${destination}/one:1', destination: '${destination}/retag:1' }
  - { source: '${source}/chosen', destination: '${destination}/chosen:{tag}', select: { semver: '>=1', latest: 2 } }
`,
    );
    const { source, destination, run, diff } = around;
    seedImage(source, 'one', 'one', { tag: '1', platforms: BOTH });
    seedImage(source, 'two', 'two', { tag: '1', platforms: BOTH });
    for (const tag of ['0.1.0', '1.0.0', '1.1.0', '1.2.0']) seedImage(source, 'chosen', tag, { tag });
    const told = await diff();
    expect(told.stderr).toBe('');
    expect(told.code).toBe(0);
    expect(kinds(told.answer)).toEqual([
      'new one:1',
      'new one:latest',
      'new copy/of/one:1',
      'new two:1',
      'new retag:1',
      'new chosen:1.2.0',
      'new chosen:1.1.0',
    ]);
    expect(told.answer.selections).toMatchObject([{ seen: 4, selected: 2, dropped: { semver: 1, latest: 1 } }]);
    expect(destination.log.filter(({ method }) => method !== 'HEAD' && method !== 'GET')).toEqual([]);
    expect(destination.stored('one')).toMatchObject({ manifests: [], blobs: [] });

    const before = [source.log.length, destination.log.length];
    const synced = await run('sync', '--json');
    expect(synced.code, synced.stdout + synced.stderr).toBe(0);
    const done = {
      [source.host]: source.log.length - (before[0] ?? 0),
      [destination.host]: destination.log.length - (before[1] ?? 0),
    };
    expect(told.answer.hosts).toEqual(done);
    expect(told.answer.cost?.requests).toBe(Object.values(done).reduce((sum, each) => sum + each, 0));
    expect(told.answer.cost?.bytes).toBe(storedBytes(destination, ['one', 'copy/of/one', 'two', 'retag', 'chosen']));

    const settled = await diff('--exit-code');
    expect(settled.code).toBe(0);
    expect(new Set(settled.answer.entries.map(({ kind }) => kind))).toEqual(new Set(['same']));
    expect(settled.answer.cost?.bytes).toBe(0);
    const idle = [source.log.length, destination.log.length];
    await run('sync');
    expect(settled.answer.hosts).toEqual({
      [source.host]: source.log.length - (idle[0] ?? 0),
      [destination.host]: destination.log.length - (idle[1] ?? 0),
    });
  });

  it('predicts what moves, from where to where, and sends only what is new', async () => {
    await using around = await world(
      (source, destination) => `sync:\n  - { source: '${source}/one:1', destination: '${destination}/one:1' }\n`,
    );
    const { source, destination, run, diff } = around;
    const from = seedImage(source, 'one', 'one', { tag: '1', platforms: BOTH }).digest;
    expect((await run('sync')).code).toBe(0);
    const to = seedImage(source, 'one', 'other', { tag: '1', platforms: BOTH }).digest;
    const { code, answer } = await diff('--exit-code');
    expect(code).toBe(1);
    expect(answer.entries).toMatchObject([{ kind: 'moved', from, to }]);
    const before = [source.log.length, destination.log.length, storedBytes(destination, ['one'])];
    expect((await run('sync')).code).toBe(0);
    expect(answer.hosts).toEqual({
      [source.host]: source.log.length - (before[0] ?? 0),
      [destination.host]: destination.log.length - (before[1] ?? 0),
    });
    expect(answer.cost?.bytes).toBe(storedBytes(destination, ['one']) - (before[2] ?? 0));
  });

  it('tells what is gone at the source from what nobody can reach', async () => {
    await using around = await world(
      (source, destination) => `sync:
  - { source: '${source}/one:1', destination: '${destination}/one:1' }
  - { source: '${source}/never:1', destination: '${destination}/never:1' }
  - { source: '${source}/chosen', destination: '${destination}/chosen:v{tag}', select: { semver: '>=1', latest: 1 } }
`,
    );
    const { source, destination, diff } = around;
    for (const tag of ['1.0.0', '1.1.0']) seedImage(source, 'chosen', tag, { tag });
    seedImage(destination, 'one', 'one', { tag: '1' });
    const old = seedImage(destination, 'chosen', 'old', { tag: 'v1.0.1' }).digest;
    for (const tag of ['v0.1.0', 'v1.0.0', 'vlatest', 'mine']) seedImage(destination, 'chosen', tag, { tag });
    const { code, stderr, answer } = await diff('--no-cost');
    expect(kinds(answer)).toEqual(['gone one:1', 'failed never:1', 'new chosen:v1.1.0', 'gone chosen:v1.0.1']);
    expect(answer.entries.at(-1)).toMatchObject({ from: old });
    expect(answer.cost).toBeUndefined();
    expect(code).toBe(1);
    expect(stderr).toContain('config.yaml:3:5');
    // Digests alone: nothing is read that is there, and so counts as a pull.
    const read = source.log.filter(({ method, path }) => method === 'GET' && path.includes('/manifests/'));
    expect(read.map(({ path }) => path).toSorted()).toEqual(['/v2/never/manifests/1', '/v2/one/manifests/1']);
    // The reason of the failure is as long as it is, and the other columns stay where the digests end.
    const [header] = (await around.run('diff')).stdout.split('\n');
    expect(header).toMatch(/ digest {15}bytes +requests  pulls$/);
  });

  it('says of each entry whose registry does not answer where the config has it', async () => {
    await using around = await world(
      (source) => `sync:
  - { source: '${source}/one:1', destination: '127.0.0.1:1/one:1', tags: ['2'] }
  - { source: '${source}/two:1', destination: '127.0.0.1:1/two:1' }
`,
    );
    for (const name of ['one', 'two']) seedImage(around.source, name, name, { tag: '1' });
    const { code, stderr } = await around.diff();
    expect(code).toBe(1);
    expect(stderr.match(/^config\.yaml:\d+:\d+: destination registry: /gm)).toEqual([
      'config.yaml:2:5: destination registry: ',
      'config.yaml:3:5: destination registry: ',
    ]);
  });

  it('is about what --only says, and with --frozen about what is locked', async () => {
    await using around = await world(
      (source, destination) => `sync:
  - { source: '${source}/one:1', destination: '${destination}/one:1' }
  - { source: '${source}/two:1', destination: '${destination}/two:1' }
`,
    );
    const { source, run, diff } = around;
    const locked = seedImage(source, 'one', 'one', { tag: '1' }).digest;
    seedImage(source, 'two', 'two', { tag: '1' });
    expect((await run('update')).code).toBe(0);
    seedImage(source, 'one', 'new', { tag: '1' });
    const { answer } = await diff('--frozen', '--only', '*/one:*');
    expect(answer.entries).toMatchObject([{ kind: 'new', to: locked }]);
  });

  it('waits for what a build will come to, and for those that take it', async () => {
    await using around = await world(
      (_, destination) => `sync:
  - { source: '${destination}/built:1', destination: '${destination}/retag:1' }
  - { source: '${destination}/retag:1', destination: '${destination}/more:1' }
build:
  - { source: ./images/hello/apko.yaml, destination: '${destination}/built:1' }
`,
    );
    const { cwd, diff, destination } = around;
    mkdirSync(join(cwd, 'images', 'hello'), { recursive: true });
    writeFileSync(join(cwd, 'images', 'hello', 'apko.yaml'), APKO);
    const { code, answer, stderr } = await diff();
    expect(code, stderr).toBe(0);
    expect(answer.entries).toMatchObject([
      { kind: 'waits', why: `takes what build:${destination.host}/built:1 will come to` },
      { kind: 'waits', why: `takes the image of sync:${destination.host}/retag:1, which is not known` },
    ]);
    expect(destination.log).toEqual([]);
  });

  it('prints a table: what differs, what selections drop, what it costs', async () => {
    await using around = await world(
      (source, destination) => `sync:
  - { source: '${source}/one:1', destination: '${destination}/one:1' }
  - { source: '${source}/chosen', destination: '${destination}/chosen:{tag}', select: { regex: '1.*' } }
`,
    );
    const { source, run } = around;
    seedImage(source, 'one', 'one', { tag: '1' });
    for (const tag of ['1', '2']) seedImage(source, 'chosen', tag, { tag });
    const { stdout, code } = await run('diff');
    expect(code).toBe(0);
    const text = stdout.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST').replaceAll(/ +/g, ' ');
    expect(text).toMatch(
      /^ destination digest bytes requests pulls\nnew HOST\/one:1 sha256:[0-9a-f]{12} 2\.1 kB \d+ 0\n/,
    );
    expect(text).toContain('sync:HOST/chosen:{tag}: 1 of 2 tags, 1 dropped by regex\n');
    expect(text).toMatch(/2 new\na sync sends 4\.2 kB in \d+ requests \(HOST \d+, HOST \d+\)\n$/);
  });

  it('rehearses into layouts without writing any', async () => {
    await using around = await world(
      (source) => `sync:\n  - { source: '${source}/one:1', destination: 'oci:./media/one:1' }\n`,
    );
    const { source, cwd, diff, run } = around;
    seedImage(source, 'one', 'one', { tag: '1', platforms: BOTH });
    const { code, answer, stderr } = await diff();
    expect(code, stderr).toBe(0);
    expect(kinds(answer)).toEqual(['new media/one:1']);
    writeFileSync(join(cwd, 'marker'), '');
    const before = source.log.length;
    const synced = await run('sync');
    expect(synced.code, synced.stdout).toBe(0);
    expect(answer.hosts).toEqual({ [source.host]: source.log.length - before });
  });
});
