/**
 * What copying takes and leaves: an image in a registry, `oci:DIR[:tag]` or `oci-archive:FILE[:tag]`. A location in the file
 * system is a {@link Reference} whose registry is a scheme that no host can be, so that everything that works on references works
 * on it too. Only who may name files reads names with this; `parseReference` knows registries alone.
 */
import { posix } from 'node:path';
import { configFailure, fail, ok, type ConfigFailure, type Result } from './failure.ts';
import {
  archiveScheme,
  formatRepository,
  isLocation,
  layoutScheme,
  parseReference,
  parseRepository,
  type Reference,
  type Repository,
} from './reference.ts';

/** What follows is a port: then `oci` is the name of a host. */
const PORT = /^[0-9]{1,5}\//;
const MAX_PATH = 4096;

/** `oci:./mirror/alpine:3.20` → tagged, its path `mirror/alpine`; what has no scheme is read by `parseReference`. */
export function parseLocation(text: string): Result<Reference, ConfigFailure> {
  const scheme = locationScheme(text);
  if (scheme === undefined) return parseReference(text);
  const rest = text.slice(scheme.length);
  const end = nameEnd(rest);
  const place = parsePlace(`${scheme}${rest.slice(0, end)}`);
  if (!place.ok) return place;
  // Tag and digest are those of any reference; a stand-in takes the place of what comes before them.
  const named = parseReference(`stand.in/x${rest.slice(end)}`);
  if (!named.ok) {
    const { message, hint } = named.failure;
    return fail(configFailure(message.replaceAll(`stand.in/x${rest.slice(end)}`, text), hint));
  }
  return ok({ ...named.value, ...place.value });
}

/** A repository, or the folder or file of a location without its tag. */
export function parsePlace(text: string): Result<Repository, ConfigFailure> {
  const scheme = locationScheme(text);
  if (scheme === undefined) return parseRepository(text);
  const written = text.slice(scheme.length);
  const what = scheme === layoutScheme ? 'folder' : 'file';
  const path = posix.normalize(written).replace(/(?<=.)\/+$/, '');
  const problem = pathProblem(written, path, what);
  if (problem !== undefined) return fail(configFailure(`${JSON.stringify(text)} ${problem}`, example(scheme)));
  if (written.startsWith('//')) {
    const hint = `leave out "${scheme}//" of a registry; a ${what} has one slash at most, as ${scheme}${path}`;
    return fail(configFailure(`${JSON.stringify(text)} is a registry to some tools, and a ${what} to others`, hint));
  }
  return ok({ registry: scheme, path });
}

/**
 * The same place under one name: an absolute path into `folder`, to which relative ones are relative, becomes relative. What is in
 * a registry is given back as it is.
 */
export function settleLocation<T extends Repository>(reference: T, folder: string): T {
  if (!isLocation(reference) || !reference.path.startsWith('/')) return reference;
  const relative = posix.relative(folder, reference.path);
  if (relative === '..' || relative.startsWith('../')) return reference;
  return { ...reference, path: relative === '' ? '.' : relative };
}

/** What a failure calls the place: a registry's host, or the location itself. */
export function placeName(repository: Repository): string {
  return isLocation(repository) ? formatRepository(repository) : repository.registry;
}

/** `oci:` or `oci-archive:`; undefined: it names something in a registry. */
export function locationScheme(text: string): string | undefined {
  return [layoutScheme, archiveScheme].find((each) => text.startsWith(each) && !PORT.test(text.slice(each.length)));
}

/** Where the path ends and the tag or the digest begins. */
function nameEnd(rest: string): number {
  const at = rest.indexOf('@');
  const name = at < 0 ? rest : rest.slice(0, at);
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? colon : name.length;
}

function pathProblem(written: string, path: string, what: 'folder' | 'file'): string | undefined {
  if (written === '') return `names no ${what}`;
  if (written.length > MAX_PATH) return `is longer than ${MAX_PATH} characters`;
  if (/\p{Cc}/u.test(written) || !written.isWellFormed()) return 'has a control character';
  // Links decide what ".." means, and a config should not reach out of its folder unless it says so in full.
  if (written.split('/').includes('..')) return 'has ".." in its path';
  // Other tools take the first of these for the end of the path.
  if (/[:@]/.test(path)) return `has ":" or "@" in the path of the ${what}`;
  if (what === 'file' && (written.endsWith('/') || path === '.' || path === '/')) return 'names a folder, not a file';
  return path === '/' ? 'is the root of the file system' : undefined;
}

function example(scheme: string): string {
  return scheme === layoutScheme
    ? 'for example oci:./mirror/alpine:3.20, or oci:/mnt/usb/alpine:3.20'
    : 'for example oci-archive:./alpine.tar:3.20, or oci-archive:/mnt/usb/alpine.tar:3.20';
}
