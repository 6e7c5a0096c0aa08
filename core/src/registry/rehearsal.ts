/**
 * A dress rehearsal: reads go to the registry, while writes stay in here and are found again by later reads. So the very code that copies
 * tells what a copy would cost. The registry is taken to do what the specification says: a mount from the repository itself tells whether a
 * blob is there, and what one repository of a host has, another can mount.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { ok, type Result } from '../failure.ts';
import { fields } from '../config/fields.ts';
import { digestLike, sha256 } from '../oci/digest.ts';
import { parseJson } from '../oci/parse.ts';
import { oneChunk, openedLate } from '../oci/streams.ts';
import { isLocation, parseDigest, type Digest, type Repository } from '../reference.ts';
import type { HttpResponse, StreamBody } from './http.ts';
import type { Registry } from './model.ts';
import { withoutBody } from './response.ts';
import { rehearseLayouts } from './rehearsed-layouts.ts';
import { readWhole } from './whole.ts';
import type { Call, Wire } from './wire.ts';

/** What work would cost. */
export interface Tally {
  /** By host, as references name it. Tokens, redirects and what has to be tried again come on top. */
  readonly requests: Map<string, number>;
  /** Manifests read from Docker Hub. */
  pulls: number;
  /** Blobs that would be sent, and their bytes. */
  blobs: number;
  bytes: number;
}

export interface Rehearsal {
  /** Counts what `work` would cost, where `source` is what it copies from. */
  count<T>(source: Repository, work: () => Promise<T>): Promise<{ readonly value: T; readonly tally: Tally }>;
  /** In place of the wire of a registry client. */
  around(wire: Wire): Wire;
  /** In place of the registry of layouts and archives. */
  layouts(layouts: Registry): Registry;
}

/** Opens the bytes that would have been sent, for a later read. */
type Open = StreamBody['open'];

interface Kept {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly digest: Digest;
}

/** The last part of the path of an upload that exists only here. */
const UPLOAD = 'rehearsed';

interface Counting {
  readonly tally: Tally;
  readonly source: Repository;
  /** The registry that gave the last manifest of the source: a mirror, or its own. Its blobs are read there. */
  from?: string;
}

