/** Where an image's bytes can be read besides its own registry. Pure. */
import type { Mirror } from '../config/settings-model.ts';
import { parseRepository, pin, type Pinned, type Repository } from '../reference.ts';

/** Where to read `pinned`, in order: every mirror that covers it, then its origin. All name the same digest. */
export function mirrorLocations(mirrors: readonly Mirror[], pinned: Pinned): readonly [Pinned, ...Pinned[]] {
  const places = covering(mirrors, pinned).map(({ repository }) => pin(repository, pinned.digest, pinned.tag));
  const [first, ...others] = [...places, pinned];
  // The list ends with the origin, so there is a first.
  return [first ?? pinned, ...others];
}

/** The mirrors that may say what a tag of `repository` names, in order; the origin is not among them. */
export function trustedMirrors(mirrors: readonly Mirror[], repository: Repository): readonly Repository[] {
  return covering(mirrors, repository)
    .filter(({ mirror }) => mirror.trusted)
    .map((each) => each.repository);
}

/** Whether what is read there is only in place of an origin. */
export function isMirror(mirrors: readonly Mirror[], { registry, path }: Repository): boolean {
  const name = `${registry}/${path}`;
  return mirrors.some(({ mirror }) => isUnder(name, trimmed(mirror)));
}

function covering(
  mirrors: readonly Mirror[],
  { registry, path }: Repository,
): readonly { readonly mirror: Mirror; readonly repository: Repository }[] {
  const name = `${registry}/${path}`;
  return mirrors.flatMap((mirror) => {
    const source = trimmed(mirror.source);
    if (!isUnder(name, source)) return [];
    const repository = parseMirror(`${trimmed(mirror.mirror)}${name.slice(source.length)}`);
    return repository === undefined ? [] : [{ mirror, repository }];
  });
}

/** By whole parts of the path: `docker.io/lib/x` is under `docker.io/lib`, `docker.io/library/x` is not. */
function isUnder(name: string, prefix: string): boolean {
  return name === prefix || name.startsWith(`${prefix}/`);
}

function trimmed(prefix: string): string {
  return prefix.replace(/\/+$/, '');
}

/** A mirror is always written with its host; read as a short name it would mean Docker Hub. */
function parseMirror(text: string): Repository | undefined {
  const parsed = parseRepository(text);
  return parsed.ok && `${parsed.value.registry}/${parsed.value.path}` === text ? parsed.value : undefined;
}
