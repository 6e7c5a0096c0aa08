/** Which places are asked for an image, the origin or a mirror, and in what order. */
import type { Mirror } from '../config/settings-model.ts';
import type { Failure, Result } from '../failure.ts';
import { StreamFailure } from '../oci/digest.ts';
import type { Descriptor } from '../oci/model.ts';
import { watched } from '../oci/streams.ts';
import { formatPinned, pin, type Reference, type Repository } from '../reference.ts';
import type { ManifestName, Where } from './manifests.ts';
import { mirrorLocations, trustedMirrors } from './mirrors.ts';
import type { Side } from './model.ts';
import type { Whole } from './whole.ts';

export interface Place {
  readonly where: Where;
  readonly name: ManifestName;
}

/** Never empty; the origin is the last. By digest any place will do, since the bytes prove themselves; a tag is asked only where it is believed. */
export function placesOf(mirrors: readonly Mirror[], reference: Reference, side: Side): readonly Place[] {
  const at = ({ registry, path }: Repository, name: ManifestName): Place => ({ where: { registry, path, side }, name });
  if (reference.kind === 'pinned') {
    const name = { digest: reference.digest };
    return side === 'source'
      ? mirrorLocations(mirrors, reference).map((place) => at(place, name))
      : [at(reference, name)];
  }
  const name = { tag: reference.tag };
  const trusted = side === 'source' ? trustedMirrors(mirrors, reference) : [];
  return [...trusted, reference].map((place) => at(place, name));
}

/** Asks each place in turn; the last one, the origin, has the last word, and says which mirrors failed before it did. */
export async function firstThatHas<T, P = Place>(
  places: readonly P[],
  ask: (place: P) => Promise<Result<T>>,
): Promise<Result<T>> {
  const failed: Failure[] = [];
  for (const each of places.slice(0, -1)) {
    const answer = await ask(each);
    if (answer.ok ? answer.value !== undefined : answer.failure.class === 'cancelled') return answer;
    if (!answer.ok) failed.push(answer.failure);
  }
  const origin = places.at(-1);
  if (origin === undefined) throw new Error('an image is in one place at least');
  const answer = await ask(origin);
  return answer.ok ? answer : { ok: false, failure: withMirrors(answer.failure, failed) };
}

function withMirrors(failure: Failure, mirrors: readonly Failure[]): Failure {
  const [first] = mirrors;
  if (first === undefined || failure.class === 'cancelled') return failure;
  const hint = first.hint ?? failure.hint;
  const message = `${failure.message}; before that, of its mirrors: ${mirrors.map((one) => one.message).join('; ')}`;
  return { ...failure, message, ...(hint === undefined ? {} : { hint }) };
}

/**
 * Opens blobs wherever they are. A mirror whose bytes turn out wrong while they are read is not asked for that blob again, and its failure
 * is transient: another try gets the blob from the next place.
 */
export function createBlobReader(
  open: (where: Where, descriptor: Descriptor, whole?: Whole) => Promise<Result<AsyncIterable<Uint8Array>>>,
) {
  const spoilt = new Set<string>();
  const keyOf = (place: Place, { digest }: Descriptor) => formatPinned(pin(place.where, digest));

  return (
    places: readonly Place[],
    descriptor: Descriptor,
    whole?: Whole,
  ): Promise<Result<AsyncIterable<Uint8Array>>> => {
    const origin = places.at(-1);
    const good = places.filter((place) => place === origin || !spoilt.has(keyOf(place, descriptor)));
    return firstThatHas(good, async (place) => {
      const stream = await open(place.where, descriptor, whole);
      if (!stream.ok || place === origin) return stream;
      return { ok: true, value: onFailure(stream.value, () => void spoilt.add(keyOf(place, descriptor))) };
    });
  };
}

function onFailure(stream: AsyncIterable<Uint8Array>, spoil: () => void): AsyncIterable<Uint8Array> {
  return watched(stream, (chunks) => async () => {
    try {
      return await chunks.next();
    } catch (error) {
      if (!(error instanceof StreamFailure) || error.failure.class === 'cancelled') throw error;
      spoil();
      throw new StreamFailure(transient(error.failure));
    }
  });
}

function transient(failure: Failure): Failure {
  return failure.reason === 'registry' ? { ...failure, class: 'transient' } : failure;
}
