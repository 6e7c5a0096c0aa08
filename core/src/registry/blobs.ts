/** Blobs: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs */
import { fail, ok, type Result } from '../failure.ts';
import { verified } from '../oci/digest.ts';
import type { Descriptor } from '../oci/model.ts';
import { formatRepository, type Repository } from '../reference.ts';
import type { Scope } from './auth.ts';
import type { StreamBody } from './http.ts';
import type { Where } from './manifests.ts';
import { lied, refusal, registryFailure, type Asked } from './refusal.ts';
import type { Attempt } from './retry.ts';
import type { Wire } from './wire.ts';

/** What an upload sends its bytes to. */
export interface UploadSession {
  readonly url: URL;
}

/** A blob's bytes; the stream throws unless they are what the descriptor says. */
export async function openBlob(
  wire: Wire,
  where: Where,
  descriptor: Descriptor,
): Promise<Result<AsyncIterable<Uint8Array>>> {
  const asked = askedFor(where, descriptor, '');
  const response = await wire.call({ ...asked, method: 'GET', url: blobPath(where, descriptor), scopes: pull(where) });
  if (!response.ok) return response;
  if (response.value.status !== 200) return fail((await refusal(asked, response.value)).failure);
  const wrong = lied(asked, 'size or digest differ');
  const short = registryFailure(asked, 'transient', `${where.registry} broke off in the middle of ${asked.what}`);
  return ok(verified(response.value.stream(), descriptor, (kind) => (kind === 'short' ? short : wrong)));
}

export async function hasBlob(wire: Wire, where: Where, descriptor: Descriptor): Promise<Result<boolean>> {
  const asked = askedFor(where, descriptor, '');
  const response = await wire.call({ ...asked, method: 'HEAD', url: blobPath(where, descriptor), scopes: pull(where) });
  if (!response.ok) return response;
  if (response.value.status === 200) {
    await response.value.drain();
    return ok(true);
  }
  const { absent, failure } = await refusal(asked, response.value);
  return absent ? ok(false) : fail(failure);
}

/**
 * Asks the registry to take the blob from another of its repositories. `session`: it would not, and opened an upload
 * instead, or only said no; either way the bytes have to be sent, which is no failure.
 */
export async function mountBlob(
  wire: Wire,
  where: Where,
  descriptor: Descriptor,
  from: Repository,
): Promise<Result<{ readonly mounted: boolean; readonly session?: UploadSession }>> {
  const asked = askedFor(where, descriptor, 'to mount ');
  const query = new URLSearchParams({ mount: descriptor.digest, from: from.path });
  const scopes: Scope[] = [...push(where), { path: from.path, actions: 'pull' }];
  const response = await wire.call({
    ...asked,
    method: 'POST',
    url: `/v2/${where.path}/blobs/uploads/?${query.toString()}`,
    scopes,
  });
  if (!response.ok) return response.failure.class === 'permanent' ? ok({ mounted: false }) : response;
  await response.value.drain();
  if (response.value.status === 201) return ok({ mounted: true });
  if (response.value.status !== 202) return ok({ mounted: false });
  const url = wire.follow(asked, response.value.header('location'), response.value.url);
  return url.ok ? ok({ mounted: false, session: { url: url.value } }) : url;
}

/** Sends a blob: opens an upload unless `session` is one, then one PUT. After a transient failure it begins anew. */
export async function putBlob(
  wire: Wire,
  where: Where,
  descriptor: Descriptor,
  open: StreamBody['open'],
  session?: UploadSession,
): Promise<Result<void>> {
  let opened = session;
  return wire.retry(where.registry, () => {
    const first = opened;
    // A session that has seen bytes is not used again: what it kept of them is not known.
    opened = undefined;
    return upload(wire, where, descriptor, open, first);
  });
}

async function upload(
  wire: Wire,
  where: Where,
  descriptor: Descriptor,
  open: StreamBody['open'],
  session: UploadSession | undefined,
): Promise<Attempt<void>> {
  const asked = askedFor(where, descriptor, 'to store ');
  const opened = session === undefined ? await openUpload(wire, where, asked) : { result: ok(session) };
  if (!opened.result.ok) return { ...opened, result: opened.result };
  const url = withDigest(opened.result.value.url, descriptor);
  let unread = false;
  const openOnce: StreamBody['open'] = async () => {
    const stream = await open();
    unread = !stream.ok;
    return stream;
  };
  const { result: response, ...wait } = await wire.attempt({
    ...asked,
    method: 'PUT',
    url,
    scopes: push(where),
    // Any other type makes some servers read the body as a form.
    headers: { 'content-type': 'application/octet-stream' },
    body: { open: openOnce, length: descriptor.size },
  });
  if (!response.ok) return { ...wait, result: response, final: unread };
  if (response.value.status !== 201) return { result: fail((await refusal(asked, response.value)).failure) };
  await response.value.drain();
  return { result: ok(undefined) };
}

async function openUpload(wire: Wire, where: Where, asked: Asked): Promise<Attempt<UploadSession>> {
  const { result: response, ...wait } = await wire.attempt({
    ...asked,
    method: 'POST',
    url: `/v2/${where.path}/blobs/uploads/`,
    scopes: push(where),
  });
  if (!response.ok) return { ...wait, result: response };
  if (response.value.status !== 202) return { result: fail((await refusal(asked, response.value)).failure) };
  await response.value.drain();
  const url = wire.follow(asked, response.value.header('location'), response.value.url);
  return { result: url.ok ? ok({ url: url.value }) : url };
}

/** The session's own query must stay as it is: it may be signed. */
function withDigest(session: URL, descriptor: Descriptor): URL {
  const url = new URL(session);
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(descriptor.digest)}`;
  return url;
}

function blobPath(where: Where, descriptor: Descriptor): string {
  return `/v2/${where.path}/blobs/${descriptor.digest}`;
}

function pull({ path }: Repository): readonly Scope[] {
  return [{ path, actions: 'pull' }];
}

function push({ path }: Repository): readonly Scope[] {
  return [{ path, actions: 'pull,push' }];
}

function askedFor(where: Where, descriptor: Descriptor, verb: string): Asked {
  return {
    side: where.side,
    registry: where.registry,
    what: `${verb}the blob ${formatRepository(where)}@${descriptor.digest}`,
  };
}
