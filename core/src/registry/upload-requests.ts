/** The requests of an upload that carry bytes, and what their answers mean for how far it has come. */
import { fail, ok, type Result } from '../failure.ts';
import type { Descriptor } from '../oci/model.ts';
import { askedFor, blobState, hasBlob, push, sessionOf, type UploadSession } from './blobs.ts';
import { smallerBody, type BodyLimits } from './body-limits.ts';
import { counted, inPieces, without } from './chunks.ts';
import type { HttpResponse, StreamBody } from './http.ts';
import { otherStored, type Where } from './manifests.ts';
import { oddHint, refusal, registryFailure, storedOther, thing, type Asked } from './refusal.ts';
import type { Attempt } from './retry.ts';
import { givingBack } from './spent.ts';
import type { UploadRecords } from './upload-records.ts';
import type { Wire } from './wire.ts';

/**
 * Statuses of a proxy that did not wait for the end of an upload. Once may be an accident; after the second, smaller requests are tried.
 */
const GATEWAY: ReadonlySet<number | undefined> = new Set([502, 504]);

export interface Upload {
  readonly wire: Wire;
  readonly where: Where;
  readonly descriptor: Descriptor;
  /** Gives the whole blob, each time from its beginning. */
  readonly open: StreamBody['open'];
  /** An upload that is open already. */
  readonly session?: UploadSession | undefined;
  readonly records?: UploadRecords | undefined;
  readonly limits: BodyLimits;
  /** The chunks that `open` gives belong to nobody else: their memory may be given back when they are sent. */
  readonly disposable?: boolean;
}

/** How far an upload has come. */
export interface Progress {
  session: UploadSession | undefined;
  /** Bytes that the registry has. */
  offset: number;
  /** Bytes were sent since the registry was last asked what it has. */
  unsure: boolean;
  /** Bytes that one request may have. */
  limit: number;
  /** How often what stands before the registry gave up on a request of that size. */
  givenUp: number;
}

export async function sendWhole(upload: Upload, progress: Progress, asked: Asked): Promise<Attempt<void>> {
  const { wire, where, descriptor } = upload;
  const session = opened(progress);
  // Nothing is sent before the source's first bytes have come: a registry gives up on those who keep it waiting.
  const body = bodyFrom(upload, progress, 0);
  const answer = await wire.attempt({
    ...asked,
    method: 'PUT',
    url: withDigest(session.url, descriptor),
    scopes: push(where),
    // Any other type makes some servers read the body as a form.
    headers: { 'content-type': 'application/octet-stream' },
    body,
  });
  return finished(upload, progress, answer, body);
}

export async function sendRest(upload: Upload, progress: Progress, asked: Asked): Promise<Attempt<void>> {
  const { wire, where, descriptor } = upload;
  const { size } = descriptor;
  const { offset } = progress;
  const session = opened(progress);
  let next = session;
  if (offset < size) {
    const body = bodyFrom(upload, progress, offset);
    const headers = { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${size - 1}` };
    const call = { ...asked, method: 'PATCH' as const, url: session.url, scopes: push(where), headers, body };
    const { result: answer, ...wait } = await wire.attempt(call);
    if (!answer.ok) return { ...wait, result: answer, final: body.unread() };
    if (!isTaken(answer.value)) return finished(upload, progress, { ...wait, result: answer }, body);
    const moved = await after(upload, session, answer.value, body, asked);
    if (!moved.ok) return { result: moved };
    next = moved.value;
    Object.assign(progress, { session: next, offset: size });
  }
  return sendEnd(upload, progress, asked, next);
}

/** Some say of a part what should be said of the whole: that it is stored. */
function isTaken({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

/** Where the upload goes on after a part; where it was, unless told. */
async function after(
  { wire }: Upload,
  session: UploadSession,
  answer: HttpResponse,
  body: Body,
  asked: Asked,
): Promise<Result<UploadSession>> {
  await answer.drain();
  if (!body.whole()) return fail(early(asked, 'transient'));
  return answer.header('location') === undefined ? ok(session) : sessionOf(wire, asked, answer);
}

async function sendEnd(
  upload: Upload,
  progress: Progress,
  asked: Asked,
  { url }: UploadSession,
): Promise<Attempt<void>> {
  const { wire, where, descriptor } = upload;
  const end = { ...asked, method: 'PUT' as const, url: withDigest(url, descriptor), scopes: push(where) };
  return finished(upload, progress, await wire.attempt(end));
}

/** From one reading of the source: each request takes its part of it. */
export async function sendParts(upload: Upload, progress: Progress, asked: Asked): Promise<Attempt<void>> {
  const { wire, where, descriptor } = upload;
  const { size } = descriptor;
  const stream = await upload.open();
  if (!stream.ok) return { result: stream, final: true };
  const source = inPieces(without(progress.offset, stream.value));
  try {
    while (progress.offset < size) {
      const { offset } = progress;
      const session = opened(progress);
      const length = Math.min(progress.limit, size - offset);
      const body = partOf(source.take(length), length, asked);
      progress.unsure = true;
      const { result: answer, ...wait } = await wire.attempt({
        ...asked,
        method: 'PATCH',
        url: session.url,
        scopes: push(where),
        headers: { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${offset + length - 1}` },
        body,
      });
      if (!answer.ok || !isTaken(answer.value))
        return await finished(upload, progress, { ...wait, result: answer }, body);
      const moved = await after(upload, session, answer.value, body, asked);
      if (!moved.ok) return { result: moved };
      Object.assign(progress, { session: moved.value, offset: offset + length, unsure: false });
    }
  } finally {
    await source.close();
  }
  const session = opened(progress);
  return sendEnd(upload, progress, asked, session);
}

