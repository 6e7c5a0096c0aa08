import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cancelled } from '../failure.ts';
import { parseLocation } from '../location.ts';
import { pin, type Digest, type Pinned, type Reference, type Tag } from '../reference.ts';
import { copy } from '../registry/copy.ts';
import type { Attachment, Registry, Side } from '../registry/model.ts';
import { fallbackTag } from '../registry/referrers.ts';
import { client, failureOf, must, repository } from '../registry/test-client.ts';
import { seedImage } from '../testing/sample-images.ts';
import { imported, killedAt } from '../testing/killed-at.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { sha256 } from './digest.ts';
import { blobPath } from './layout.ts';
import { createLayouts, type Layouts } from './layouts.ts';
import { mediaType, type Descriptor } from './model.ts';
import { replaceFile } from './write-files.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'slipway-layouts-')));
  folders.push(folder);
  return folder;
}

const here = (file: string): string => imported(join(import.meta.dirname, file));

/** A lock that is as old as this was left behind. */
async function longAgo(path: string): Promise<void> {
  await utimes(path, new Date(0), new Date(0));
}

/** The second half only when it may come. */
async function* slowly(begun: () => void, rest: Promise<void>): AsyncGenerator<Uint8Array> {
  begun();
  yield text('one');
  await rest;
  yield text('two');
}

function at(text: string): Reference {
  return must(parseLocation(text));
}

