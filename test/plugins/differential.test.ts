/** The same config through every plugin that copies: the destinations are equal, for all that each supports. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { pin, type Digest, type Repository } from '../../core/src/reference.ts';
import { client, must } from '../../core/src/registry/test-client.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../../core/src/testing/index.ts';
import { project } from '../chain/project.ts';
import { kinds, type Kind } from '../sync/kinds.ts';
import { freshPath, freshPrefix, tool, world } from '../world.ts';

/** What a plugin says when it is asked for a kind that its tool, or the destination, does not take. */
const refusals: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  'sync-registry': { sha512: /DIGEST_INVALID: provided digest did not match/ },
  'sync-crane': { sha512: /DIGEST_INVALID: provided digest did not match/ },
  // Newer ones take some of these.
  'sync-skopeo': {
    sha512: /determining manifest MIME type for .*@sha512|DIGEST_INVALID/,
    'nested index': /skopeo \S+ cannot copy .*: it is an index that holds another index/,
    'artifact index': /skopeo \S+ cannot copy the index .* and keep its digest/,
  },
};

const plugins = Object.keys(refusals);
const names = Object.keys(kinds);
const trust = [{ match: '**', level: 'copy' }];

let source: ScriptedRegistry;
beforeAll(async () => {
  source = await startScriptedRegistry();
  for (const [name, kind] of Object.entries<Kind>(kinds)) {
    kind({
      blob: (bytes, digest) => void source.putBlob(repositoryOf(name), bytes, digest),
      manifest: (bytes, type, digest) =>
        void source.putManifest(repositoryOf(name), Buffer.from(bytes).toString('utf8'), 'v1', type, digest),
    });
  }
});
afterAll(() => source.close());

test('crane, skopeo and Slipway itself leave the same tags, manifests and blobs behind', async () => {
  const { run, change } = await project({
    sync: names.map((name) => ({
      source: `${source.host}/${repositoryOf(name)}:v1`,
      destination: `registry.slipway.example/${repositoryOf(name)}:v1`,
    })),
  });
  const registry = client();
  onTestFinished(() => registry.close());

  /** All that is reachable from the tags: tag or digest → digest, by kind. */
  async function destination({ registry: host, path }: Repository): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    const walk = async (digest: Digest): Promise<void> => {
      const content = must(await registry.manifest(pin({ registry: host, path }, digest), 'destination'));
      if (content === undefined) throw new Error(`${path} has no ${digest}`);
      found[digest] = Buffer.from(content.bytes).toString('base64');
      if (content.kind === 'index') for (const child of content.value.manifests) await walk(child.digest);
      else {
        for (const part of [content.value.config, ...content.value.layers]) {
          const there = await registry.content({ registry: host, path }, 'destination').hasBlob(part);
          found[part.digest] = String(must(there));
        }
      }
    };
    for (const tag of must(await registry.tags({ registry: host, path }, 'destination'))) {
      const head = must(await registry.head({ kind: 'tagged', registry: host, path, tag }, 'destination'));
      if (head === undefined) throw new Error(`${path}:${tag} was listed`);
      if (!/^sha256-[0-9a-f]{64}$/.test(tag)) {
        found[tag] = head.digest;
        await walk(head.digest);
        continue;
      }
      // The list of what refers to an image: each client writes it in its own words.
      const list = must(await registry.manifest(pin({ registry: host, path }, head.digest), 'destination'));
      const listed = list?.kind === 'index' ? list.value.manifests.map(({ digest }) => digest) : [];
      found[tag] = listed.sort().join(' ');
    }
    return found;
  }

  const results = new Map<string, ReadonlyMap<string, Readonly<Record<string, string>>>>();
  for (const plugin of plugins) {
    await change({ settings: { trust, use: { 'image.copy': plugin } } });
    const prefix = freshPrefix(plugin);
    const ran = await run('run', '--to', prefix);
    const refused = refusals[plugin] ?? {};
    const found = new Map<string, Readonly<Record<string, string>>>();
    for (const name of names) {
      const row = ran.row(`/${repositoryOf(name)}:v1`);
      if (row.outcome !== 'published') {
        expect(row.failure?.message, `${plugin}: ${name}`).toMatch(refused[name] ?? /^it should have been copied$/);
        continue;
      }
      const [host = '', ...path] = `${prefix}/${repositoryOf(name)}`.split('/');
      found.set(name, await destination({ registry: host, path: path.join('/') } as Repository));
    }
    results.set(plugin, found);
  }
  const ours = results.get('sync-registry');
  expect(ours?.size).toBe(names.length - 1);
  for (const [plugin, found] of results) {
    for (const [name, content] of found) {
      expect(content['v1'], `${plugin}: ${name}`).toBe(source.manifest(repositoryOf(name), 'v1')?.digest);
      expect(content, `${plugin}: ${name}`).toEqual(ours?.get(name));
    }
  }
});

test.each(['artifact with subject', 'index with subject'])(
  'an %s is listed among what refers to it, on every registry and whoever copied it, as regctl sees it',
  async (name) => {
    const path = repositoryOf(name);
    const image = source.manifest(path, 'v1');
    const { subject } = JSON.parse(Buffer.from(image?.bytes ?? []).toString('utf8')) as {
      readonly subject: { readonly digest: Digest };
    };
    const { bytes, type } = source.manifest(path, subject.digest) ?? { bytes: new Uint8Array(), type: '' };
    source.putManifest(path, Buffer.from(bytes).toString('utf8'), 'subject', type);
    const { run, change } = await project({
      sync: ['v1', 'subject'].map((tag) => ({
        source: `${source.host}/${path}:${tag}`,
        destination: `registry.slipway.example/${path}:${tag}`,
      })),
    });
    for (const plugin of ['sync-registry', 'sync-skopeo']) {
      await change({ settings: { trust, use: { 'image.copy': plugin } } });
      for (const host of [world().destination.host, world().referrers?.host ?? '']) {
        const prefix = `${host}/${freshPath(plugin)}`;
        const ran = await run('run', '--to', prefix);
        expect(ran.code, ran.stderr).toBe(0);
        const plain = ['--host', `reg=${host},tls=disabled`];
        const format = ['--format', '{{range .Descriptors}}{{.Digest}} {{end}}'];
        const listed = await tool('regctl', ['artifact', 'list', ...plain, ...format, `${prefix}/${path}:subject`]);
        expect([listed.stdout.trim(), listed.stderr], `${plugin} on ${host}`).toEqual([image?.digest, '']);
      }
    }
  },
);

function repositoryOf(kind: string): string {
  return `kinds/${kind.toLowerCase().replaceAll(' ', '-')}`;
}
