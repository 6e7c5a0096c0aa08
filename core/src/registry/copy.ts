/**
 * Copies an image by digest, with everything it names: one way for layout → registry and registry → registry.
 * A manifest is sent only after all that it names is there, so that a copy that is killed leaves nothing half.
 */
import { cancelled, fail, ok, type Failed, type Failure, type RegistryFailure, type Result } from '../failure.ts';
import { StreamFailure } from '../oci/digest.ts';
import { isForeign, partsOf, type Descriptor, type ManifestContent } from '../oci/model.ts';
import { isIndexType, isManifestType, MAX_INDEX_DEPTH } from '../oci/parse.ts';
import { watched } from '../oci/streams.ts';
import { once } from '../once.ts';
import type { Digest } from '../reference.ts';
import type { Content, Taken, WritableContent } from './model.ts';
import { registryFailure } from './refusal.ts';
import { createRoom } from './room.ts';

export interface CopyOptions {
  /** What the source is called in failures, as a registry's host. */
  readonly source?: string;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes of each chunk that is sent. */
  readonly onBytes?: (bytes: number) => void;
  /** Layers that registries only point to are fetched from where they are published, and sent too. */
  readonly foreignLayers?: boolean;
}

export interface Copied {
  readonly root: ManifestContent;
  /** Blobs that had to be sent, and their bytes: neither those that were there nor those that were mounted. */
  readonly blobs: number;
  readonly bytes: number;
}

/** Manifests and blobs that one image may name: a hundred platforms of a hundred layers are a fifth of it. */
const MAX_PARTS = 50_000;
/** Bytes of manifests that are being copied at once, and what each counts for at least, whatever its index says of it. */
const ROOM = 16 * 1024 * 1024;
const LEAST = 1024 * 1024;
/** Blobs that are asked for or sent at once: as many as a host may be asked. The others hear of a failure before they begin. */
const BLOBS = 256;
/** Error codes by which a registry says that something that a manifest names is not there. */
const PART_UNKNOWN: ReadonlySet<string | undefined> = new Set([
  'MANIFEST_BLOB_UNKNOWN',
  'BLOB_UNKNOWN',
  'MANIFEST_UNKNOWN',
]);
/** Statuses of answers that may say as much, for want of a better code. */
const BAD_MANIFEST: ReadonlySet<number | undefined> = new Set([400, 404]);

