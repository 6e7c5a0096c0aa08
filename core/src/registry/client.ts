/** The registry client: puts the parts together, and decides which place is asked: the origin or a mirror. */
import type { Mirror } from '../config/settings-model.ts';
import { fail, ok } from '../failure.ts';
import type { Pinned, Repository } from '../reference.ts';
import { attachAll, listUnder } from './attach.ts';
import { createBodyLimits } from './body-limits.ts';
import { deleteTag, tagManifest, type Where } from './manifests.ts';
import { createJsonFetcher } from './fetch-json.ts';
import { isMirror, trustedMirrors } from './mirrors.ts';
import type { FetchJson, Registry } from './model.ts';
import { createApiMemory, listReferrers, type ApiMemory } from './referrers.ts';
import type { Rehearsal } from './rehearsal.ts';
import { registryFailure } from './refusal.ts';
import { createRepositories } from './repositories.ts';
import { listTagsOf } from './tags.ts';
import type { UploadRecords } from './upload-records.ts';
import { openWire, type WireSettings } from './open-wire.ts';
import { readWhole } from './whole.ts';

export interface RegistryOptions extends WireSettings {
  /** Where sources can also be read. Destinations are never read from a mirror. */
  readonly mirrors: readonly Mirror[];
  /** What is known of the registries' referrers APIs; nothing when absent. */
  readonly apiMemory?: ApiMemory;
  /** Where uploads are written down, so that a later run can go on with them; nowhere when absent. */
  readonly uploads?: UploadRecords;
  /** Keeps what would be written to itself. */
  readonly rehearsal?: Rehearsal;
}

/** Bytes of a blob that is read into memory, unless told. */
const MAX_BLOB = 16 * 1024 * 1024;

/** A registry over HTTP, which also fetches JSON. */
export interface RemoteRegistry extends Registry {
  readonly fetchJson: FetchJson;
}

export function createRegistry(options: RegistryOptions): RemoteRegistry {
  const { plainHttp, mirrors } = options;
  const { http, wire: real, quota } = openWire({ ...options, spare: (repository) => isMirror(mirrors, repository) });
  const wire = options.rehearsal?.around(real) ?? real;
  const memory = options.apiMemory ?? createApiMemory();
  const limits = createBodyLimits();
  const { head, manifest, content } = createRepositories({
    wire,
    mirrors,
    plainHttp,
    records: options.uploads,
    limits,
  });

  return {
    head,
    manifest,
    content,
    fetchJson: createJsonFetcher({ http, wire, plainHttp }),
    requests: http.requests,
    quota,
    close: () => http.close(),
    referrersApi: (repository) => memory.get(repository),
    referrers: (subject, side) => listReferrers(wire, memory, { ...place(subject), side }, subject.digest),
    tags(repository, side, { pages, exact = false } = {}) {
      const trusted = exact || side === 'destination' ? [] : trustedMirrors(mirrors, repository);
      const places = [...trusted, repository].map((each): Where => ({ ...place(each), side }));
      return listTagsOf(wire, places, pages);
    },
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
      const whole = { bytes: descriptor.size, waited: 0 };
      return wire.retry(repository.registry, async () => {
        const stream = await content(repository, side).blob(descriptor, whole);
        return stream.ok ? { result: await readWhole(stream.value) } : { result: stream, final: true };
      });
    },
    async tag(subject, tag, known) {
      const where: Where = { ...place(subject), side: 'destination' };
      const read = known === undefined ? await manifest(subject, 'destination') : ok(known);
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
      return tagManifest(wire, where, tag, read.value);
    },
    async list(subject, pushed) {
      const where: Where = { ...place(subject), side: 'destination' };
      // Asking once is how it becomes known whether there is an API.
      const asked = memory.get(where) === undefined ? await listReferrers(wire, memory, where, subject.digest) : ok([]);
      if (!asked.ok) return asked;
      return memory.get(where) === true ? ok(undefined) : listUnder({ wire, where, subject }, pushed);
    },
    deleteTag: (target) => deleteTag(wire, { ...place(target), side: 'destination' }, target.tag),
    attach({ repository, ...subject }, attachments, drop = new Set()) {
      return attachAll(
        { wire, memory, limits, where: { ...place(repository), side: 'destination' }, subject },
        attachments,
        drop,
      );
    },
  };
}

function place({ registry, path }: Repository | Pinned): Repository {
  return { registry, path };
}
