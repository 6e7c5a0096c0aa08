import { createHash } from 'node:crypto';
import { chmod, cp, mkdtemp, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeImageLayout, type LayerMember } from '@slipway/core';
import { createTestContext, createTestWorld, modeInput, modeSuite, type TestWorld } from '@slipway/core/testing';
import { tmpdir } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import plugin from './index.ts';
import { rootfsMode } from './mode.ts';

const fixture = join(import.meta.dirname, '..', 'fixture', 'rootfs');

let root = '';

async function world(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<TestWorld> {
  const made = await createTestWorld({ files });
  onTestFinished(() => made.close());
  await cp(fixture, join(made.root, 'rootfs'), { recursive: true, verbatimSymlinks: true });
  root = made.root;
  return made;
}

const rootfs = { entrypoint: ['/usr/bin/greeting'], user: '65532' };
const indexOf = ({ layout }: { readonly layout: string }): Promise<string> =>
  readFile(join(layout, 'index.json'), 'utf8');

modeSuite(
  { describe, it },
  {
    plugin,
    mode: 'rootfs',
    world,
    input: () => modeInput({ plugin, mode: 'rootfs', root, source: 'rootfs', entry: { options: { rootfs } } }),
    repeatable: indexOf,
  },
);

/** The digest of the image's only layer, or the failure's message. */
async function layerOf(
  source: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  change?: () => Promise<unknown>,
) {
  const made = await world(files);
  await change?.();
  const context = await createTestContext({ ...made, plugin });
  const input = await modeInput({ plugin, mode: 'rootfs', root: made.root, source });
  const built = await rootfsMode.build({ ...context, ...input });
  if (!built.ok) return built.failure.message;
  const blob = async (digest: string): Promise<string> =>
    readFile(join(built.value.layout, 'blobs', digest.replace(':', '/')), 'utf8');
  const [manifest] = (JSON.parse(await indexOf(built.value)) as { manifests: { digest: string }[] }).manifests;
  return (JSON.parse(await blob(manifest?.digest ?? '')) as { layers: { digest: string }[] }).layers[0]?.digest;
}

describe('build-rootfs', () => {
  it('gives one digest from two checkouts, and another when a file may be executed or not', async () => {
    const first = await layerOf('rootfs');
    expect(first).toMatch(/^sha256:/);
    expect(await layerOf('rootfs')).toBe(first);
    expect(await layerOf('rootfs', {}, () => chmod(join(root, 'rootfs/etc/os-release'), 0o755))).not.toBe(first);
  });

  it('takes the bytes of an archive as they are, compressed or not', async () => {
    const archive = await tarOf([{ type: 'file', path: 'a', content: Buffer.from('a') }]);
    const digest = `sha256:${createHash('sha256').update(archive).digest('hex')}`;
    expect(await layerOf('a.tar', { 'a.tar': archive })).toBe(digest);
    expect(await layerOf('a.tar.gz', { 'a.tar.gz': gzipSync(archive) })).toBe(digest);
  });

  it.each([
    ['no archive', 'x.tar', { 'x.tar': 'x'.repeat(2000) }, 'is no TAR archive'],
    ['a broken one', 'x.tgz', { 'x.tgz': Buffer.from([0x1f, 0x8b, 1, 2, 3]) }, 'cannot be unpacked'],
  ])('refuses %s', async (_, source, files, message) => {
    expect(await layerOf(source, files)).toContain(message);
  });

  it.each([
    ['an absolute link', '/etc/passwd'],
    ['a link out of the folder', '../../outside'],
    ['a link to nothing', 'nothing'],
  ])('refuses %s, whose change would not be seen', async (_, target) => {
    const message = await layerOf('rootfs', { outside: 'secret' }, () =>
      symlink(target, join(root, 'rootfs/etc/link')),
    );
    expect(message).toBe('"rootfs/etc/link" is a link that leads to no file of the folder');
  });

  it('takes a link to a file of the folder as a link', async () => {
    const before = await layerOf('rootfs');
    const after = await layerOf('rootfs', {}, () => symlink('os-release', join(root, 'rootfs/etc/link')));
    expect(after).toMatch(/^sha256:/);
    expect(after).not.toBe(before);
  });

  it('is for one platform', async () => {
    const made = await world();
    const context = await createTestContext({ ...made, plugin });
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
    const input = await modeInput({ plugin, mode: 'rootfs', root, source: 'rootfs', entry: { platforms } });
    expect(await rootfsMode.build({ ...context, ...input })).toMatchObject({
      failure: { message: '"rootfs" is the root of one platform, not of linux/amd64, linux/arm64' },
    });
  });
});

/** The only blob of a layout that is an archive. */
async function tarOf(members: readonly LayerMember[]): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'rootfs-'));
  await writeImageLayout(folder, [{ platform: { os: 'linux', architecture: 'amd64' }, layers: [members] }]);
  const blobs = join(folder, 'blobs', 'sha256');
  for (const name of await readdir(blobs)) {
    const bytes = await readFile(join(blobs, name));
    if (bytes.toString('latin1', 257, 262) === 'ustar') return bytes;
  }
  throw new Error('no layer was written');
}
