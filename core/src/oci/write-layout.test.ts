import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLayout } from './layout.ts';
import type { LayerMember } from './tar.ts';
import { writeImageLayout, type ImageContent } from './write-layout.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const bytes = (text: string): Uint8Array => Buffer.from(text);

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-layout-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function digestsOf(...layers: ImageContent['layers']) {
  const written = await writeImageLayout(join(await freshFolder(), 'layout'), [{ platform, layers }]);
  return written.ok ? written.value : written.failure;
}

describe('an image layout', () => {
  it('is one that the core opens, with an image for each platform', async () => {
    const folder = await freshFolder();
    const layers = [[{ type: 'file', path: 'a', content: bytes('a') }]] as const;
    const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };
    const settings = { Entrypoint: ['/a'], User: '65532' };
    const written = await writeImageLayout(folder, [
      { platform, layers, settings },
      { platform: arm, layers },
    ]);
    const opened = await openLayout(folder);
    if (!written.ok || !opened.ok) throw new Error('it was not written');
    const index = await opened.value.content.manifest(opened.value.root.digest);
    expect(index).toMatchObject({
      value: {
        kind: 'index',
        value: { manifests: written.value.map((digest, n) => ({ digest, platform: [platform, arm][n] })) },
      },
    });
    const blob = async (digest: string): Promise<unknown> =>
      JSON.parse(await readFile(join(folder, 'blobs', digest.replace(':', '/')), 'utf8'));
    const manifest = (await blob(written.value[0] ?? '')) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    expect(await blob(manifest.config.digest)).toMatchObject({
      ...platform,
      config: settings,
      rootfs: { diff_ids: manifest.layers.map(({ digest }) => digest) },
    });
    // Nothing but what the manifests name: one layer, two configs, two manifests.
    expect(await readdir(join(folder, 'blobs', 'sha256'))).toHaveLength(5);
  });

  it('has one digest whatever the order of its members, and another when a byte, a bit or a target differs', async () => {
    const a: LayerMember = { type: 'file', path: 'bin/a', content: bytes('a') };
    const b: LayerMember = { type: 'link', path: 'b', target: 'bin/a' };
    const folder: LayerMember = { type: 'folder', path: 'bin' };
    const first = await digestsOf([a, b]);
    expect(await digestsOf([b, folder, a])).toEqual(first);
    for (const changed of [
      [{ ...a, content: bytes('b') }, b],
      [{ ...a, executable: true }, b],
      [a, { ...b, target: '/bin/a' }],
      [a, b, { type: 'folder', path: 'tmp' } as const],
    ]) {
      expect(await digestsOf(changed)).not.toEqual(first);
    }
  });

  it('takes an archive that is there already, in one piece or in several, and none that is compressed', async () => {
    const archive = execFileSync('tar', ['-cf', '-', '-C', import.meta.dirname, 'tar.ts']);
    const [digest] = (await digestsOf(archive)) as readonly string[];
    async function* pieces() {
      yield archive.subarray(0, 700);
      yield archive.subarray(700);
    }
    expect(await digestsOf(pieces())).toEqual([digest]);
    const refused = { reason: 'config', message: 'a layer is compressed' };
    expect(await digestsOf(gzipSync(archive))).toMatchObject(refused);
    expect(await digestsOf(zstdCompressSync(archive))).toMatchObject(refused);
  });

  it('unpacks with tar to what it was made of, long names and streams too', async () => {
    const long = `${'folder/'.repeat(30)}ü-${'n'.repeat(120)}`;
    const content = {
      size: 3000,
      read: async function* () {
        yield new Uint8Array(1000).fill(65);
        yield new Uint8Array(2000).fill(66);
      },
    };
    const folder = await freshFolder();
    const members: LayerMember[] = [
      { type: 'file', path: long, content, executable: true },
      { type: 'link', path: 'far', target: `${'up/'.repeat(60)}x` },
    ];
    await writeImageLayout(join(folder, 'layout'), [{ platform, layers: [members] }]);
    for (const name of await readdir(join(folder, 'layout/blobs/sha256'))) {
      const path = join(folder, 'layout/blobs/sha256', name);
      if (!(await readFile(path)).subarray(257, 262).equals(bytes('ustar'))) continue;
      execFileSync('tar', ['-xf', path, '-C', folder]);
    }
    expect(await readFile(join(folder, long), 'utf8')).toBe('A'.repeat(1000) + 'B'.repeat(2000));
    expect(await readlink(join(folder, 'far'))).toBe(`${'up/'.repeat(60)}x`);
  });

  it.each<[string, readonly LayerMember[], string]>([
    ['leaves the image', [{ type: 'file', path: '../etc/passwd', content: bytes('') }], 'is no path in an image'],
    ['is absolute', [{ type: 'file', path: '/etc/passwd', content: bytes('') }], 'is no path in an image'],
    ['is empty', [{ type: 'folder', path: '' }], 'is no path in an image'],
    [
      'stands there twice',
      [
        { type: 'file', path: 'a', content: bytes('') },
        { type: 'folder', path: 'a' },
      ],
      'is in the image twice',
    ],
    [
      'lies in a link',
      [
        { type: 'link', path: 'a', target: '/' },
        { type: 'file', path: 'a/b', content: bytes('') },
      ],
      'would lie in it',
    ],
    ['is a link to nothing', [{ type: 'link', path: 'a', target: '' }], 'is a link to nothing'],
  ])('is refused with a path that %s', async (_, members, message) => {
    expect(await digestsOf(members)).toMatchObject({ reason: 'config', message: expect.stringContaining(message) });
  });

  it('is never made of content that changed meanwhile', async () => {
    const content = {
      size: 2,
      read: async function* () {
        yield bytes('abc');
      },
    };
    await expect(digestsOf([{ type: 'file', path: 'a', content }])).rejects.toThrow('a changed while it was read');
  });
});
