/**
 * Reading from and writing to repositories, with what one run remembers of them: manifests by their digest, what is where, and what is
 * being asked or sent at this moment. Equal questions at the same time get one answer.
 */
import type { Mirror } from '../config/settings-model.ts';
import { ok, type Result } from '../failure.ts';
import { isForeign, partsOf, type Descriptor, type ManifestContent } from '../oci/model.ts';
import { isManifestType } from '../oci/parse.ts';
import { formatPinned, pin, type Digest, type Reference, type Repository } from '../reference.ts';
import { createBlobService } from './blob-service.ts';
import { hasBlob, mountBlob, type UploadSession } from './blobs.ts';
import { openBlob, openForeignBlob } from './downloads.ts';
import type { BodyLimits } from './body-limits.ts';
import { createFlights } from './flights.ts';
import { createManifestCache } from './manifest-cache.ts';
import { getManifest, headManifest, putManifest, type Where } from './manifests.ts';
import type { Content, Head, Side, WritableContent } from './model.ts';
import { createBlobReader, firstThatHas, placesOf, type Place } from './places.ts';
import { createPresence } from './presence.ts';
import { createHeadAtSource } from './source-heads.ts';
import type { UploadRecords } from './upload-records.ts';
import { sendBlob } from './uploads.ts';
import type { Wire } from './wire.ts';

/** Milliseconds for which a registry's word is taken that it has no such manifest, and how many are kept. */
const ABSENT_FOR = 30_000;
const ABSENT = 10_000;

export interface RepositoriesOptions {
  readonly wire: Wire;
  readonly mirrors: readonly Mirror[];
  readonly plainHttp: (host: string) => boolean;
  readonly records: UploadRecords | undefined;
  readonly limits: BodyLimits;
}

export interface Repositories {
  head(reference: Reference, side: Side): Promise<Result<Head | undefined>>;
  manifest(reference: Reference, side: Side): Promise<Result<ManifestContent | undefined>>;
  content(repository: Repository, side: Side, options?: { readonly exact: boolean }): WritableContent;
}

export function createRepositories({ wire, mirrors, plainHttp, records, limits }: RepositoriesOptions): Repositories {
  const cache = createManifestCache();
  const blobs = createPresence();
  const manifests = createPresence();
  const service = createBlobService({ wire, presence: blobs, records, limits });
  const heads = createFlights<Result<Head | undefined>>();
  const reads = createFlights<Result<ManifestContent | undefined>>();
  const puts = createFlights<Result<void>>();
  const absent = new Map<string, number>();
  const readBlob = createBlobReader((where, descriptor, whole) => openBlob(wire, where, descriptor, whole));
  /** Which repository a content reads from, so that a copy within one registry can mount. */
  const repositories = new WeakMap<Content, Repository>();

  /** Where a manifest is, its blobs are too; an index may be there without its children. */
  function learn(where: Where, content: ManifestContent): void {
    cache.put(content);
    manifests.add(where, content.descriptor.digest);
    if (content.kind === 'index' || where.side === 'source') return;
    for (const part of partsOf(content)) if (!isForeign(part)) blobs.add(where, part.digest);
  }

  /** `last`: there is no other place to be asked after this one. */
  async function headAt(place: Place, last = true): Promise<Result<Head | undefined>> {
    const { where, name } = place;
    const ask = () => (where.side === 'source' ? headAtSource(place, last) : headManifest(wire, where, name));
    if ('tag' in name) return ask();
    const key = nameOf(where, name.digest);
    const found = await heads.fly(key, ask).answer;
    if (!found.ok) return found;
    if (found.value === undefined) {
      // Deleted first, so that the newest is the last, and the oldest can be dropped.
      absent.delete(key);
      absent.set(key, performance.now());
      const [oldest] = absent.keys();
      if (absent.size > ABSENT && oldest !== undefined) absent.delete(oldest);
    } else {
      manifests.add(where, name.digest);
      const known = cache.get(name.digest);
      if (known !== undefined) learn(where, known);
    }
    return found;
  }

  async function readAt({ where, name }: Place): Promise<Result<ManifestContent | undefined>> {
    if ('tag' in name) {
      const read = await getManifest(wire, where, name);
      if (read.ok && read.value !== undefined) learn(where, read.value);
      return read;
    }
    const known = manifests.has(where, name.digest) ? cache.get(name.digest) : undefined;
    if (known !== undefined) return ok(known);
    const read = await reads.fly(nameOf(where, name.digest), () => getManifest(wire, where, name)).answer;
    if (read.ok && read.value !== undefined) learn(where, read.value);
    return read;
  }

  async function putAt(where: Where, content: ManifestContent): Promise<Result<void>> {
    const { digest } = content.descriptor;
    if (manifests.has(where, digest)) return ok(undefined);
    const put = await putManifest(wire, where, { digest }, content);
    if (!put.ok) return put;
    absent.delete(nameOf(where, digest));
    learn(where, content);
    return ok(undefined);
  }

  const headAtSource = createHeadAtSource(wire, readAt);

  function head(reference: Reference, side: Side): Promise<Result<Head | undefined>> {
    const places = placesOf(mirrors, reference, side);
    return firstThatHas(places, (place) => headAt(place, place === places.at(-1)));
  }

  const manifest = (reference: Reference, side: Side) => firstThatHas(placesOf(mirrors, reference, side), readAt);

  function content(repository: Repository, side: Side, { exact } = { exact: false }): WritableContent {
    const where: Where = { registry: repository.registry, path: repository.path, side };
    const places = (digest: Digest) => placesOf(exact ? [] : mirrors, pin(repository, digest), side);
    /** Uploads that a refused mount has opened. */
    const sessions = new Map<Digest, UploadSession>();
    const made: WritableContent = {
      manifest: (digest) => firstThatHas(places(digest), readAt),
      async hasManifest(digest) {
        if (manifests.has(where, digest)) return ok(true);
        const since = absent.get(nameOf(where, digest));
        if (since !== undefined && performance.now() - since < ABSENT_FOR) return ok(false);
        const found = await headAt({ where, name: { digest } });
        return found.ok ? ok(found.value !== undefined) : found;
      },
      blob: (descriptor, whole) => readBlob(places(descriptor.digest), descriptor, whole),
      foreignBlob: (descriptor) => openForeignBlob(wire, where, descriptor, plainHttp),
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
        return sendBlob({ wire, where, descriptor, open, session, limits });
      },
      takeBlob: (descriptor, from, open, options) =>
        service.take({ where, descriptor, open, source: repositories.get(from), ...options }),
      putManifest: (value) => puts.fly(nameOf(where, value.descriptor.digest), () => putAt(where, value)).answer,
      forgetParts(value) {
        const parts = partsOf(value);
        const isIndexed = ({ mediaType }: Descriptor) => value.kind === 'index' && isManifestType(mediaType);
        for (const part of parts) if (isIndexed(part)) manifests.remove(where, part.digest);
        service.forget(
          where,
          parts.filter((part) => !isIndexed(part)).map(({ digest }) => digest),
        );
      },
    };
    repositories.set(made, repository);
    return made;
  }

  return { head, manifest, content };
}

function nameOf(where: Where, digest: Digest): string {
  return formatPinned(pin(where, digest));
}
