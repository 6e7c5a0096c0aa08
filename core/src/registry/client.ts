/** The registry client: puts the parts together, and decides which place is asked: the origin or a mirror. */
import type { Mirror } from '../config/model.ts';
import { fail, ok, type Result } from '../failure.ts';
import { StreamFailure } from '../oci/digest.ts';
import type { ManifestContent } from '../oci/model.ts';
import { pin, type Digest, type Pinned, type Reference, type Repository } from '../reference.ts';
import { attachAll } from './attach.ts';
import { createAuth } from './auth.ts';
import { hasBlob, mountBlob, openBlob, putBlob, type UploadSession } from './blobs.ts';
import type { Credentials } from './credentials.ts';
import { createHttp } from './http.ts';
import { getManifest, headManifest, putManifest, type Where } from './manifests.ts';
import type { Content, Head, Registry, Side, WritableContent } from './model.ts';
import { createBlobReader, firstThatHas, placesOf } from './places.ts';
import { createApiMemory, listReferrers, type ApiMemory } from './referrers.ts';
import { registryFailure } from './refusal.ts';
import { createRetrier } from './retry.ts';
import { listTags } from './tags.ts';
import { createWire } from './wire.ts';

export interface RegistryOptions {
  /** Whether `host` (with its port) is to be spoken to by plain HTTP. */
  readonly plainHttp: (host: string) => boolean;
  /** Where sources can also be read. Destinations are never read from a mirror. */
  readonly mirrors: readonly Mirror[];
  readonly credentials: Credentials;
  /** Requests in flight to one host. */
  readonly perHost: number;
  /** What is known of the registries' referrers APIs; nothing when absent. */
  readonly apiMemory?: ApiMemory;
  readonly userAgent?: string;
  /** Ends everything that is under way. */
  readonly signal?: AbortSignal;
  /** Tries after the first one, 3 unless told. */
  readonly retries?: number;
}

/** Bytes of a blob that is read into memory, unless told. */
const MAX_BLOB = 16 * 1024 * 1024;

export function createRegistry(options: RegistryOptions): Registry {
  const { plainHttp, mirrors, credentials, perHost, userAgent = 'slipway', signal, retries = 3 } = options;
  const http = createHttp({ plainHttp, perHost, userAgent, signal });
  const retrier = createRetrier({ retries, signal });
  const auth = createAuth({ http, retrier, credentials, plainHttp });
  const wire = createWire({ http, auth, retrier, plainHttp });
  const memory = options.apiMemory ?? createApiMemory();
  /** Which repository a content reads from, so that a copy within one registry can mount. */
  const repositories = new WeakMap<Content, Repository>();

  const readBlob = createBlobReader((where, descriptor) => openBlob(wire, where, descriptor));

  const head = (reference: Reference, side: Side): Promise<Result<Head | undefined>> =>
    firstThatHas(placesOf(mirrors, reference, side), ({ where, name }) => headManifest(wire, where, name));

  const manifest = (reference: Reference, side: Side): Promise<Result<ManifestContent | undefined>> =>
    firstThatHas(placesOf(mirrors, reference, side), ({ where, name }) => getManifest(wire, where, name));

  function content(repository: Repository, side: Side): WritableContent {
    const where: Where = { registry: repository.registry, path: repository.path, side };
    /** Uploads that a refused mount has opened. */
    const sessions = new Map<Digest, UploadSession>();
    const made: WritableContent = {
      manifest: (digest) => manifest(pin(repository, digest), side),
      async hasManifest(digest) {
        const found = await head(pin(repository, digest), side);
        return found.ok ? ok(found.value !== undefined) : found;
      },
      blob: (descriptor) => readBlob(placesOf(mirrors, pin(repository, descriptor.digest), side), descriptor),
      hasBlob: (descriptor) => hasBlob(wire, where, descriptor),
      async mountBlob(descriptor, from) {
        const origin = repositories.get(from);
        if (origin === undefined || origin.registry !== where.registry) return ok(false);
        const answer = await mountBlob(wire, where, descriptor, origin);
        if (!answer.ok) return answer;
        if (answer.value.session !== undefined) sessions.set(descriptor.digest, answer.value.session);
        return ok(answer.value.mounted);
      },
      putBlob(descriptor, open) {
        const session = sessions.get(descriptor.digest);
        sessions.delete(descriptor.digest);
        return putBlob(wire, where, descriptor, open, session);
      },
      async putManifest(value) {
        const put = await putManifest(wire, where, { digest: value.descriptor.digest }, value);
        return put.ok ? ok(undefined) : put;
      },
    };
    repositories.set(made, repository);
    return made;
  }

  return {
    head,
    manifest,
    content,
    requests: http.requests,
    close: () => http.close(),
    referrersApi: (repository) => memory.get(repository),
    referrers: (subject, side) => listReferrers(wire, memory, { ...place(subject), side }, subject.digest),
    tags: (repository, side) => listTags(wire, { ...place(repository), side }),
    async readBlob(repository, descriptor, side, limit = MAX_BLOB) {
      if (descriptor.size > limit) {
        const where = { side, registry: repository.registry };
        return fail(
          registryFailure(
            where,
            'permanent',
            `the blob ${descriptor.digest} of ${repository.registry}/${repository.path} is larger than ${limit} bytes`,
          ),
        );
      }
      // The stream ends by itself after the size that was just checked. Reading whole can be tried again as a whole.
      return wire.retry(repository.registry, async () => {
        const stream = await content(repository, side).blob(descriptor);
        return stream.ok ? { result: await collect(stream.value) } : { result: stream, final: true };
      });
    },
    async tag(subject, tag, known) {
      const where: Where = { ...place(subject), side: 'destination' };
      const read = known === undefined ? await getManifest(wire, where, { digest: subject.digest }) : ok(known);
      if (!read.ok) return read;
      if (read.value === undefined || read.value.descriptor.digest !== subject.digest) {
        return fail(
          registryFailure(
            where,
            'permanent',
            `${subject.registry}/${subject.path} has no manifest ${subject.digest} to be tagged ${tag}`,
          ),
        );
      }
      const put = await putManifest(wire, where, { tag }, read.value);
      return put.ok ? ok(undefined) : put;
    },
    attach({ repository, ...subject }, attachments, drop = new Set()) {
      return attachAll(
        { wire, memory, where: { ...place(repository), side: 'destination' }, subject },
        attachments,
        drop,
      );
    },
  };
}

function place({ registry, path }: Repository | Pinned): Repository {
  return { registry, path };
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Result<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch (error) {
    if (error instanceof StreamFailure) return fail(error.failure);
    throw error;
  }
  return ok(Buffer.concat(chunks));
}
