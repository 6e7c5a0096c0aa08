/**
 * An image layout that is read and written as a repository of a registry is: manifests by digest or tag, blobs, referrers.
 * Tags are names in `index.json`, replaced as a whole. Referrers are listed there without a name, as ORAS reads them, and in an index
 * named by the tag scheme, as regctl does, so that they travel with whatever tool takes the layout on.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import { fail, ok, type Result } from '../failure.ts';
import type { Digest, Tag } from '../reference.ts';
import { artifactOf, EMPTY, EMPTY_CONFIG, layerOf, merge } from '../registry/artifact.ts';
import type { Attachment, Content, Side, WritableContent } from '../registry/model.ts';
import { createMutex } from '../registry/mutex.ts';
import { fallbackTag } from '../registry/referrers.ts';
import { StreamFailure, verified } from './digest.ts';
import { oneChunk, openedLate } from './streams.ts';
import { codeOf } from './error-code.ts';
import { editIndex, named, onlyImage, sourceTags, withoutName, type Entry } from './index-edit.ts';
import { blobPath, INDEX, layoutContent, MARKER, readIndexFile, type IndexFile } from './layout.ts';
import type { Broken, LayoutFiles } from './layout-files.ts';
import { referrerOf, referrersReader } from './layout-referrers.ts';
import { withLock } from './lock.ts';
import type { Medium } from './medium.ts';
import type { Descriptor, ManifestContent } from './model.ts';
import { replaceFile } from './write-files.ts';

export interface LayoutStore {
  /** `undefined`: no such tag or manifest, or no layout. */
  manifest(
    name: { readonly tag: Tag } | { readonly digest: Digest },
    side: Side,
  ): Promise<Result<ManifestContent | undefined>>;
  content(side: Side): WritableContent;
  tag(digest: Digest, tag: Tag): Promise<Result<void>>;
  /** What it named stays, as in a registry. */
  deleteTag(tag: Tag): Promise<Result<void>>;
  tags(side: Side): Promise<Result<readonly Tag[]>>;
  referrers(subject: Digest, side: Side): Promise<Result<readonly Descriptor[]>>;
  /** Lists manifests that are there among the referrers of `subject`. */
  list(subject: Digest, pushed: readonly Descriptor[]): Promise<Result<void>>;
  attach(
    subject: Descriptor,
    attachments: readonly Attachment[],
    drop: ReadonlySet<Digest>,
  ): Promise<Result<readonly Descriptor[]>>;
  finish(): Promise<Result<void>>;
  close(): Promise<void>;
}

/** One writer an `index.json` in this process; other processes are kept out by a lock in the file system. */
const writers = createMutex();