export function createRehearsal(): Rehearsal {
  const current = new AsyncLocalStorage<Counting | undefined>();
  /** By place and tag or digest. */
  const manifests = new Map<string, Kept>();
  /** By place and digest. */
  const blobs = new Map<string, Open>();

  return {
    layouts: (layouts) => rehearseLayouts(layouts, (size) => counted(size, true)),
    async count(source, work) {
      const tally: Tally = { requests: new Map(), pulls: 0, blobs: 0, bytes: 0 };
      return { value: await current.run({ tally, source }, work), tally };
    },
    around(wire) {
      const answer = (call: Call): Promise<Result<HttpResponse> | undefined> => {
        note(call);
        return rehearse(wire, call);
      };
      return {
        ...wire,
        call: async (call) => (await answer(call)) ?? wire.call(call),
        async attempt(call) {
          const result = await answer(call);
          const attempt = result === undefined ? await wire.attempt(call) : { result };
          noteSource(call, attempt.result);
          return attempt;
        },
      };
    },
  };

  function note({ registry, method, url }: Call): void {
    const tally = current.getStore()?.tally;
    if (tally === undefined) return;
    tally.requests.set(registry, (tally.requests.get(registry) ?? 0) + 1);
    // What Docker Hub counts: https://docs.docker.com/docker-hub/usage/pulls/
    if (method === 'GET' && registry === 'docker.io' && String(url).includes('/manifests/')) tally.pulls += 1;
  }

  function noteSource({ side, method, url, registry }: Call, answer: Result<HttpResponse>): void {
    const store = current.getStore();
    if (store === undefined || side !== 'source' || method !== 'GET' || !String(url).includes('/manifests/')) return;
    if (answer.ok && answer.value.status === 200) store.from = registry;
  }

  /** `undefined`: the registry itself answers. */
  async function rehearse(wire: Wire, call: Call): Promise<Result<HttpResponse> | undefined> {
    const url = new URL(call.url, wire.originOf(call.registry));
    const { path, kind, name } =
      /^\/v2\/(?<path>.+)\/(?<kind>manifests|blobs\/uploads|blobs)\/(?<name>[^/]*)$/.exec(url.pathname)?.groups ?? {};
    if (path === undefined || name === undefined) return undefined;
    const place = `${call.registry}/${path}`;
    const here = (status: number, headers: Readonly<Record<string, string>> = {}) =>
      ok(withoutBody(status, headers, url));
    if (kind === 'manifests') return aboutManifest(call, place, decodeURIComponent(name), here);
    if (kind === 'blobs') return aboutBlob(call, `${place}@${name}`, url);
    if (call.method === 'POST') return openUpload(wire, call, { place, url });
    if (name !== UPLOAD) return here(call.method === 'DELETE' ? 204 : 404);
    if (call.method !== 'PUT') return here(call.method === 'DELETE' ? 204 : 202);
    const digest = url.searchParams.get('digest') ?? '';
    sent(call, `${place}@${digest}`);
    return here(201, { 'docker-content-digest': digest });
  }

  function aboutManifest(
    call: Call,
    place: string,
    name: string,
    here: (status: number, headers?: Readonly<Record<string, string>>) => Result<HttpResponse>,
  ): Result<HttpResponse> | undefined {
    const key = `${place} ${name}`;
    if (call.method === 'PUT') {
      const bytes = call.body instanceof Uint8Array ? call.body : new Uint8Array();
      const asked = parseDigest(name);
      const digest = asked === undefined ? sha256(bytes) : digestLike(asked, bytes);
      const kept = { bytes, digest, type: call.headers?.['content-type'] ?? '' };
      manifests.set(key, kept).set(`${place} ${digest}`, kept);
      return here(201, { 'docker-content-digest': digest, 'oci-subject': subjectOf(bytes) });
    }
    if (call.method === 'DELETE') {
      manifests.delete(key);
      return here(202);
    }
    const kept = manifests.get(key);
    if (kept === undefined) return undefined;
    const headers = { 'content-type': kept.type, 'docker-content-digest': kept.digest };
    const found = here(200, headers);
    return found.ok && call.method === 'GET'
      ? ok({ ...found.value, ...bodyOf(async () => ok(oneChunk(kept.bytes))) })
      : found;
  }

  function aboutBlob(call: Call, key: string, url: URL): Result<HttpResponse> | undefined {
    const open = blobs.get(key);
    if (open === undefined) return undefined;
    const found = withoutBody(200, {}, url);
    // Not counted: a real run would read it here, and not from where it comes.
    return ok(call.method === 'GET' ? { ...found, ...bodyOf(() => current.run(undefined, open)) } : found);
  }

  async function openUpload(
    wire: Wire,
    call: Call,
    { place, url }: { readonly place: string; readonly url: URL },
  ): Promise<Result<HttpResponse>> {
    const [digest, from] = [url.searchParams.get('mount'), url.searchParams.get('from')];
    if (digest !== null && from !== null) {
      const key = `${call.registry}/${from}@${digest}`;
      const there = await isThere(wire, call, from, digest, key);
      if (!there.ok) return there;
      if (there.value) {
        // A later read of the copy goes to the repository that really has the blob, since nothing was really mounted.
        blobs.set(`${place}@${digest}`, blobs.get(key) ?? (() => readAt(wire, call, from, digest)));
        return ok(withoutBody(201, { 'docker-content-digest': digest }, url));
      }
    }
    const location = new URL(UPLOAD, `${url.origin}${url.pathname.replace(/[^/]*$/, '')}`);
    return ok(withoutBody(202, { location: location.href }, url));
  }

  /** Asked in place of the mount, which would open an upload. */
  async function isThere(wire: Wire, call: Call, from: string, digest: string, key: string): Promise<Result<boolean>> {
    if (blobs.has(key)) return ok(true);
    const asked = await wire.call({
      side: call.side,
      registry: call.registry,
      what: call.what,
      method: 'HEAD',
      url: `/v2/${from}/blobs/${digest}`,
      scopes: [{ path: from, actions: 'pull' }],
    });
    if (!asked.ok) return asked;
    await asked.value.drain();
    return ok(asked.value.status === 200);
  }

  async function readAt(wire: Wire, { side, registry, what }: Call, path: string, digest: string): ReturnType<Open> {
    const scopes = [{ path, actions: 'pull' as const }];
    const got = await wire.call({ side, registry, what, method: 'GET', url: `/v2/${path}/blobs/${digest}`, scopes });
    return got.ok ? ok(got.value.stream()) : got;
  }

  function sent({ body }: Call, key: string): void {
    if (body instanceof Uint8Array || body === undefined) {
      const bytes = body ?? new Uint8Array();
      blobs.set(key, async () => ok(oneChunk(bytes)));
      counted(bytes.byteLength, false);
      return;
    }
    blobs.set(key, body.open);
    counted(body.length, true);
  }

  /** To send a blob from another place costs one request more, which reads it there. */
  function counted(bytes: number, isElsewhere: boolean): void {
    const store = current.getStore();
    if (store === undefined) return;
    const { tally, source, from = source.registry } = store;
    tally.blobs += 1;
    tally.bytes += bytes;
    if (isElsewhere && !isLocation(source)) {
      tally.requests.set(from, (tally.requests.get(from) ?? 0) + 1);
    }
  }
}

function bodyOf(open: Open): Pick<HttpResponse, 'stream' | 'bytes'> {
  return {
    stream: () => openedLate(open),
    async bytes() {
      const opened = await open();
      return opened.ok ? readWhole(opened.value) : opened;
    },
  };
}

/** What a registry says that lists referrers by itself. */
function subjectOf(bytes: Uint8Array): string {
  const parsed = parseJson(bytes);
  const subject = parsed.ok ? fields(fields(parsed.value)['subject'])['digest'] : undefined;
  return typeof subject === 'string' ? subject : '';
}
