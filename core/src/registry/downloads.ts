/**
 * Blobs that are read. A download that breaks off goes on where it stopped, as often as it gets further:
 * https://www.rfc-editor.org/rfc/rfc9110#field.range
 */
import { fail, ok, type Failure, type Result } from '../failure.ts';
import { StreamFailure, verified } from '../oci/digest.ts';
import type { Descriptor } from '../oci/model.ts';
import { isPrivate, withPort } from './address.ts';
import { askedFor, blobPath, lengthOf, pull } from './blobs.ts';
import { without } from './chunks.ts';
import type { HttpResponse } from './http.ts';
import type { Where } from './manifests.ts';
import { lied, oddHint, pageHint, refusal, registryFailure, type Asked } from './refusal.ts';
import type { Whole } from './whole.ts';
import type { Wire } from './wire.ts';

/** A download that breaks off is resumed this often, and as often again whenever at least STEP bytes have come in between. */
const STEP = 1024 * 1024;
const TRIES = 3;

/** Addresses of one foreign layer that are asked. */
const MAX_ADDRESSES = 8;

type Chunks = AsyncIterator<Uint8Array>;
/** Asks for the bytes from `start` on; gives them from there on, whatever the server sends. */
type Ask = (start: number) => Promise<Result<Chunks>>;

/** A blob's bytes; the stream throws unless they are what the descriptor says. */
export async function openBlob(
  wire: Wire,
  where: Where,
  descriptor: Descriptor,
  whole?: Whole,
): Promise<Result<AsyncIterable<Uint8Array>>> {
  const asked = askedFor(where, descriptor, '');
  const call = {
    ...asked,
    method: 'GET' as const,
    url: blobPath(where, descriptor),
    scopes: pull(where),
    ...(whole === undefined ? {} : { whole }),
  };
  const get = async (start: number, again = true): Promise<Result<Chunks>> => {
    const response = await wire.call({ ...call, headers: fromByte(start) });
    if (!response.ok) return response;
    const elsewhere = response.value.url.host !== wire.originOf(where.registry).host;
    if (again && elsewhere && response.value.status >= 400) {
      // Addresses of storage are good for a while only: the registry gives a new one.
      await response.value.drain();
      return get(start, false);
    }
    if (response.value.status === 404) return fail(await lacked(asked, response.value));
    return read(asked, response.value, start, descriptor.size);
  };
  return check(asked, descriptor, get);
}

/** A blob is asked for only when its manifest was found, so the name is right, and the image incomplete. */
async function lacked(asked: Asked, response: HttpResponse): Promise<Failure> {
  const hint = `the image is incomplete at ${asked.registry}, which lacks a part that its manifest names: push it there again`;
  return { ...(await refusal(asked, response)).failure, hint };
}

/**
 * A layer that registries only point to, from where it is published, without any credentials. The addresses come from
 * whoever made the image: only HTTPS, or hosts that the settings name, and nothing in a private network.
 */
export async function openForeignBlob(
  wire: Wire,
  where: Where,
  descriptor: Descriptor,
  plainHttp: (host: string) => boolean,
): Promise<Result<AsyncIterable<Uint8Array>>> {
  const asked = { ...askedFor(where, descriptor, ''), what: `the foreign layer ${descriptor.digest}` };
  let last = registryFailure(asked, 'permanent', `${asked.what} has no address that may be asked`, {
    hint: 'its manifest must name an HTTPS address that is not in a private network',
  });
  for (const text of descriptor.urls?.slice(0, MAX_ADDRESSES) ?? []) {
    const url = URL.parse(text);
    if (url === null || url.username !== '' || url.password !== '') continue;
    const clear = url.protocol === 'http:';
    const named = plainHttp(clear ? withPort(url.host, true) : url.host);
    if (clear ? !named : url.protocol !== 'https:' || (isPrivate(url.hostname) && !named)) continue;
    const from = { ...asked, registry: url.host };
    const get: Ask = async (start) => {
      const headers = fromByte(start);
      const response = await wire.call({ ...from, method: 'GET', url, scopes: [], headers, anonymous: true });
      return response.ok ? read(from, response.value, start, descriptor.size) : response;
    };
    const opened = await check(from, descriptor, get);
    if (opened.ok || opened.failure.reason !== 'registry') return opened;
    last = opened.failure;
  }
  return fail(last);
}

async function check(asked: Asked, descriptor: Descriptor, ask: Ask): Promise<Result<AsyncIterable<Uint8Array>>> {
  const first = await ask(0);
  if (!first.ok) return first;
  const wrong = lied(asked, 'size or digest differ');
  const short = registryFailure(asked, 'transient', `${asked.registry} broke off in the middle of ${asked.what}`, {
    hint: 'check the network and the registry, then run again',
  });
  return ok(
    verified(continued(first.value, descriptor.size, ask), descriptor, (kind) => (kind === 'short' ? short : wrong)),
  );
}

async function read(asked: Asked, response: HttpResponse, start: number, size: number): Promise<Result<Chunks>> {
  const { status } = response;
  const length = status === 200 ? lengthOf(response) : undefined;
  if (length !== undefined && length !== size) {
    // Nothing broke off: this is what there is, and asking again brings the same.
    await response.drain();
    const hint = pageHint(response.header('content-type'), asked.registry);
    return fail({
      ...lied(asked, `it has ${length} bytes, and not ${size}`),
      ...(hint === undefined ? {} : { hint }),
    });
  }
  // A server that knows no ranges begins again: what came already is read once more and left out.
  if (status === 200) return ok(without(start, response.stream())[Symbol.asyncIterator]());
  if (status === 416 && start > 0) {
    await response.drain();
    return fail(lied(asked, `it ends after ${start} bytes of ${size}`));
  }
  if (status !== 206 || start === 0) return fail((await refusal(asked, response)).failure);
  const range = response.header('content-range');
  if (range === undefined || !isRest(range, start, size)) {
    await response.drain();
    const message = `${asked.registry} sent another part than asked of ${asked.what}`;
    return fail(registryFailure(asked, 'permanent', message, { hint: oddHint(asked.registry) }));
  }
  return ok(response.stream()[Symbol.asyncIterator]());
}

function fromByte(start: number): { readonly range?: string } {
  return start === 0 ? {} : { range: `bytes=${start}-` };
}

/** `bytes 100-999/1000`: from where we asked, and of a whole that is as long as it should be. */
function isRest(range: string, start: number, size: number): boolean {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range.trim()) ?? [];
  return Number(first) === start && (total === '*' || Number(total) === size);
}

/** The same bytes as if it had never broken off. */
function continued(first: Chunks, size: number, ask: Ask): AsyncIterable<Uint8Array> {
  let chunks = first;
  let position = 0;
  let resumedAt = 0;
  let tries = 0;

  /** True: there is more to read. False: it ends here, whole or not. */
  async function resume(): Promise<boolean> {
    if (position - resumedAt >= STEP) tries = 0;
    if (position >= size || tries >= TRIES) return false;
    tries += 1;
    resumedAt = position;
    const rest = await ask(position);
    if (!rest.ok) throw new StreamFailure(rest.failure);
    chunks = rest.value;
    return true;
  }

  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        for (;;) {
          try {
            const step = await chunks.next();
            if (step.done === true && position < size && (await resume())) continue;
            if (step.done !== true) position += step.value.byteLength;
            return step;
          } catch (error) {
            const mayHelp = error instanceof StreamFailure && error.failure.class === 'transient';
            if (!mayHelp || !(await resume())) throw error;
          }
        }
      },
      async return() {
        await chunks.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}
