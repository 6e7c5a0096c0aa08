/** The {@link Registry} whose repositories are locations in the file system: one store a place, however often it is named. */
import { fail, ok, type Failure, type Result } from '../failure.ts';
import {
  archiveScheme,
  formatRepository,
  type Digest,
  type Pinned,
  type Reference,
  type Repository,
} from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import { registryFailure } from '../registry/refusal.ts';
import { archiveMedium } from './archive-medium.ts';
import { folderMedium } from './medium.ts';
import { createStore, type LayoutStore } from './store.ts';
import { readWhole } from '../registry/whole.ts';

/** Bytes of a blob that is read into memory, unless told. */
const MAX_BLOB = 16 * 1024 * 1024;

export interface Layouts extends Registry {
  /** Writes the archives, and tidies up; by the text of their repository, those that could not be written. */
  finish(): Promise<ReadonlyMap<string, Failure>>;
}

/** Relative locations are in `folder`. `signal`: of the run, which leaves an archive as it was once it is aborted. */
export function createLayouts(folder: string, signal?: AbortSignal): Layouts {
  const stores = new Map<string, LayoutStore>();

  function at(location: Repository): LayoutStore {
    const name = formatRepository(location);
    const known = stores.get(name);
    if (known !== undefined) return known;
    const medium = location.registry === archiveScheme ? archiveMedium : folderMedium;
    const store = createStore(name, medium(folder, location.path, signal));
    stores.set(name, store);
    return store;
  }

  return {
    async head(reference, side) {
      const found = await at(reference).manifest(nameOf(reference), side);
      if (!found.ok || found.value === undefined) return found as Result<undefined>;
      const { digest, mediaType } = found.value.descriptor;
      return ok({ digest, mediaType });
    },
    manifest: (reference, side) => at(reference).manifest(nameOf(reference), side),
    content: (repository, side) => at(repository).content(side),
    async readBlob(repository, descriptor, side, limit = MAX_BLOB) {
      const name = formatRepository(repository);
      if (descriptor.size > limit) {
        const message = `the blob ${descriptor.digest} of ${name} is larger than ${limit} bytes`;
        return fail(registryFailure({ side, registry: name }, 'permanent', message));
      }
      const stream = await at(repository).content(side).blob(descriptor);
      return stream.ok ? readWhole(stream.value) : stream;
    },
    tag: (subject, tag) => at(subject).tag(subject.digest, tag),
    tags: (repository, side) => at(repository).tags(side),
    async referrers(subject, side) {
      const listed = await at(subject).referrers(subject.digest, side);
      return listed.ok ? ok(listed.value.map((descriptor) => ({ descriptor }))) : listed;
    },
    attach: ({ repository, ...subject }, attachments, drop = new Set<Digest>()) =>
      at(repository).attach(subject, attachments, drop),
    list: (subject, pushed) => at(subject).list(subject.digest, pushed),
    deleteTag: (target) => at(target).deleteTag(target.tag),
    quota: () => undefined,
    referrersApi: () => true,
    requests: new Map(),
    async finish() {
      const failed = new Map<string, Failure>();
      for (const [name, store] of stores) {
        const finished = await store.finish();
        if (!finished.ok) failed.set(name, finished.failure);
      }
      return failed;
    },
    async close() {
      for (const store of stores.values()) await store.close();
    },
  };
}

function nameOf(reference: Reference): Parameters<LayoutStore['manifest']>[0] {
  return reference.kind === 'pinned' ? { digest: (reference satisfies Pinned).digest } : { tag: reference.tag };
}