/** `name` is what failures call the layout. */
export function createStore(name: string, medium: Medium): LayoutStore {
  const referrersOf = referrersReader();
  const sending = new Map<Digest, Promise<Result<void>>>();

  const brokenOn =
    (side: Side): Broken =>
    (problem, hint = 'make it again: it is incomplete or was altered') =>
      fail({
        reason: 'registry',
        class: 'permanent',
        side,
        host: name,
        message: `the layout ${name} ${problem}`,
        hint: side === 'source' ? hint : 'see what is there, or take another place',
      });
  const brokenHere = brokenOn('destination');
  /** Nobody tidies up at a source. */
  let isDestination = false;

  interface Opened {
    readonly files: LayoutFiles;
    readonly content: Content;
    readonly index: IndexFile | undefined;
  }

  async function open(side: Side): Promise<Result<Opened | undefined>> {
    isDestination ||= side === 'destination';
    const broken = brokenOn(side);
    const files = await medium.files(broken);
    if (!files.ok || files.value === undefined) return files as Result<undefined>;
    const index = await readIndexFile(files.value, broken);
    if (!index.ok) return index;
    return ok({ files: files.value, index: index.value, content: layoutContent(files.value, index.value, broken) });
  }

  async function byDigest(digest: Digest, side: Side): Promise<Result<ManifestContent | undefined>> {
    const opened = await open(side);
    if (!opened.ok || opened.value === undefined) return opened as Result<undefined>;
    return opened.value.content.manifest(digest);
  }

  async function byTag(tag: Tag, side: Side): Promise<Result<ManifestContent | undefined>> {
    const opened = await open(side);
    if (!opened.ok) return opened;
    // Begun by another writer, perhaps: nothing has a name in it yet.
    if (opened.value?.index === undefined) return ok(undefined);
    const { index, content } = opened.value;
    const digest = named(index, tag)?.digest ?? (side === 'source' ? impliedBy(index, tag) : undefined);
    if (digest === undefined) return ok(undefined);
    const found = await content.manifest(digest);
    if (!found.ok || found.value !== undefined) return found;
    return brokenOn(side)(`names ${digest} as ${tag}, which it does not hold`);
  }

  /** What a tag means at a source that has no entry of exactly that name. */
  function impliedBy(index: IndexFile, tag: Tag): Digest | undefined {
    return sourceTags(index).get(tag) ?? (tag === 'latest' ? onlyImage(index) : undefined);
  }

  async function write(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<Result<void>> {
    const base = await medium.writable(brokenHere);
    if (!base.ok) return base;
    try {
      await replaceFile(base.value, path, bytes);
      return ok(undefined);
    } catch (error) {
      if (error instanceof StreamFailure) return fail(error.failure);
      return brokenHere(`cannot be written (${codeOf(error)})`);
    }
  }

  /** Reads `index.json`, and replaces it by what `change` makes of it; undefined: nothing. */
  async function update(
    change: (opened: Opened | undefined) => Promise<Result<Uint8Array | undefined>>,
  ): Promise<Result<void>> {
    const base = await medium.writable(brokenHere);
    if (!base.ok) return base;
    return writers(base.value, () =>
      withLock(base.value, MARKER, brokenHere, async () => {
        const opened = await open('destination');
        if (!opened.ok) return opened;
        const bytes = await change(opened.value);
        if (!bytes.ok) return bytes;
        return bytes.value === undefined ? ok(undefined) : write(INDEX, bytes.value);
      }),
    );
  }

  async function putBlob(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    source: () => Promise<Result<AsyncIterable<Uint8Array>>>,
  ): Promise<Result<void>> {
    const wrong = brokenHere(`was sent other bytes than ${descriptor.digest} says`);
    return write(
      blobPath(descriptor.digest),
      verified(openedLate(source), descriptor, () => wrong.failure),
    );
  }

  const putBytes = (descriptor: Pick<Descriptor, 'digest' | 'size'>, bytes: Uint8Array): Promise<Result<void>> =>
    putBlob(descriptor, async () => ok(oneChunk(bytes)));

  /** Several images share layers: the second one waits until the first has sent it. */
  function sendOnce(digest: Digest, send: () => Promise<Result<void>>): Promise<Result<void>> {
    const known = sending.get(digest);
    if (known !== undefined) return known.then((sent) => (sent.ok ? sent : send()));
    const sent = send().finally(() => sending.delete(digest));
    sending.set(digest, sent);
    return sent;
  }

  async function hasBlob({ digest, size }: Pick<Descriptor, 'digest' | 'size'>): Promise<Result<boolean>> {
    const base = await medium.writable(brokenHere);
    if (!base.ok) return base;
    const files = await medium.files(brokenHere);
    if (!files.ok) return files;
    const file = await files.value?.open(blobPath(digest));
    if (file === undefined) return ok(false);
    if (!file.ok || file.value === undefined) return file.ok ? ok(false) : file;
    await file.value.close();
    // What has another size was left by a failing disk or by a stranger, and is replaced.
    return ok(file.value.size === size);
  }

  /** Lists referrers of `subject` that are there already. */
  function list(subject: Digest, listed: readonly Descriptor[], drop: ReadonlySet<Digest>): Promise<Result<void>> {
    return update(async (opened) => {
      const tag = fallbackTag(subject);
      const at = opened?.index === undefined ? undefined : named(opened.index, tag);
      const present = at === undefined ? ok(undefined) : await opened?.content.manifest(at.digest);
      if (present?.ok === false) return present;
      const merged = merge(present?.value, listed, drop);
      if (merged === 'foreign') return brokenHere(`names what is no index by ${tag}, which lists what is attached`);
      const entries: Entry[] = listed.map((descriptor) => ({ descriptor }));
      if (merged !== undefined) {
        const put = await putBytes(merged.descriptor, merged.bytes);
        if (!put.ok) return put;
        entries.push({ descriptor: merged.descriptor, name: tag });
      }
      return ok(editIndex(opened?.index, entries, drop));
    });
  }

  return {
    manifest: (asked, side) => ('tag' in asked ? byTag(asked.tag, side) : byDigest(asked.digest, side)),
    content: (side) => ({
      manifest: (digest) => byDigest(digest, side),
      async blob(descriptor) {
        const opened = await open(side);
        if (!opened.ok) return opened;
        return opened.value?.content.blob(descriptor) ?? brokenOn(side)(`has no blob ${descriptor.digest}`);
      },
      async hasManifest(digest) {
        const base = await medium.writable(brokenHere);
        if (!base.ok) return base;
        const found = await byDigest(digest, side);
        return found.ok ? ok(found.value !== undefined) : found;
      },
      hasBlob,
      mountBlob: () => Promise.resolve(ok(false)),
      putBlob: (descriptor, source) => sendOnce(descriptor.digest, () => putBlob(descriptor, source)),
      async putManifest(manifest) {
        const put = await putBytes(manifest.descriptor, manifest.bytes);
        const referrer = referrerOf(manifest);
        return put.ok && referrer !== null ? list(referrer.subject, [referrer.listedAs], new Set()) : put;
      },
    }),
    async tag(digest, tag) {
      const found = await byDigest(digest, 'destination');
      if (!found.ok) return found;
      if (found.value === undefined) return brokenHere(`has no manifest ${digest} to be tagged ${tag}`);
      const { descriptor, value } = found.value;
      const entry: Entry = {
        name: tag,
        descriptor: {
          ...descriptor,
          ...(value.artifactType === undefined ? {} : { artifactType: value.artifactType }),
        },
      };
      return update(async (opened) => ok(editIndex(opened?.index, [entry])));
    },
    async deleteTag(tag) {
      const found = await byTag(tag, 'destination');
      if (!found.ok) return found;
      // Nothing is made where nothing is.
      if (found.value === undefined) return brokenHere(`has no tag ${tag}`);
      return update(async (opened) => ok(opened?.index === undefined ? undefined : withoutName(opened.index, tag)));
    },
    async tags(side) {
      const opened = await open(side);
      if (!opened.ok) return opened;
      const index = opened.value?.index;
      if (index === undefined) return ok([]);
      const tags = [...sourceTags(index).keys()].toSorted();
      return ok(side === 'source' ? tags : tags.filter((tag) => named(index, tag) !== undefined));
    },
    async referrers(subject, side) {
      const opened = await open(side);
      if (!opened.ok) return opened;
      if (opened.value?.index === undefined) return ok([]);
      return referrersOf(subject, opened.value.index, opened.value.content);
    },
    list: (subject, pushed) => list(subject, pushed, new Set()),
    async attach(subject, attachments, drop) {
      if (attachments.length === 0) return ok([]);
      const artifacts = attachments.map((attachment) => artifactOf(subject, attachment));
      const files = [
        { descriptor: EMPTY_CONFIG, bytes: EMPTY },
        ...attachments.map(layerOf),
        ...artifacts.map(({ content }) => content),
      ];
      for (const { descriptor, bytes } of files) {
        const put = await putBytes(descriptor, bytes);
        if (!put.ok) return put;
      }
      const descriptors = artifacts.map(({ listedAs }) => listedAs);
      const listed = await list(subject.digest, descriptors, drop);
      return listed.ok ? ok(descriptors) : listed;
    },
    finish: () => (isDestination ? medium.finish(brokenHere) : Promise.resolve(ok(undefined))),
    close: () => medium.close(),
  };
}
