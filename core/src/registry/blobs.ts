/** Questions about blobs: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs */
import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { Descriptor } from '../oci/model.ts';
import { formatRepository, sameRepository, type Repository } from '../reference.ts';
import type { Scope } from './auth.ts';
import type { HttpResponse } from './http.ts';
import { NO_HEAD, otherStored, type Where } from './manifests.ts';
import { refusal, type Asked } from './refusal.ts';
import type { Wire } from './wire.ts';

/** What an upload sends its bytes to. Whoever knows the address may write to it: it is never shown. */
export interface UploadSession {
  readonly url: URL;
  /** Bytes that each part of an upload in parts has to have, but the last. */
  readonly minimum?: number;
}

/**
 * A blob of another size than the descriptor says counts as missing: sending it again shows whether the registry has only half of it, or
 * the descriptor lies. So does a blob of a host that knows no HEAD.
 */
export async function hasBlob(wire: Wire, where: Where, descriptor: Descriptor): Promise<Result<boolean>> {
  const state = await blobState(wire, where, descriptor);
  return state.ok ? ok(state.value === 'there') : state;
}

/** `unasked`: the host knows no HEAD. */
export async function blobState(
  wire: Wire,
  where: Where,
  descriptor: Descriptor,
): Promise<Result<'there' | 'absent' | 'unasked'>> {
  const asked = askedFor(where, descriptor, '');
  const response = await wire.call({ ...asked, method: 'HEAD', url: blobPath(where, descriptor), scopes: pull(where) });
  if (!response.ok) return response;
  if (response.value.status === 200) {
    await response.value.drain();
    const length = lengthOf(response.value);
    // To a HEAD, 0 is also said by what knows no better.
    return ok(length === undefined || length === 0 || length === descriptor.size ? 'there' : 'absent');
  }
  const { absent, failure } = await refusal(asked, response.value);
  if (NO_HEAD.has(response.value.status)) return ok('unasked');
  return absent ? ok('absent') : fail(failure);
}

/** Bytes of all of it, as the answer says; undefined where it does not, or says it of packed bytes. */
export function lengthOf({ header }: HttpResponse): number | undefined {
  const length = Number(header('content-length') ?? Number.NaN);
  return header('content-encoding') !== undefined || Number.isNaN(length) ? undefined : length;
}

/**
 * Asks the registry to take the blob from another of its repositories. If `from` is the repository itself, the answer says whether the blob
 * is there. That it was not mounted is no failure: the bytes have to be sent, to `session` if the registry opened an upload.
 */
export async function mountBlob(
  wire: Wire,
  where: Where,
  descriptor: Descriptor,
  from: Repository,
): Promise<Result<{ readonly mounted: boolean; readonly session?: UploadSession }>> {
  const asked = askedFor(where, descriptor, 'to mount ');
  const query = new URLSearchParams({ mount: descriptor.digest, from: from.path });
  const reading: readonly Scope[] = sameRepository(where, from) ? [] : [{ path: from.path, actions: 'pull' }];
  const response = await wire.call({
    ...asked,
    method: 'POST',
    url: `/v2/${where.path}/blobs/uploads/?${query.toString()}`,
    scopes: [...push(where), ...reading],
  });
  if (!response.ok) return isRefusal(response.failure) ? ok({ mounted: false }) : response;
  await response.value.drain();
  const { status } = response.value;
  if (status === 201) return ok({ mounted: otherStored(response.value, descriptor.digest) === undefined });
  const session = status === 202 ? sessionOf(wire, asked, response.value) : undefined;
  return ok({ mounted: false, ...(session?.ok === true ? { session: session.value } : {}) });
}

/** Server errors too: some registries fail at every mount. If the registry is really down, sending the bytes will show it. */
function isRefusal(failure: Failure): boolean {
  if (failure.class === 'permanent') return true;
  return failure.reason === 'registry' && failure.status !== undefined && failure.status >= 500;
}

/** Where the registry wants the next bytes of an upload. */
export function sessionOf(wire: Wire, asked: Asked, response: HttpResponse): Result<UploadSession> {
  const url = wire.follow(asked, response.header('location'), response.url);
  if (!url.ok) return url;
  // https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
  const minimum = Number(response.header('oci-chunk-min-length') ?? Number.NaN);
  return ok({ url: url.value, ...(Number.isSafeInteger(minimum) && minimum > 0 ? { minimum } : {}) });
}

export function blobPath(where: Where, descriptor: Descriptor): string {
  return `/v2/${where.path}/blobs/${descriptor.digest}`;
}

export function pull({ path }: Repository): readonly Scope[] {
  return [{ path, actions: 'pull' }];
}

export function push({ path }: Repository): readonly Scope[] {
  return [{ path, actions: 'pull,push' }];
}

export function askedFor(where: Where, descriptor: Descriptor, verb: string): Asked {
  return {
    side: where.side,
    registry: where.registry,
    what: `${verb}the blob ${formatRepository(where)}@${descriptor.digest}`,
  };
}