/** This body can be read only once: before another try, the registry is asked what it has. */
function partOf(stream: AsyncIterable<Uint8Array>, length: number, asked: Asked): Body {
  let given: number | undefined;
  return {
    length,
    unread: () => false,
    whole: () => given === length,
    open: async () => {
      if (given !== undefined)
        return fail(registryFailure(asked, 'transient', `${asked.registry} asks again for a part of ${thing(asked)}`));
      given = 0;
      const count = (bytes: number) => void (given = (given ?? 0) + bytes);
      return ok(counted(stream, count));
    },
  };
}

/** Reads the answer that ends an upload. */
async function finished(
  upload: Upload,
  progress: Progress,
  { result: answer, ...wait }: Attempt<HttpResponse>,
  body?: Body,
): Promise<Attempt<void>> {
  const { where, descriptor } = upload;
  const asked = askedFor(where, descriptor, 'to store ');
  if (!answer.ok) {
    progress.unsure = true;
    const { failure } = answer;
    if (failure.reason === 'registry' && GATEWAY.has(failure.status) && (progress.givenUp += 1) > 1)
      shrink(progress, body);
    return { ...wait, result: answer, final: body?.unread() === true };
  }
  const { status } = answer.value;
  if (status === 201) {
    await answer.value.drain();
    const other = otherStored(answer.value, descriptor.digest);
    if (other !== undefined) return { result: fail(storedOther(asked, descriptor.digest, other)) };
    return { result: body?.whole() === false ? await saidEarly(upload, asked) : ok(undefined) };
  }
  if (isTaken(answer.value)) {
    // Said otherwise than the specification has it: then what counts is whether it is there.
    await answer.value.drain();
    return { result: await isStored(upload, asked, status) };
  }
  const { failure } = await refusal(asked, answer.value);
  if (status === 413 && !shrink(progress, body)) return { result: fail(failure) };
  // It says that it has another number of bytes than we think, or it has seen none of these: it will tell how many it has.
  if (status === 416 || status === 413) progress.unsure = true;
  // It has forgotten the upload, or what it has kept of an earlier try is no use.
  else if (status === 404 || progress.offset > 0) forget(progress);
  else return { result: fail(failure) };
  return { result: fail({ ...failure, class: 'transient' }) };
}

/** The registry said that it is stored before it had all bytes. That is right only if it had the blob already. */
async function saidEarly({ wire, where, descriptor }: Upload, asked: Asked): Promise<Result<void>> {
  const there = await hasBlob(wire, where, descriptor);
  if (!there.ok) return there;
  return there.value ? ok(undefined) : fail(early(asked, 'permanent'));
}

async function isStored({ wire, where, descriptor }: Upload, asked: Asked, status: number): Promise<Result<void>> {
  const state = await blobState(wire, where, descriptor);
  if (!state.ok) return state;
  const message = `${asked.registry} answers ${status} to all of ${thing(asked)}, and does not have it`;
  return state.value === 'absent'
    ? fail(registryFailure(asked, 'transient', message, { status, hint: oddHint(asked.registry) }))
    : ok(undefined);
}

function early(asked: Asked, kind: 'transient' | 'permanent') {
  return registryFailure(asked, kind, `${asked.registry} says that it has ${thing(asked)} before all of it was sent`);
}

/** Whether a smaller request is worth a try. */
function shrink(progress: Progress, body: Body | undefined): boolean {
  const smaller = body === undefined ? undefined : smallerBody(body.length, progress.session?.minimum);
  if (smaller === undefined) return false;
  Object.assign(progress, { limit: smaller, givenUp: 0 });
  return true;
}

function opened({ session }: Progress): UploadSession {
  if (session === undefined) throw new Error('an upload has a session');
  return session;
}

export function forget(progress: Progress): void {
  Object.assign(progress, { session: undefined, offset: 0, unsure: false });
}

interface Body extends StreamBody {
  /** The source could not be opened. */
  readonly unread: () => boolean;
  /** All of it was read, or none. The source gives its last bytes only when the whole has the right digest. */
  readonly whole: () => boolean;
}

/** The blob from `start` on. It is read from its beginning, since only the whole proves that it is the right one. */
function bodyFrom(upload: Upload, progress: Progress, start: number): Body {
  const length = upload.descriptor.size - start;
  let unread = false;
  let given: number | undefined;
  return {
    length,
    unread: () => unread,
    whole: () => given === undefined || given === length,
    open: async () => {
      const stream = await upload.open();
      unread = !stream.ok;
      if (!stream.ok) return stream;
      progress.unsure = true;
      given = 0;
      const count = (bytes: number) => void (given = (given ?? 0) + bytes);
      const rest = counted(without(start, stream.value), count);
      return ok(upload.disposable === true ? givingBack(rest) : rest);
    },
  };
}

/** The session's own query must stay as it is: it may be signed. */
function withDigest(session: URL, descriptor: Descriptor): URL {
  const url = new URL(session);
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(descriptor.digest)}`;
  return url;
}
