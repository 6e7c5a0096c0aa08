/** Which requests a sync of what is there already costs, as the registries see them. A request more is a regression. */
import { seedImage, startScriptedRegistry, type ScriptedOptions, type ScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

const BOTH = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];
const SETTINGS = "trust: [{ match: '*', level: copy }]\nlimits: { rampUp: false }\n";
const ANN = { username: 'ann', password: 'secret' };

interface Case {
  readonly name: string;
  /** Entries of `sync`, where S and D stand for the two registries, and DIGEST for what `a:1` names. */
  readonly entries: readonly string[];
  readonly options?: ScriptedOptions;
  readonly source: readonly string[];
  readonly destination: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'an image: one at each end',
    entries: ['{ source: S/a:1, destination: D/a:1 }'],
    source: ['HEAD a:1'],
    destination: ['HEAD a:1'],
  },
  {
    name: 'many tags of many repositories: two each, and one token for each host and repository',
    entries: ['a:1', 'a:2', 'b:1'].map((image) => `{ source: S/${image}, destination: D/${image} }`),
    options: { tokens: { users: { [ANN.username]: ANN.password }, anonymous: false } },
    source: ['HEAD a:1', 'HEAD a:2', 'HEAD b:1', 'TOKEN a:pull', 'TOKEN b:pull'],
    destination: ['HEAD a:1', 'HEAD a:2', 'HEAD b:1', 'TOKEN a:pull,push', 'TOKEN b:pull,push'],
  },
  {
    name: 'with a login in each request: no token at all',
    entries: ['{ source: S/a:1, destination: D/a:1 }'],
    options: { basic: ANN },
    source: ['HEAD a:1'],
    destination: ['HEAD a:1'],
  },
  {
    name: 'a source that is pinned: nothing there',
    entries: ['{ source: S/a:1@DIGEST, destination: D/a:1 }'],
    source: [],
    destination: ['HEAD a:1'],
  },
  {
    name: 'a tag that is immutable: nothing at its source',
    entries: ['{ source: S/a:1, destination: D/a:1, immutable: true }'],
    source: [],
    destination: ['HEAD a:1'],
  },
  {
    name: 'many that are: the list of tags in place of them',
    entries: Array.from({ length: 4 }, (_, tag) => `{ source: S/a:1, destination: D/a:v${tag}, immutable: true }`),
    source: [],
    destination: ['TAGS a'],
  },
  {
    name: 'more targets: one more for each',
    entries: ['{ source: S/a:1, destination: D/a:1, tags: [x, latest] }'],
    source: ['HEAD a:1'],
    destination: ['HEAD a:1', 'HEAD a:latest', 'HEAD a:x'],
  },
  {
    name: 'one source of several entries: once for all of them',
    entries: ['a', 'b', 'c'].map((name) => `{ source: S/a:1, destination: D/${name}:1 }`),
    source: ['HEAD a:1'],
    destination: ['HEAD a:1', 'HEAD b:1', 'HEAD c:1'],
  },
  {
    name: 'some platforms: as all of them',
    entries: ['{ source: S/a:1, destination: D/a:1, platforms: [linux/arm64] }'],
    source: ['HEAD a:1'],
    destination: ['HEAD a:1'],
  },
  {
    name: 'with what upstream attaches: one list more',
    entries: ['{ source: S/a:1, destination: D/a:1, referrers: true }'],
    options: { referrersApi: true },
    source: ['HEAD a:1', 'REFERRERS a'],
    destination: ['HEAD a:1'],
  },
  {
    name: 'by tags, where the source knows no other way: one list of them for all of a repository',
    entries: ['1', '2'].map((tag) => `{ source: S/a:${tag}, destination: D/a:${tag}, referrers: true }`),
    source: ['HEAD a:1', 'HEAD a:2', 'TAGS a'],
    destination: ['HEAD a:1', 'HEAD a:2'],
  },
  {
    name: 'of a list that goes on: both tags of old and new signatures',
    entries: ['{ source: S/a:1, destination: D/a:1, referrers: true }'],
    options: { pageSize: 1 },
    source: ['GET a:sha256-DIGEST', 'HEAD a:1', 'HEAD a:sha256-DIGEST.sig', 'TAGS a'],
    destination: ['HEAD a:1'],
  },
  {
    name: 'with a backup of what is overwritten: none',
    entries: ["{ source: S/a:1, destination: D/a:1, backup: 'backup-{tag}' }"],
    source: ['HEAD a:1'],
    destination: ['HEAD a:1'],
  },
  {
    name: 'with a least age: none',
    entries: ['{ source: S/old:1, destination: D/old:1, verify: { minAge: 1d } }'],
    source: ['HEAD old:1'],
    destination: ['HEAD old:1'],
  },
  {
    name: 'a retag: one for its own tag',
    entries: [
      '{ source: S/a:1, destination: D/a:1 }',
      '{ source: D/a:1, destination: D/a:again }',
      '{ source: D/a:1, destination: D/other:1 }',
    ],
    source: ['HEAD a:1'],
    destination: ['HEAD a:1', 'HEAD a:again', 'HEAD other:1'],
  },
  {
    name: 'a selection: one list for all it selects',
    entries: ["{ source: S/a, destination: 'D/a:{tag}', select: { regex: '.*' } }"],
    source: ['HEAD a:1', 'HEAD a:2', 'TAGS a'],
    destination: ['HEAD a:1', 'HEAD a:2'],
  },
];