export async function copy(
  from: Content,
  to: WritableContent,
  digest: Digest,
  options: CopyOptions = {},
): Promise<Result<Copied>> {
  const { signal, source = 'the source' } = options;
  /** No manifest is kept once it is there: an index may name ten thousand, of four megabytes each. */
  const manifests = new Map<Digest, Promise<Result<void>>>();
  const blobs = new Map<Digest, Promise<Result<Taken>>>();
  /** Sizes as they were first said. If another size is said later, one of the two is a lie. */
  const sizes = new Map<Digest, number>();
  const room = createRoom(ROOM);
  const blobRoom = createRoom(BLOBS);
  let root: ManifestContent | undefined;
  const sent = { blobs: 0, bytes: 0 };
  /** The first failure ends the copy: work that has not begun does not begin. */
  let failed = false;
  /** Something of the image was there: the rest most likely is, too. */
  let likely = false;

  function copyChild(child: Descriptor, depth: number): Promise<Result<void>> {
    const { digest: key, size } = child;
    const work = () => guarded(() => readAndSend(key, depth, child));
    // An index waits for its children, and must not take the room from them.
    const careful = isIndexType(child.mediaType) ? work : () => room.within(Math.max(size, LEAST), work);
    return admitted(child) ?? once(manifests, key, careful);
  }

  /** Why a part is not copied: it is said to have two sizes, or there are too many parts. Undefined: it is. */
  function admitted({ digest: key, size }: Descriptor): Promise<Failed> | undefined {
    const known = once(sizes, key, () => size);
    if (known === size && sizes.size <= MAX_PARTS) return undefined;
    failed = true;
    const problem =
      known === size
        ? `names more than ${MAX_PARTS} manifests and blobs`
        : `says of ${key} that it has ${known} bytes, and that it has ${size}`;
    return Promise.resolve(broken(source, problem));
  }

  async function readAndSend(key: Digest, depth: number, named?: Descriptor): Promise<Result<void>> {
    if (depth > MAX_INDEX_DEPTH) return broken(source, `nests indexes more than ${MAX_INDEX_DEPTH} deep at ${key}`);
    const read = await from.manifest(key);
    if (!read.ok) return read;
    const content = read.value;
    if (content === undefined) return broken(source, `has no manifest ${key}`);
    if (named === undefined) root = content;
    else if (content.descriptor.size !== named.size) {
      return broken(source, `holds a manifest ${key} of another size than its index says`);
    } else if (isIndexType(named.mediaType) !== (content.kind === 'index')) {
      return broken(source, `holds under ${key} another kind of manifest than its index says`);
    }
    // Below an index that is missing, the answer about the config says as much, and is needed anyway.
    const config = content.kind === 'manifest' && depth > 0 && !likely ? await isConfigMissing(content) : ok(false);
    if (!config.ok) return config;
    const present = config.value ? ok(false) : await to.hasManifest(key);
    if (!present.ok) return present;
    if (present.value) likely = true;
    const parts = await copyParts(content, depth, present.value);
    if (!parts.ok) return parts;
    if (present.value) return ok(undefined);
    const put = await to.putManifest(content);
    return !put.ok && mayLackParts(put.failure) ? mend(content, depth) : put;
  }

  /**
   * What an index names is looked at even if the index is there: some registries take one whose parts are missing. Of an image that
   * is there, foreign layers may be missing: an earlier copy did not want them.
   */
  async function copyParts(content: ManifestContent, depth: number, present: boolean): Promise<Result<void>> {
    if (content.kind === 'manifest') {
      const needed = partsOf(content).filter((part) => (isForeign(part) ? options.foreignLayers === true : !present));
      return firstFailure(await Promise.all(needed.map((part) => copyBlob(part)))) ?? ok(undefined);
    }
    const indexes = content.value.manifests.filter(({ mediaType }) => isIndexType(mediaType));
    const others = content.value.manifests
      .filter(({ mediaType }) => !isIndexType(mediaType))
      // An index may hold anything; what is no manifest registries keep as a blob.
      .map((child) => (isManifestType(child.mediaType) ? copyChild(child, depth + 1) : copyBlob(child)));
    const results = await Promise.all([...others, inTurn(indexes, (child) => copyChild(child, depth + 1))]);
    return firstFailure(results) ?? ok(undefined);
  }

  /** What was thought to be there is not, or not yet: each part is looked at again, and the manifest sent once more. */
  async function mend(content: ManifestContent, depth: number): Promise<Result<void>> {
    to.forgetParts?.(content);
    likely = true;
    for (const { digest: part } of partsOf(content)) {
      manifests.delete(part);
      blobs.delete(part);
    }
    const parts = await copyParts(content, depth, false);
    if (!parts.ok) return parts;
    const put = await to.putManifest(content);
    return !put.ok && lacksParts(put.failure) ? fail(notSeenYet(put.failure)) : put;
  }

  /** A registry that lacks an image's config lacks its manifest too: none takes a manifest before its parts. */
  async function isConfigMissing({ value }: ManifestContent & { kind: 'manifest' }): Promise<Result<boolean>> {
    if (to.takeBlob === undefined) return ok(false);
    const { promise, resolve } = Promise.withResolvers<Result<boolean>>();
    const taking = copyBlob(value.config, () => resolve(ok(true)));
    const taken = taking.then((result) => (result.ok ? ok(result.value.how === 'sent') : result));
    return Promise.race([promise, taken]);
  }

  function copyBlob(descriptor: Descriptor, onMissing?: () => void): Promise<Result<Taken>> {
    const work = () => guarded(() => bringBlob(descriptor, onMissing));
    return admitted(descriptor) ?? once(blobs, descriptor.digest, () => blobRoom.within(1, work));
  }

  async function bringBlob(descriptor: Descriptor, onMissing: (() => void) | undefined): Promise<Result<Taken>> {
    const open = async (): Promise<Result<AsyncIterable<Uint8Array>>> => {
      const stream = await openAtSource(descriptor);
      return stream.ok ? ok(abortable(stream.value, options)) : stream;
    };
    const taken = await (to.takeBlob === undefined
      ? sendBlob(descriptor, open)
      : to.takeBlob(descriptor, from, open, { likely, ...(onMissing === undefined ? {} : { onMissing }) }));
    if (taken.ok && taken.value.how === 'sent' && taken.value.mine) {
      sent.blobs += 1;
      sent.bytes += descriptor.size;
    }
    return taken;
  }

  /** A foreign layer may be at the source all the same: an earlier copy has brought it there, or a mirror. */
  async function openAtSource(descriptor: Descriptor): Promise<Result<AsyncIterable<Uint8Array>>> {
    const stream = await from.blob(descriptor);
    const isElsewhere = !stream.ok && stream.failure.class === 'permanent' && isForeign(descriptor);
    return isElsewhere && from.foreignBlob !== undefined ? from.foreignBlob(descriptor) : stream;
  }

  async function sendBlob(
    descriptor: Descriptor,
    open: () => Promise<Result<AsyncIterable<Uint8Array>>>,
  ): Promise<Result<Taken>> {
    // Mounting what is there already succeeds too, so within one registry the one request answers both questions.
    for (const isThere of [() => to.mountBlob(descriptor, from), () => to.hasBlob(descriptor)]) {
      const answer = await isThere();
      if (!answer.ok) return answer;
      if (answer.value) return ok({ how: 'there', mine: true });
    }
    const put = await to.putBlob(descriptor, open);
    return put.ok ? ok({ how: 'sent', mine: true }) : put;
  }

  async function guarded<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
    if (failed || signal?.aborted === true) return fail(cancelled);
    const result = await work();
    if (!result.ok) failed = true;
    return result;
  }

  const copied = await guarded(() => readAndSend(digest, 0));
  if (!copied.ok) return copied;
  if (root === undefined) throw new Error('a copy that went well has read what it copied');
  return ok({ root, ...sent });
}

