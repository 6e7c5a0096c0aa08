/**
 * What a name stands for at a source, asked by HEAD, which is no pull. Some registries, and what stands before them, refuse HEAD, or
 * deny by it what they serve by GET: there one GET has the last word.
 */
import { ok, type Result } from '../failure.ts';
import type { ManifestContent } from '../oci/model.ts';
import { askHead, headOf } from './manifests.ts';
import type { Head } from './model.ts';
import type { Place } from './places.ts';
import type { Wire } from './wire.ts';

/** Statuses of a HEAD that tell nothing of how a GET would be answered, beside 404 and those of servers that know no HEAD. */
const REFUSED: ReadonlySet<number | undefined> = new Set([400, 403, 406, 415, 500]);
/** Names under which signatures and the like may be kept, or not: a HEAD that denies them is believed. */
const OPTIONAL = /^sha(?:256|512)-[0-9a-f]{64}/;

/** `last`: there is no other place to be asked after this one. */
export type HeadAtSource = (place: Place, last: boolean) => Promise<Result<Head | undefined>>;

/** `read` is by GET. */
export function createHeadAtSource(
  wire: Wire,
  read: (place: Place) => Promise<Result<ManifestContent | undefined>>,
): HeadAtSource {
  /** Repositories of each registry for which it has answered a HEAD well. */
  const served = new Map<string, Set<string>>();
  /** Registries that gave by GET what they had not given by HEAD. */
  const useless = new Set<string>();
  /** What neither a HEAD nor a GET has found. */
  const lacking = new Set<string>();

  return async (place, last) => {
    const { registry, path } = place.where;
    if (useless.has(registry) && !served.has(registry)) return headOf(await read(place));
    const said = await askHead(wire, place.where, place.name);
    if (said.ok && typeof said.value === 'object') {
      served.set(registry, (served.get(registry) ?? new Set()).add(path));
      return ok(said.value);
    }
    const absent = said.ok && said.value === undefined;
    const text = 'tag' in place.name ? place.name.tag : place.name.digest;
    const name = `${registry}/${path} ${text}`;
    // A mirror may lack anything, and where a HEAD was answered it is believed.
    const isBelieved = !last || OPTIONAL.test(text) || lacking.has(name) || served.get(registry)?.has(path) === true;
    if (absent && isBelieved) return ok(undefined);
    if (!said.ok && !isRefused(said)) return said;
    const content = await read(place);
    // If HEAD said that it is not there, that stands: a failed GET, as by a limit of pulls, does not say otherwise.
    if (!content.ok) return absent ? ok(undefined) : content;
    if (content.value === undefined) lacking.add(name);
    // What is transient may be otherwise for the next, and each GET counts as a pull.
    if (content.value !== undefined && (said.ok || said.failure.class === 'permanent')) useless.add(registry);
    return headOf(content);
  };
}

function isRefused(said: Result<unknown>): boolean {
  return !said.ok && said.failure.reason === 'registry' && REFUSED.has(said.failure.status);
}