const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];
const SBOM: Attachment = { artifactType: 'application/spdx+json', annotations: { b: '2', a: '1' }, bytes: text('{}') };
const SCAN: Attachment = { artifactType: 'application/sarif+json', annotations: {}, bytes: text('[]') };

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** One image of two platforms in a registry, and what copies it to a place and tags it there. */
async function source() {
  const registry = await startScriptedRegistry();
  const remote = client();
  const image = seedImage(registry, 'from', 'one', { platforms: PLATFORMS, tag: '1' });
  const put = async (layouts: Registry, place: Reference): Promise<Pinned> => {
    const to = layouts.content(place, 'destination');
    must(await copy(remote.content(repository(registry.host, 'from'), 'source'), to, image.digest));
    const subject = pin(place, image.digest);
    if (place.tag !== undefined) must(await layouts.tag(subject, place.tag));
    return subject;
  };
  return {
    registry,
    remote,
    image,
    put,
    async [Symbol.asyncDispose]() {
      await remote[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function indexOf(folder: string): Promise<{ manifests: (Descriptor & { platform?: unknown })[] }> {
  return JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
}

function namesOf({ manifests }: { manifests: readonly Descriptor[] }): (string | undefined)[] {
  return manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']);
}

describe.each([
  ['a folder', 'oci:./out'],
  ['an archive', 'oci-archive:./out.tar'],
])('%s', (_, place) => {
  const end = async (layouts: Layouts) => {
    expect([...(await layouts.finish()).values()]).toEqual([]);
    await layouts.close();
  };

  test('takes an image and gives it back from elsewhere, with its digest and what is attached', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    const before = must(await layouts.head(at(`${place}:1`), 'destination'));
    expect(before).toBeUndefined();
    const subject = await from.put(layouts, at(`${place}:1`));
    const descriptor = { mediaType: mediaType.ociIndex, digest: subject.digest, size: from.image.size };
    const attached = must(await layouts.attach({ ...descriptor, repository: subject }, [SBOM, SCAN]));
    await end(layouts);
    expect((await readdir(folder)).toSorted()).toEqual([place === 'oci:./out' ? 'out' : 'out.tar']);

    const moved = join(await newFolder(), 'moved');
    await rename(folder, moved);
    folders.push(moved);
    const again = createLayouts(moved);
    expect(must(await again.head(at(`${place}:1`), 'source'))).toMatchObject({ digest: from.image.digest });
    await using destination = await startScriptedRegistry();
    const to = from.remote.content(repository(destination.host, 'to'), 'destination');
    must(await copy(again.content(at(place), 'source'), to, from.image.digest));
    expect(destination.manifest('to', from.image.digest)).toBeDefined();
    const listed = must(await again.referrers(subject, 'source'));
    expect(listed.map((one) => one.descriptor)).toEqual(attached);
    expect(attached.map(({ artifactType, annotations }) => [artifactType, annotations])).toEqual([
      ['application/spdx+json', { a: '1', b: '2' }],
      ['application/sarif+json', {}],
    ]);
    await end(again);
  });

  test('a second image joins the first, a moved tag leaves the other, and what is there is not sent again', async () => {
    await using from = await source();
    const folder = await newFolder();
    let layouts = createLayouts(folder);
    await from.put(layouts, at(`${place}:1`));
    await end(layouts);
    layouts = createLayouts(folder);
    const other = seedImage(from.registry, 'from', 'two', { tag: '2' });
    const content = layouts.content(at(place), 'destination');
    const sourceContent = from.remote.content(repository(from.registry.host, 'from'), 'source');
    expect(must(await copy(sourceContent, content, from.image.digest))).toMatchObject({ blobs: 0 });
    must(await copy(sourceContent, content, other.digest));
    must(await layouts.tag(pin(at(place), other.digest), '2' as Tag));
    must(await layouts.tag(pin(at(place), other.digest), 'latest' as Tag));
    await end(layouts);
    layouts = createLayouts(folder);
    expect(must(await layouts.tags(at(place), 'source'))).toEqual(['1', '2', 'latest']);
    expect(must(await layouts.head(at(`${place}:1`), 'source'))?.digest).toBe(from.image.digest);
    must(await layouts.tag(pin(at(place), other.digest), '1' as Tag));
    await end(layouts);
    layouts = createLayouts(folder);
    expect(must(await layouts.head(at(`${place}:1`), 'source'))?.digest).toBe(other.digest);
    await end(layouts);
  });

  test('a tag is deleted, and nothing else', async () => {
    await using from = await source();
    const folder = await newFolder();
    let layouts = createLayouts(folder);
    const subject = await from.put(layouts, at(`${place}:1`));
    must(await layouts.tag(subject, '2' as Tag));
    await end(layouts);
    layouts = createLayouts(folder);
    const target = { kind: 'tagged', registry: subject.registry, path: subject.path } as const;
    must(await layouts.deleteTag({ ...target, tag: '1' as Tag }));
    expect(failureOf(await layouts.deleteTag({ ...target, tag: '1' as Tag })).message).toMatch(/has no tag 1/);
    await end(layouts);
    layouts = createLayouts(folder);
    expect(must(await layouts.tags(target, 'source'))).toEqual(['2']);
    expect(must(await layouts.head(subject, 'source'))?.digest).toBe(from.image.digest);
    await end(layouts);
  });

  test('tags nothing that is not there', async () => {
    const layouts = createLayouts(await newFolder());
    const nothing = pin(at(place), sha256('nothing'));
    expect(failureOf(await layouts.tag(nothing, '1' as Tag)).message).toMatch(/has no manifest sha256:/);
    expect(must(await layouts.tags(at(place), 'source'))).toEqual([]);
    expect(must(await layouts.referrers(nothing, 'source'))).toEqual([]);
    await end(layouts);
  });

  test('a blob that is not what its digest says leaves nothing behind', async () => {
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    const blob = { mediaType: 'text/plain', digest: sha256('true'), size: 4 };
    const content = layouts.content(at(place), 'destination');
    for (const lie of ['lies', 'li', 'longer than it may be']) {
      const put = await content.putBlob(blob, async () => ({ ok: true, value: chunks(lie) }));
      expect(failureOf(put)).toMatchObject({ side: 'destination', class: 'permanent' });
    }
    expect(must(await content.hasBlob(blob))).toBe(false);
    const left = await readdir(folder, { recursive: true, withFileTypes: true });
    const names = left.filter((one) => one.isFile()).map(({ name }) => name);
    expect(names.filter((name) => name !== '.base')).toEqual(['oci-layout']);
    expect(must(await layouts.head(at(`${place}:1`), 'destination'))).toBeUndefined();
    await layouts.close();
  });
});

async function* chunks(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield text(part);
}

describe('index.json', () => {
  test('lists referrers as ORAS reads them and by the tag scheme as regctl does; a hostile name in one is not taken over', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    const subject = await from.put(layouts, at('oci:./out:1'));
    const { digest, size } = from.image;
    const hostile = { ...SBOM, annotations: { 'org.opencontainers.image.ref.name': '1' } };
    const [referrer] = must(
      await layouts.attach({ mediaType: mediaType.ociIndex, digest, size, repository: subject }, [hostile]),
    );
    const index = await indexOf(join(folder, 'out'));
    expect(namesOf(index)).toEqual(['1', undefined, fallbackTag(digest)]);
    expect(index.manifests[1]?.digest).toBe(referrer?.digest);
    expect(must(await layouts.head(at('oci:./out:1'), 'source'))?.digest).toBe(digest);
    const listed = must(await layouts.manifest(at(`oci:./out:${fallbackTag(digest)}`), 'source'));
    expect(listed?.kind === 'index' && listed.value.manifests.map((one) => one.digest)).toEqual([referrer?.digest]);
    // Attached again it is the same; dropped it leaves both lists.
    const repeated = await layouts.attach({ mediaType: mediaType.ociIndex, digest, size, repository: subject }, [
      hostile,
    ]);
    expect(must(repeated)).toEqual([referrer]);
    expect(await indexOf(join(folder, 'out'))).toEqual(index);
    const drop = new Set(referrer === undefined ? [] : [referrer.digest]);
    must(await layouts.attach({ mediaType: mediaType.ociIndex, digest, size, repository: subject }, [SCAN], drop));
    const left = must(await layouts.referrers(subject, 'destination'));
    expect(left.map((one) => one.descriptor.artifactType)).toEqual([SCAN.artifactType]);
  });

  test('referrers that only one of the two lists has are found, those of others are not', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    const subject = await from.put(layouts, at('oci:./out:1'));
    const { digest, size } = from.image;
    must(await layouts.attach({ mediaType: mediaType.ociIndex, digest, size, repository: subject }, [SBOM, SCAN]));
    const file = join(folder, 'out', 'index.json');
    const index = await indexOf(join(folder, 'out'));
    const types = async () =>
      must(await createLayouts(folder).referrers(subject, 'source')).map((one) => one.descriptor.artifactType);
    for (const keep of [(name?: string) => name === undefined, (name?: string) => name?.startsWith('sha256-')]) {
      const manifests = index.manifests.filter((_, position) => keep(namesOf(index)[position]));
      await writeFile(file, JSON.stringify({ ...index, manifests }));
      expect(new Set(await types())).toEqual(new Set([SBOM.artifactType, SCAN.artifactType]));
    }
    expect(must(await layouts.referrers(pin(subject, sha256('other')), 'source'))).toEqual([]);
  });

  test('a source is not opened for what cannot be written', async () => {
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    const content = layouts.content(at('oci:./out:1'), 'destination');
    const small = { mediaType: 'a/b', digest: sha256('x'), size: 1 };
    must(await content.putBlob(small, async () => ({ ok: true, value: Readable.from([Buffer.from('x')]) })));
    // What stands in place of a folder is no folder.
    await rm(join(folder, 'out', 'blobs'), { recursive: true });
    await writeFile(join(folder, 'out', 'blobs'), '');
    let opened = 0;
    let closed = 0;
    const open = async () => {
      opened += 1;
      async function* bytes() {
        try {
          yield Buffer.from('x');
        } finally {
          closed += 1;
        }
      }
      return { ok: true, value: bytes() } as const;
    };
    expect(failureOf(await content.putBlob(small, open)).message).toContain('cannot be written');
    expect(closed).toBe(opened);
    await rm(join(folder, 'out'), { recursive: true });
    await writeFile(join(folder, 'out'), '');
    failureOf(await content.putBlob(small, open));
    expect(closed).toBe(opened);
  });

  test('names in full are found by their tag at a source, where one image has it', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    await from.put(layouts, at('oci:./out:1'));
    const index = await indexOf(join(folder, 'out'));
    const [image] = index.manifests;
    const call = async (...names: readonly string[]) => {
      const manifests = names.map((name, position) => ({
        ...image,
        // All but the first are other images, which nobody reads here.
        ...(position === 0 ? {} : { digest: sha256(name) }),
        annotations: { 'org.opencontainers.image.ref.name': name },
      }));
      await writeFile(join(folder, 'out', 'index.json'), JSON.stringify({ ...index, manifests }));
    };
    const found = async (tag: string) =>
      must(await createLayouts(folder).head(at(`oci:./out:${tag}`), 'source'))?.digest;
    const listed = async (side: Side) => must(await createLayouts(folder).tags(at('oci:./out'), side));
    await call('docker.io/library/alpine:3.20', '1');
    expect(await found('3.20')).toBe(from.image.digest);
    expect(await listed('source')).toEqual(['1', '3.20']);
    expect(await listed('destination')).toEqual(['1']);
    expect(must(await createLayouts(folder).head(at('oci:./out:3.20'), 'destination'))).toBeUndefined();
    await call('3.20', 'docker.io/library/alpine:3.20');
    expect(await found('3.20')).toBe(from.image.digest);
    await call('a.example/one:3.20', 'a.example/two:3.20', '1');
    expect(await found('3.20')).toBeUndefined();
    expect(await listed('source')).toEqual(['1']);
  });

  test('keeps what others wrote, with fields of their own', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    await from.put(layouts, at('oci:./out:1'));
    const file = join(folder, 'out', 'index.json');
    const index = await indexOf(join(folder, 'out'));
    const foreign = {
      mediaType: 'text/plain',
      digest: sha256('x'),
      size: 1,
      custom: [1],
      annotations: { mine: 'too' },
    };
    await writeFile(file, JSON.stringify({ ...index, custom: true, manifests: [foreign, ...index.manifests] }));
    await writeFile(join(folder, 'out', blobPath(sha256('x'))), 'x');
    expect(must(await layouts.referrers(pin(at('oci:./out'), from.image.digest), 'source'))).toEqual([]);
    must(await layouts.tag(pin(at('oci:./out'), from.image.digest), '2' as Tag));
    const edited = await indexOf(join(folder, 'out'));
    expect(edited).toMatchObject({ custom: true });
    expect(edited.manifests[0]).toEqual(foreign);
    expect(namesOf(edited)).toEqual([undefined, '1', '2']);
  });

  test('tags that two processes write at once are all there', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    const subject = await from.put(layouts, at('oci:./out:1'));
    const script = join(folder, 'tag.mjs');
    const here = (file: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href);
    await writeFile(
      script,
      `import { createLayouts } from ${here('layouts.ts')};
       const layouts = createLayouts(${JSON.stringify(folder)});
       process.stdout.write('ready');
       const subject = { kind: 'pinned', registry: 'oci:', path: 'out', digest: '${subject.digest}' };
       for (let n = 0; n < 15; n += 1) {
         const done = await layouts.tag(subject, 'theirs-' + n);
         if (!done.ok) throw new Error(done.failure.message);
       }`,
    );
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    await once(child.stdout, 'data');
    const ours = Array.from({ length: 15 }, (_, n) => layouts.tag(subject, `ours-${n}` as Tag));
    for (const done of await Promise.all(ours)) must(done);
    expect(await ended).toEqual([0, null]);
    expect(must(await layouts.tags(subject, 'source'))).toHaveLength(31);
    expect((await readdir(join(folder, 'out'))).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });
});