it.each(cases)('$name', async ({ entries, options = {}, source: asked, destination: wrote }) => {
  await using source = await startScriptedRegistry(options);
  await using destination = await startScriptedRegistry(options);
  const { digest } = seedImage(source, 'a', 'one', { tag: '1', platforms: BOTH });
  seedImage(source, 'a', 'two', { tag: '2', platforms: BOTH });
  seedImage(source, 'b', 'three', { tag: '1' });
  seedOld(source);
  const config = entries
    .map((entry) => `  - ${entry.replaceAll('S/', `${source.host}/`).replaceAll('D/', `${destination.host}/`)}\n`)
    .join('')
    .replaceAll('DIGEST', digest);
  const auth = Buffer.from(`${ANN.username}:${ANN.password}`).toString('base64');
  const auths = { [source.host]: { auth }, [destination.host]: { auth } };
  const cwd = folderWith({
    'config.yaml': `sync:\n${config}`,
    'slipway.config.yaml': SETTINGS,
    'docker/config.json': JSON.stringify({ auths }),
  });
  const sync = () => command({ cwd, env: { DOCKER_CONFIG: `${cwd}/docker` } }, 'sync');
  const first = await sync();
  expect(first.code, first.stderr).toBe(0);
  const before = [source.log.length, destination.log.length] as const;
  expect((await sync()).code).toBe(0);
  const short = (line: string) => line.replace(digest.slice('sha256:'.length), 'DIGEST');
  expect(trace(source, before[0]).map(short)).toEqual(asked);
  expect(trace(destination, before[1]).map(short)).toEqual(wrote);
});

