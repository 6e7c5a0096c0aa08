/**
 * Copies an image by digest, with everything it names: one way for layout → registry and registry → registry.
 * A manifest is sent only after all that it names is there, so that a copy that is killed leaves nothing half.
 */
import { cancelled, fail, ok, type Failure, type Result } from '../failure.ts';
import { StreamFailure } from '../oci/digest.ts';
import type { Descriptor, ManifestContent } from '../oci/model.ts';
import type { Digest } from '../reference.ts';
import type { Content, WritableContent } from './model.ts';

export interface CopyOptions {
  /** What the source is called in failures, as a registry's host. */
  readonly source?: string;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes of each chunk that is sent. */
  readonly onBytes?: (bytes: number) => void;
}

export interface Copied {
  readonly root: ManifestContent;
  /** Blobs that had to be sent, and their bytes: neither those that were there nor those that were mounted. */
  readonly blobs: number;
  readonly bytes: number;
}

/** How deep indexes may hold indexes; a loop cannot be, since each names the next by its digest. */
const MAX_DEPTH = 8;

export async function copy(
  from: Content,
  to: WritableContent,
  digest: Digest,
  options: CopyOptions = {},
): Promise<Result<Copied>> {
  const { signal, onBytes, source = 'the source' } = options;
  const manifests = new Map<Digest, Promise<Result<ManifestContent>>>();
  const blobs = new Map<Digest, Promise<Result<void>>>();
  const sent = { blobs: 0, bytes: 0 };
  /** The first failure ends the copy: work that has not begun does not begin. */
  let failed = false;

  function copyManifest(
    named: Pick<Descriptor, 'digest' | 'size'> | Digest,
    depth: number,
  ): Promise<Result<ManifestContent>> {
    const key = typeof named === 'string' ? named : named.digest;
    return once(manifests, key, () =>
      guarded(() => readAndSend(key, typeof named === 'string' ? undefined : named.size, depth)),
    );
  }

  async function readAndSend(key: Digest, size: number | undefined, depth: number): Promise<Result<ManifestContent>> {
    if (depth > MAX_DEPTH) return broken(source, `nests indexes more than ${MAX_DEPTH} deep at ${key}`);
    const read = await from.manifest(key);
    if (!read.ok) return read;
    const content = read.value;
    if (content === undefined) return broken(source, `has no manifest ${key}`);
    if (size !== undefined && content.descriptor.size !== size) {
      return broken(source, `holds a manifest ${key} of another size than its index says`);
    }
    const present = await to.hasManifest(key);
    if (!present.ok) return present;
    // What an index names is looked at even if the index is there: some registries take one whose parts are missing.
    const needed: Promise<Result<unknown>>[] = [];
    if (content.kind === 'index') {
      needed.push(...content.value.manifests.map((child) => copyManifest(child, depth + 1)));
    } else if (!present.value) {
      needed.push(...[content.value.config, ...content.value.layers].filter((each) => !isForeign(each)).map(copyBlob));
    }
    const problem = firstFailure(await Promise.all(needed));
    if (problem !== undefined) return problem;
    if (present.value) return ok(content);
    const put = await to.putManifest(content);
    return put.ok ? ok(content) : put;
  }

  function copyBlob(descriptor: Descriptor): Promise<Result<void>> {
    return once(blobs, descriptor.digest, () => guarded(() => sendBlob(descriptor)));
  }

  async function sendBlob(descriptor: Descriptor): Promise<Result<void>> {
    // Mounting what is there already succeeds too, so within one registry the one request answers both questions.
    for (const isThere of [() => to.mountBlob(descriptor, from), () => to.hasBlob(descriptor)]) {
      const answer = await isThere();
      if (!answer.ok) return answer;
      if (answer.value) return ok(undefined);
    }
    const put = await to.putBlob(descriptor, async () => {
      const stream = await from.blob(descriptor);
      return stream.ok ? ok(watched(stream.value, signal, onBytes)) : stream;
    });
    if (!put.ok) return put;
    sent.blobs += 1;
    sent.bytes += descriptor.size;
    return ok(undefined);
  }

  async function guarded<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
    if (failed || signal?.aborted === true) return fail(cancelled);
    const result = await work();
    if (!result.ok) failed = true;
    return result;
  }

  const root = await copyManifest(digest, 0);
  return root.ok ? ok({ root: root.value, ...sent }) : root;
}

/**
 * Layers that registries do not hold, only point to; whoever needs them fetches them from where they are published.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
 */
function isForeign({ mediaType, urls }: Descriptor): boolean {
  return urls !== undefined && urls.length > 0 && /\.foreign\.|\.nondistributable\./.test(mediaType);
}

/** What really went wrong: work that was called off because of it says only that it was. */
function firstFailure(
  results: readonly Result<unknown>[],
): { readonly ok: false; readonly failure: Failure } | undefined {
  const failures = results.filter((result) => !result.ok);
  return failures.find(({ failure }) => failure.class !== 'cancelled') ?? failures[0];
}

function watched(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  onBytes: ((bytes: number) => void) | undefined,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = stream[Symbol.asyncIterator]();
      return {
        async next() {
          if (signal?.aborted === true) throw new StreamFailure(cancelled);
          const step = await chunks.next();
          if (step.done !== true) onBytes?.(step.value.byteLength);
          return step;
        },
        async return() {
          await chunks.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function broken(host: string, problem: string): { readonly ok: false; readonly failure: Failure } {
  const hint = 'the image is incomplete where it comes from';
  return fail({ reason: 'registry', class: 'permanent', side: 'source', host, message: `${host} ${problem}`, hint });
}

function once<T>(running: Map<Digest, Promise<T>>, key: Digest, make: () => Promise<T>): Promise<T> {
  const known = running.get(key) ?? make();
  running.set(key, known);
  return known;
}
