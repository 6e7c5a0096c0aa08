/** One {@link Registry} over all places: what is in the file system goes to the layouts, everything else over HTTP. */
import { isLocation, type Repository } from '../reference.ts';
import type { Registry } from './model.ts';

export function routeRegistry(remote: Registry, layouts: Registry): Registry {
  const at = (repository: Repository): Registry => (isLocation(repository) ? layouts : remote);
  return {
    head: (reference, side) => at(reference).head(reference, side),
    manifest: (reference, side) => at(reference).manifest(reference, side),
    readBlob: (repository, ...rest) => at(repository).readBlob(repository, ...rest),
    content: (repository, ...rest) => at(repository).content(repository, ...rest),
    tag: (subject, ...rest) => at(subject).tag(subject, ...rest),
    tags: (repository, ...rest) => at(repository).tags(repository, ...rest),
    referrers: (subject, side) => at(subject).referrers(subject, side),
    attach: (subject, ...rest) => at(subject.repository).attach(subject, ...rest),
    list: (subject, pushed) => at(subject).list(subject, pushed),
    deleteTag: (target) => at(target).deleteTag(target),
    referrersApi: (repository) => at(repository).referrersApi(repository),
    quota: (repository) => at(repository).quota(repository),
    requests: remote.requests,
    async close() {
      await layouts.close();
      await remote.close();
    },
  };
}
