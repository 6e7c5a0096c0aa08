/** What was copied, as other tools see it: nobody else's reading of a registry is ours. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pin, type Digest, type Pinned, type Repository, type Tag } from '../../core/src/reference.ts';
import { copy } from '../../core/src/registry/copy.ts';
import { client, failureOf, must } from '../../core/src/registry/test-client.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../../core/src/testing/index.ts';
import { crane, freshFolder, freshPath, skopeo, tool, world } from '../world.ts';
import { kinds, sparseIndex, type Kind } from './kinds.ts';

const FROM = 'kinds/all';
const TAG = 'v1' as Tag;

const stack = new AsyncDisposableStack();
let source: ScriptedRegistry;
const registry = stack.use(client());

beforeAll(async () => {
  source = stack.use(await startScriptedRegistry({ sparse: true }));
});
afterAll(() => stack.disposeAsync());

/** What a destination does not take, by kind: its own words, as a failure that no new try will mend. */
const destinations: Readonly<Record<string, { host: () => string; refuses: Readonly<Record<string, RegExp>> }>> = {
  'the CNCF registry': {
    host: () => world().destination.host,
    refuses: { sha512: /DIGEST_INVALID: provided digest did not match/ },
  },
  'a registry with referrers API': { host: () => world().referrers?.host ?? '', refuses: {} },
};

/** Kinds that a skopeo may not read, and how it says so; newer ones read some of them. */
const skopeoRefuses: Readonly<Record<string, RegExp>> = {
  'nested index': /Unexpectedly received a manifest list instead of a manifest for a single image/,
  'artifact index': /Manifest list must be converted .* but we cannot modify it/,
  sha512: /Manifest does not match provided manifest digest|unsupported digest algorithm/,
  'non-distributable layers': /reading blob .*: .*(?:404|no such host)/,
  'Docker foreign layer': /reading blob .*: .*(?:404|no such host)/,
};

describe.each(Object.entries(destinations))('copied to %s', (_, { host, refuses }) => {
  test.each(Object.entries<Kind>(kinds))('%s', async (name, kind) => {
    const root = kind(shelf());
    const to = { registry: host(), path: freshPath('kind') };
    const copied = await copyTo(to, root.digest);
    if (refuses[name] !== undefined) {
      expect(failureOf(copied)).toMatchObject({ class: 'permanent', side: 'destination' });
      expect(failureOf(copied).message).toMatch(refuses[name]);
      return;
    }
    const tagged = await registry.tag(pin(to, root.digest), TAG, must(copied).root);
    // The tags of neither registry name anything by another algorithm.
    const canTag = root.digest.startsWith('sha256');
    expect(tagged.ok ? undefined : tagged.failure.message).toEqual(
      canTag ? undefined : (expect.stringContaining('by sha256 alone') as unknown),
    );
    const image = `${to.registry}/${to.path}${canTag ? `:${TAG}` : `@${root.digest}`}`;
    const tree = treeOf(root.digest);
    await seenByCrane(image, pin(to, root.digest), tree);
    await seenByRegctl(image, to, tree);
    await seenBySkopeo(image, name);
  });
});

test('an index whose children are not all there is refused, by the name of the source, and nothing has a tag', async () => {
  const root = sparseIndex(shelf());
  const to = { registry: world().destination.host, path: freshPath('sparse') };
  const failure = failureOf(await copyTo(to, root.digest));
  expect(failure).toMatchObject({ class: 'permanent', side: 'source', hint: expect.stringContaining('incomplete') });
  expect(failure.message).toContain(source.host);
  const listed = await crane('manifest', `${to.registry}/${to.path}@${root.digest}`);
  expect(listed.code).not.toBe(0);
  expect(must(await registry.tags(to, 'destination'))).toEqual([]);
});

function shelf() {
  return {
    blob: (bytes: Uint8Array, digest: Digest) => void source.putBlob(FROM, bytes, digest),
    manifest: (bytes: Uint8Array, type: string, digest: Digest) =>
      void source.putManifest(FROM, Buffer.from(bytes).toString('utf8'), undefined, type, digest),
  };
}

function copyTo(to: Repository, digest: Digest) {
  const from = registry.content({ registry: source.host, path: FROM }, 'source');
  return copy(from, registry.content(to, 'destination'), digest, { source: source.host });
}

interface Tree {
  /** Digest → the bytes at the source. */
  readonly manifests: ReadonlyMap<string, Uint8Array>;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** All that an image is made of and a registry holds. */
function treeOf(root: Digest): Tree {
  const manifests = new Map<string, Uint8Array>();
  const blobs = new Map<string, Uint8Array>();
  const walk = (digest: string): void => {
    const bytes = source.manifest(FROM, digest)?.bytes;
    if (bytes === undefined) throw new Error(`${digest} was put there`);
    manifests.set(digest, bytes);
    const json = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      readonly manifests?: readonly { readonly digest: string }[];
      readonly config?: { readonly digest: string };
      readonly layers?: readonly { readonly digest: string }[];
    };
    for (const child of json.manifests ?? []) walk(child.digest);
    for (const part of [...(json.config === undefined ? [] : [json.config]), ...(json.layers ?? [])]) {
      const content = source.blob(FROM, part.digest);
      if (content !== undefined) blobs.set(part.digest, content);
    }
  };
  walk(root);
  return { manifests, blobs };
}

/** Digest and bytes of the root and of each platform. */
async function seenByCrane(image: string, root: Pinned, tree: Tree): Promise<void> {
  expect((await crane('digest', image)).stdout.trim()).toBe(root.digest);
  for (const [digest, bytes] of tree.manifests) {
    const { code, stdout, stderr } = await crane('manifest', `${root.registry}/${root.path}@${digest}`);
    expect(code, stderr).toBe(0);
    // crane ends what it prints with a line break.
    expect(stdout.replace(/\n$/, '') === Buffer.from(bytes).toString('utf8'), digest).toBe(true);
  }
}

/** Pulls the whole of it into a layout; every blob and manifest is there with its bytes. */
async function seenByRegctl(image: string, { registry: host }: Repository, tree: Tree): Promise<void> {
  const folder = await freshFolder();
  const plain = ['--host', `reg=${host},tls=disabled`];
  const { code, stderr } = await tool('regctl', ['image', 'copy', ...plain, image, `ocidir://${folder}:copied`]);
  expect(code, stderr).toBe(0);
  for (const [digest, bytes] of [...tree.manifests, ...tree.blobs]) {
    const [algorithm = '', hex = ''] = digest.split(':');
    const pulled = await readFile(join(folder, 'blobs', algorithm, hex));
    expect(createHash(algorithm).update(pulled).digest('hex')).toBe(hex);
    expect(pulled.equals(bytes)).toBe(true);
  }
}

async function seenBySkopeo(image: string, kind: string): Promise<void> {
  const folder = await freshFolder();
  const flags = ['--all', '--preserve-digests', '--src-tls-verify=false'];
  const { code, stderr } = await skopeo('copy', ...flags, `docker://${image}`, `dir:${folder}`);
  const refusal = skopeoRefuses[kind];
  if (code === 0 || refusal === undefined) expect(code, stderr).toBe(0);
  else expect(stderr).toMatch(refusal);
}
