/**
 * Blobs that are sent, by one PUT; after a break the registry is asked how much it has, and gets the rest. Where one request
 * cannot be that large, in parts:
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
import { fail, ok, type Result } from '../failure.ts';
import { askedFor, hasBlob, push, sessionOf, type UploadSession } from './blobs.ts';
import type { HttpResponse } from './http.ts';
import type { Where } from './manifests.ts';
import { refusal, type Asked } from './refusal.ts';
import type { Attempt } from './retry.ts';
import { forget, sendParts, sendRest, sendWhole, type Progress, type Upload } from './upload-requests.ts';
import type { Wire } from './wire.ts';

/** Bytes from which an upload is recorded for a later run. */
const RECORDED = 16 * 1024 * 1024;
/** Bytes that count as getting further, and how often an upload that gets further may break off. */
const STEP = 1024 * 1024;
const BREAKS = 100;

export async function sendBlob(upload: Upload): Promise<Result<void>> {
  const { wire, where, descriptor } = upload;
  const records = descriptor.size >= RECORDED ? upload.records : undefined;
  const limit = upload.limits.of(where.registry);
  const progress: Progress = { session: upload.session, offset: 0, unsure: false, limit, givenUp: 0 };
  const earlier = await records?.take(where, descriptor);
  const kept = earlier === undefined ? undefined : earlierSession(wire, upload, earlier);
  if (kept !== undefined) {
    if (progress.session !== undefined) await cancelUpload(wire, where, progress.session);
    Object.assign(progress, { session: kept, unsure: true });
  }
  const run = { ...upload, records };
  for (let breaks = 1; ; breaks += 1) {
    const before = progress.offset;
    const sent = await wire.retry(where.registry, () => attempt(run, progress));
    // Worth remembering only now: what refused larger ones may have had another reason.
    if (sent.ok && progress.limit < limit) upload.limits.learn(where.registry, progress.limit);
    const further = progress.offset - before >= STEP && breaks < BREAKS;
    if (!sent.ok && sent.failure.class === 'transient' && further) continue;
    await leave(run, progress, sent);
    return sent;
  }
}

/** Ends an upload that nobody will finish, if the registry lets us: it would keep what it has for days. */
export async function cancelUpload(wire: Wire, where: Where, session: UploadSession): Promise<void> {
  const asked: Asked = { side: where.side, registry: where.registry, what: 'to cancel an upload' };
  const answer = await wire.attempt({ ...asked, method: 'DELETE', url: session.url, scopes: push(where) });
  if (answer.result.ok) await answer.result.value.drain();
}

/** An upload that may still be finished is left for the next run, if that will know of it. */
async function leave({ wire, where, descriptor, records }: Upload, progress: Progress, sent: Result<void>) {
  const resumable = records !== undefined && !sent.ok && sent.failure.class !== 'permanent';
  if (resumable) return;
  await records?.remove(where, descriptor);
  if (!sent.ok && sent.failure.class !== 'cancelled' && progress.session !== undefined) {
    await cancelUpload(wire, where, progress.session);
  }
}

async function attempt(upload: Upload, progress: Progress): Promise<Attempt<void>> {
  for (;;) {
    const before = progress.limit;
    const tried = await attemptSize(upload, progress);
    // Refused as too large, which takes no time to mend; the sizes that are tried are few.
    if (tried.result.ok || progress.limit === before || tried.result.failure.class !== 'transient') return tried;
  }
}

async function attemptSize(upload: Upload, progress: Progress): Promise<Attempt<void>> {
  const { wire, where, descriptor, records } = upload;
  const asked = askedFor(where, descriptor, 'to store ');
  if (progress.unsure) {
    const found = await lookAgain(upload, progress);
    if (found !== undefined) return found;
  }
  if (progress.session === undefined) {
    const opened = await openUpload(wire, where, asked);
    if (!opened.result.ok) return { ...opened, result: opened.result };
    progress.session = opened.result.value;
    progress.offset = 0;
  }
  await records?.put(where, descriptor, progress.session.url.href);
  if (descriptor.size - progress.offset > progress.limit) return sendParts(upload, progress, asked);
  return progress.offset === 0 ? sendWhole(upload, progress, asked) : sendRest(upload, progress, asked);
}

/** What the registry has of the blob: all of it, which ends the upload, or so many bytes, or nothing any more. */
async function lookAgain(upload: Upload, progress: Progress): Promise<Attempt<void> | undefined> {
  const { wire, where, descriptor } = upload;
  const { session } = progress;
  if (session === undefined) return undefined;
  const asked = askedFor(where, descriptor, 'to store ');
  const answer = await wire.attempt({ ...asked, method: 'GET', url: session.url, scopes: push(where) });
  if (!answer.result.ok) return { ...answer, result: answer.result };
  const response = answer.result.value;
  await response.drain();
  progress.unsure = false;
  const offset = offsetOf(response);
  if (response.status >= 200 && response.status < 300 && offset !== undefined && offset <= descriptor.size) {
    const next = sessionOf(wire, asked, response);
    Object.assign(progress, { session: next.ok ? next.value : session, offset });
    return undefined;
  }
  forget(progress);
  // Perhaps it is there, and only the answer was lost.
  const there = await hasBlob(wire, where, descriptor);
  return there.ok && there.value ? { result: ok(undefined) } : undefined;
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
  return { result: sessionOf(wire, asked, response.value) };
}

/** The address that an earlier run wrote down, if the registry could give it to us now. */
function earlierSession(wire: Wire, { where, descriptor }: Upload, text: string): UploadSession | undefined {
  const url = wire.follow(askedFor(where, descriptor, 'to store '), text, wire.originOf(where.registry));
  return url.ok ? { url: url.value } : undefined;
}

/** `Range: 0-99` → 100. An empty upload is `0-0` with some, nothing with others; a single byte is sent again. */
function offsetOf(response: HttpResponse): number | undefined {
  const range = response.header('range');
  if (range === undefined) return 0;
  const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(range.trim())?.[1];
  if (end === undefined) return undefined;
  return end === '0' ? 0 : Number(end) + 1;
}