/** One after the other, as long as all goes well: indexes in indexes would else all be in memory at once. */
async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<Result<void>>): Promise<Result<void>> {
  for (const item of items) {
    const done = await work(item);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

/** What really went wrong: work that was called off because of it says only that it was. */
function firstFailure(results: readonly Result<unknown>[]): Failed | undefined {
  const failures = results.filter((result) => !result.ok);
  return failures.find(({ failure }) => failure.class !== 'cancelled') ?? failures[0];
}

function abortable(stream: AsyncIterable<Uint8Array>, { signal, onBytes }: CopyOptions): AsyncIterable<Uint8Array> {
  return watched(stream, (chunks) => async () => {
    if (signal?.aborted === true) throw new StreamFailure(cancelled);
    const step = await chunks.next();
    if (step.done !== true) onBytes?.(step.value.byteLength);
    return step;
  });
}

/** Not every registry says what is wrong with a manifest: to look at its parts once more costs little. */
function mayLackParts(failure: Failure): boolean {
  return failure.reason === 'registry' && (PART_UNKNOWN.has(failure.code) || BAD_MANIFEST.has(failure.status));
}

function lacksParts(failure: Failure): failure is RegistryFailure {
  return failure.reason === 'registry' && PART_UNKNOWN.has(failure.code);
}

/** The registry has said of each part that it has it. */
function notSeenYet(failure: RegistryFailure): RegistryFailure {
  const hint = 'some registries show what they have taken only after a moment; run again';
  return { ...failure, class: 'transient', hint };
}

function broken(host: string, problem: string): Failed {
  const hint = 'the image is incomplete where it comes from';
  return fail(registryFailure({ side: 'source', registry: host }, 'permanent', `${host} ${problem}`, { hint }));
}