describe('a layout of somebody else', () => {
  test('without the tag: latest is its only image, or the index of its platforms, as a source only', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    await from.put(layouts, at('oci:./out:1'));
    expect(must(await layouts.head(at('oci:./out'), 'source'))?.digest).toBe(from.image.digest);
    expect(must(await layouts.head(at('oci:./out'), 'destination'))).toBeUndefined();
    must(await layouts.attach({ ...from.image, repository: at('oci:./out') }, [SBOM]));
    expect(must(await layouts.head(at('oci:./out'), 'source'))?.digest).toBe(from.image.digest);
    const root = must(await layouts.manifest(pin(at('oci:./out'), from.image.digest), 'source'));
    if (root?.kind !== 'index') throw new Error('not an index');
    await writeFile(join(folder, 'out', 'index.json'), root.bytes);
    const found = must(await layouts.head(at('oci:./out'), 'source'));
    expect(found?.digest).toBe(from.image.digest);
    // The index is an image by a name now, and another name makes it unclear which one is meant.
    must(await layouts.tag(pin(at('oci:./out'), from.image.digest), '1' as Tag));
    expect(must(await layouts.head(at('oci:./out'), 'source'))?.digest).toBe(from.image.digest);
    const child = root.value.manifests[0]?.digest ?? from.image.digest;
    must(await layouts.tag(pin(at('oci:./out'), child), '2' as Tag));
    expect(must(await layouts.head(at('oci:./out'), 'source'))).toBeUndefined();
  });

  test('that is broken is a failure with its name, at the side it is on', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    const subject = await from.put(layouts, at('oci:./out:1'));
    const blob = (digest: Digest) => join(folder, 'out', 'blobs', 'sha256', digest.slice('sha256:'.length));
    const index = must(await layouts.manifest(subject, 'source'));
    const child = index?.kind === 'index' ? index.value.manifests[0] : undefined;
    if (child === undefined) throw new Error('no child');
    const cases: [string, () => Promise<unknown>, RegExp][] = [
      ['index.json', () => writeFile(join(folder, 'out', 'index.json'), '{'), /is not valid JSON/],
      ['oci-layout', () => writeFile(join(folder, 'out', 'oci-layout'), '{}'), /has no valid file "oci-layout"/],
      ['no oci-layout', () => rm(join(folder, 'out', 'oci-layout')), /has no file "oci-layout"/],
      ['another manifest', () => writeFile(blob(subject.digest), '{}'), /holds other bytes than sha256:/],
      ['no manifest', () => rm(blob(subject.digest)), /names sha256:\S+ as 1, which it does not hold/],
    ];
    for (const [, spoil, why] of cases) {
      const files = ['index.json', 'oci-layout', join('blobs', 'sha256', subject.digest.slice(7))];
      const kept = await Promise.all(files.map((file) => readFile(join(folder, 'out', file))));
      await spoil();
      const failure = failureOf(await createLayouts(folder).head(at('oci:./out:1'), 'source'));
      expect(failure).toMatchObject({ reason: 'registry', side: 'source', host: 'oci:./out' });
      expect(failure.message).toMatch(why);
      for (const [position, file] of files.entries()) await writeFile(join(folder, 'out', file), kept[position] ?? '');
    }
    await using destination = await startScriptedRegistry();
    await writeFile(blob(child.digest), 'x'.repeat(child.size));
    const to = from.remote.content(repository(destination.host, 'to'), 'destination');
    const copied = await copy(createLayouts(folder).content(at('oci:./out'), 'source'), to, subject.digest);
    expect(failureOf(copied).message).toMatch(/holds other bytes/);
    expect(destination.manifest('to', subject.digest)).toBeUndefined();
  });

  test('and what is no layout is not written to', async () => {
    await using from = await source();
    const folder = await newFolder();
    await mkdir(join(folder, 'out'));
    await writeFile(join(folder, 'out', 'precious.txt'), 'mine');
    await writeFile(join(folder, 'out.tar'), 'no archive at all'.repeat(100));
    const layouts = createLayouts(folder);
    for (const place of ['oci:./out:1', 'oci-archive:./out.tar:1']) {
      const copied = layouts.content(at(place), 'destination').hasManifest(from.image.digest);
      expect(failureOf(await copied).message).toMatch(/has no file "oci-layout"|is not a TAR archive/);
    }
    expect((await readdir(folder)).toSorted()).toEqual(['out', 'out.tar']);
    expect(await readdir(join(folder, 'out'))).toEqual(['precious.txt']);
  });

  test('a place where no folder can be made is a failure, and takes no time', async () => {
    const layouts = createLayouts(await newFolder());
    for (const place of ['oci:/proc/slipway/deep:1', 'oci:/dev/null:1', 'oci-archive:/proc/slipway/x.tar:1']) {
      const asked = await layouts.content(at(place), 'destination').hasManifest(sha256('x'));
      expect(failureOf(asked).message).toMatch(
        /cannot be (?:written|read) \((?:ENOENT|EEXIST|ENOTDIR)\)|is not a folder/,
      );
    }
  });

  test('links out of the folder are not followed, whether they are there or made later', async () => {
    await using from = await source();
    const [folder, outside] = [await newFolder(), await newFolder()];
    const layouts = createLayouts(folder);
    await symlink(outside, join(folder, 'link'));
    await symlink(join(outside, 'not-there'), join(folder, 'dangling'));
    await symlink(join(outside, 'out.tar'), join(folder, 'out.tar'));
    for (const place of [
      'oci:./link',
      'oci:./link/deep/er',
      'oci:./dangling',
      'oci:./dangling/deep',
      'oci-archive:./out.tar',
    ]) {
      const asked = await layouts.content(at(place), 'destination').hasManifest(from.image.digest);
      expect(failureOf(asked).message).toMatch(/link that leaves the config's folder/);
      expect(failureOf(await layouts.head(at(place), 'source')).message).toMatch(/leaves the config's folder/);
    }
    await from.put(layouts, at('oci:./out:1'));
    await rm(join(folder, 'out', 'blobs'), { recursive: true });
    await symlink(outside, join(folder, 'out', 'blobs'));
    const content = layouts.content(at('oci:./out'), 'destination');
    const put = await content.putBlob({ mediaType: 'text/plain', digest: sha256('x'), size: 1 }, async () => ({
      ok: true,
      value: chunks('x'),
    }));
    expect(failureOf(put).message).toMatch(/cannot be written \(ENOTDIR\)|no real folder/);
    expect(await readdir(outside)).toEqual([]);
    // In full it is what was asked for.
    expect(must(await layouts.head(at(`oci:${join(folder, 'link')}:1`), 'source'))).toBeUndefined();
  });

  test('unfinished files of killed runs go, those of a run at work stay', async () => {
    await using from = await source();
    const folder = await newFolder();
    await from.put(createLayouts(folder), at('oci:./out:1'));
    const [old, young] = ['.slipway-1-aa', '.slipway-2-bb'].map((name) => join(folder, 'out', name));
    for (const file of [old, young]) await writeFile(file ?? '', 'half');
    await utimes(old ?? '', new Date(0), new Date(0));
    await from.put(createLayouts(folder), at('oci:./out:1'));
    expect((await readdir(join(folder, 'out'))).toSorted()).toEqual([
      '.slipway-2-bb',
      'blobs',
      'index.json',
      'oci-layout',
    ]);
  });

  test('what a process on this machine left unfinished goes as soon as it is gone, with its lock', async () => {
    await using from = await source();
    const folder = await newFolder();
    await from.put(createLayouts(folder), at('oci:./out:1'));
    const out = join(folder, 'out');
    const writing = `
      const { replaceFile } = ${here('write-files.ts')};
      const { lock } = ${here('lock.ts')};
      await lock(${JSON.stringify(join(out, 'oci-layout'))});
      await replaceFile(${JSON.stringify(out)}, 'blobs/sha256/aa', new Uint8Array(9));`;
    await killedAt('promises.rename', writing);
    expect((await readdir(out)).length).toBe(5);
    const [begun, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ours = replaceFile(out, 'blobs/sha256/bb', slowly(begun.resolve, rest.promise));
    await begun.promise;
    const next = createLayouts(folder);
    must(await next.head(at('oci:./out:1'), 'destination'));
    await longAgo(join(out, 'oci-layout.lock'));
    expect((await next.finish()).size).toBe(0);
    const left = (await readdir(out)).filter((name) => name.startsWith('.') || name.endsWith('.lock'));
    expect(left.map((name) => name.includes(`-${process.pid}-`))).toEqual([true]);
    rest.resolve();
    await ours;
    expect((await readdir(out)).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  test('a run that was killed when it had only begun leaves a place where a layout can be made', async () => {
    await using from = await source();
    const folder = await newFolder();
    const place = "{ kind: 'tagged', registry: 'oci:', path: 'out', tag: '1' }";
    await killedAt(
      'promises.rename',
      `const { createLayouts } = ${here('layouts.ts')};
       await createLayouts(${JSON.stringify(folder)}).content(${place}, 'destination').hasManifest('${from.image.digest}');`,
    );
    expect((await readdir(join(folder, 'out'))).length).toBe(1);
    const next = createLayouts(folder);
    expect(must(await next.head(at('oci:./out:1'), 'destination'))).toBeUndefined();
    await from.put(next, at('oci:./out:1'));
    expect((await readdir(join(folder, 'out'))).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });
});

describe('an archive', () => {
  test('is not written by a run that has lost its lock, as on a machine that slept', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    await from.put(layouts, at('oci-archive:./out.tar:1'));
    await rm(join(folder, '.out.tar.slipway.lock'), { recursive: true });
    // It finds out when it gives its next sign of life.
    const content = layouts.content(at('oci-archive:./out.tar:1'), 'destination');
    await vi.waitUntil(async () => !(await content.hasManifest(from.image.digest)).ok, { timeout: 4500, interval: 50 });
    const [failure] = [...(await layouts.finish()).values()];
    expect(failure?.message).toContain('another run may have gone on with it');
    expect(await readdir(folder)).toEqual(['.out.tar.slipway']);
    await layouts.close();
  });

  test('is written at the end, whole; a run that was killed before is gone on from', async () => {
    await using from = await source();
    const folder = await newFolder();
    const killed = createLayouts(folder);
    await from.put(killed, at('oci-archive:./out.tar:1'));
    expect(await readdir(folder)).not.toContain('out.tar');
    // Its lock is given back, as it is lost after a kill; nothing is put in place.
    await killed.close();
    const next = createLayouts(folder);
    expect(must(await next.head(at('oci-archive:./out.tar:1'), 'destination'))).toBeUndefined();
    const before = from.registry.log.length;
    await from.put(next, at('oci-archive:./out.tar:1'));
    expect(from.registry.log.slice(before).filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
    expect((await next.finish()).size).toBe(0);
    expect((await readdir(folder)).toSorted()).toEqual(['out.tar']);
  });

  test('is left as it was by a run that is interrupted while it is written, and the next run goes on from there', async () => {
    await using from = await source();
    const folder = await newFolder();
    const place = at('oci-archive:./out.tar:1');
    const user = new AbortController();
    const interrupted = createLayouts(folder, user.signal);
    await from.put(interrupted, place);
    const finishing = interrupted.finish();
    user.abort();
    expect([...(await finishing).values()]).toEqual([cancelled]);
    await interrupted.close();
    expect(await readdir(folder)).toEqual(['.out.tar.slipway']);
    const next = createLayouts(folder);
    const before = from.registry.log.length;
    await from.put(next, place);
    expect(from.registry.log.slice(before).filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
    expect((await next.finish()).size).toBe(0);
    expect(await readdir(folder)).toEqual(['out.tar']);
  });

  test('that is in place when the run is killed is left alone, and nothing is left beside it', async () => {
    await using from = await source();
    const folder = await newFolder();
    const place = at('oci-archive:./out.tar:1');
    const first = createLayouts(folder);
    await from.put(first, place);
    await first.close();
    const again = `
      const { createLayouts } = ${here('layouts.ts')};
      const layouts = createLayouts(${JSON.stringify(folder)});
      const place = { kind: 'pinned', registry: 'oci-archive:', path: './out.tar', digest: '${from.image.digest}' };
      await layouts.content(place, 'destination').hasManifest(place.digest);
      await layouts.finish();`;
    await killedAt('promises.rm', again);
    expect((await readdir(folder)).toSorted()).toEqual(['.out.tar.slipway', '.out.tar.slipway.lock', 'out.tar']);
    const before = await stat(join(folder, 'out.tar'));
    const next = createLayouts(folder);
    expect(must(await next.head(place, 'destination'))?.digest).toBe(from.image.digest);
    await longAgo(join(folder, '.out.tar.slipway.lock'));
    expect((await next.finish()).size).toBe(0);
    expect(await readdir(folder)).toEqual(['out.tar']);
    expect((await stat(join(folder, 'out.tar'))).ino).toBe(before.ino);
  });

  test('what a killed run had named in it does not take the place of what was named meanwhile', async () => {
    await using from = await source();
    const folder = await newFolder();
    const killed = createLayouts(folder);
    await from.put(killed, at('oci-archive:./out.tar:killed'));
    await killed.close();
    // Somebody brings an archive that was made elsewhere.
    const elsewhere = createLayouts(await newFolder());
    await from.put(elsewhere, at('oci-archive:./out.tar:theirs'));
    expect((await elsewhere.finish()).size).toBe(0);
    await copyFile(join(folders.at(-1) ?? '', 'out.tar'), join(folder, 'out.tar'));
    const next = createLayouts(folder);
    await from.put(next, at('oci-archive:./out.tar:ours'));
    expect((await next.finish()).size).toBe(0);
    expect(must(await next.tags(at('oci-archive:./out.tar'), 'source'))).toEqual(['ours', 'theirs']);
  });

  test('a lock that shows no sign of life is waited for', async () => {
    await using from = await source();
    const folder = await newFolder();
    // As it is a moment before it counts as left behind.
    await mkdir(join(folder, '.out.tar.slipway.lock'));
    const nearly = Date.now() / 1000 - 9;
    await utimes(join(folder, '.out.tar.slipway.lock'), nearly, nearly);
    const next = createLayouts(folder);
    await from.put(next, at('oci-archive:./out.tar:1'));
    expect((await next.finish()).size).toBe(0);
    expect(await readdir(folder)).toEqual(['out.tar']);
  });

  test('has one writer, and leaves out what no name leads to', async () => {
    await using from = await source();
    const folder = await newFolder();
    const layouts = createLayouts(folder);
    const place = at('oci-archive:./out.tar:1');
    await from.put(layouts, place);
    const second = await createLayouts(folder).content(place, 'destination').hasManifest(from.image.digest);
    expect(failureOf(second).message).toMatch(/is being written by another run/);
    const lost = { mediaType: 'text/plain', digest: sha256('lost'), size: 4 };
    must(await layouts.content(place, 'destination').putBlob(lost, async () => ({ ok: true, value: chunks('lost') })));
    expect((await layouts.finish()).size).toBe(0);
    const reader = createLayouts(folder);
    expect(must(await reader.head(place, 'source'))?.digest).toBe(from.image.digest);
    expect(failureOf(await reader.readBlob(place, lost, 'source')).message).toMatch(/has no blob/);
  });
});