it('a flood of what is attached is told, and not read', async () => {
  await using source = await startScriptedRegistry({ referrersApi: true });
  await using destination = await startScriptedRegistry();
  seedImage(source, 'a', 'one', { tag: '1' });
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${source.host}/a:1', destination: '${destination.host}/a:1', referrers: true }\n`,
    'slipway.config.yaml': SETTINGS,
  });
  expect((await command({ cwd }, 'sync')).code).toBe(0);
  const manifests = Array.from({ length: 5000 }, (_, at) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${String(at).padStart(64, '0')}`,
    size: 2,
  }));
  const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
  source.onRequest = ({ path }) =>
    path.includes('/referrers/')
      ? { kind: 'answer', status: 200, headers, body: JSON.stringify({ manifests }) }
      : undefined;
  const before = source.log.length;
  const flooded = await command({ cwd }, 'sync');
  expect(flooded.code).toBe(1);
  expect(flooded.stdout).toContain('more refers to');
  expect(trace(source, before)).toEqual(['HEAD a:1', 'REFERRERS a']);
});

it('a first copy: the source is asked once, the tag at the destination before and after it moves', async () => {
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry();
  const { digest } = seedImage(source, 'a', 'one', { tag: '1' });
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${source.host}/a:1', destination: '${destination.host}/a:1' }\n`,
    'slipway.config.yaml': SETTINGS,
  });
  expect((await command({ cwd }, 'sync')).code).toBe(0);
  const manifests = (registry: ScriptedRegistry) => trace(registry, 0).filter((line) => !line.includes('/blobs/'));
  expect(manifests(source)).toEqual([`GET a:${digest}`, 'HEAD a:1']);
  const probeBeforeAndAfter = ['HEAD a:1', 'HEAD a:1', 'HEAD a:1'];
  expect(manifests(destination)).toEqual([...probeBeforeAndAfter, `HEAD a:${digest}`, 'PUT a:1', `PUT a:${digest}`]);
});

/** An image that says when it was made. */
function seedOld(registry: ScriptedRegistry): void {
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', created: '2020-01-01T00:00:00Z' });
  const digest = registry.putBlob('old', config);
  const type = 'application/vnd.oci.image.config.v1+json';
  registry.putManifest(
    'old',
    { schemaVersion: 2, config: { mediaType: type, digest, size: config.length }, layers: [] },
    '1',
  );
}

/** `HEAD a:1`, `TOKEN a:pull`: sorted, since what is asked at once comes in any order. */
function trace({ log }: ScriptedRegistry, since: number): readonly string[] {
  return log
    .slice(since)
    .map(({ method, url, path }) => {
      if (path === '/token') {
        const scopes = new URL(url, 'http://x').searchParams.getAll('scope');
        return `TOKEN ${scopes.join(' ').replaceAll('repository:', '')}`;
      }
      const [, repository = '', kind = '', name = ''] =
        /^\/v2\/(.+)\/(manifests|tags|referrers|blobs)\/(.*)$/.exec(path) ?? [];
      if (kind === 'manifests') return `${method} ${repository}:${name}`;
      return kind === 'blobs' ? `${method} ${path}` : `${kind.toUpperCase()} ${repository}`;
    })
    .sort();
}

it('an image has its tag before the next one is sent, so that a run that is stopped has published what it sent', async () => {
  await using source = await startScriptedRegistry({});
  await using destination = await startScriptedRegistry({});
  const names = ['a', 'b', 'c'];
  for (const name of names) seedImage(source, name, name, { tag: '1' });
  const entries = names.map(
    (name) => `{ source: ${source.host}/${name}:1, destination: ${destination.host}/${name}:1 }`,
  );
  const cwd = folderWith({
    'config.yaml': `sync: [${entries.join(', ')}]\n`,
    'slipway.config.yaml': "trust: [{ match: '*', level: copy }]\nlimits: { host: 1 }\n",
  });
  const ran = await command({ cwd }, 'run', '--json');
  expect(ran.code, ran.stderr).toBe(0);
  const tagged = destination.log.filter(({ method, url }) => method === 'PUT' && url.endsWith('/manifests/1'));
  const begun = names.map((name) =>
    destination.log.findIndex(({ method, url }) => method === 'POST' && url.includes(`/${name}/`)),
  );
  const ended = tagged.map((request) => destination.log.indexOf(request));
  expect(tagged.map(({ url }) => url.split('/')[2])).toEqual(names);
  expect(begun[1]).toBeGreaterThan(ended[0] ?? Number.NaN);
  expect(begun[2]).toBeGreaterThan(ended[1] ?? Number.NaN);
});
