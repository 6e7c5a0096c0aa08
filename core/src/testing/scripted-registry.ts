/**
 * A registry in memory whose reins a test holds: it can be slow, lie, break off, refuse or ask for tokens. Left alone, it
 * does what the OCI's own conformance suite for registries wants (`test/sync/conformance.test.ts`).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestLike, sha256 } from '../oci/digest.ts';
import { mediaType, type Descriptor } from '../oci/model.ts';
import type { Digest } from '../reference.ts';
import { property } from '../registry/refusal.ts';
import { createStore, listReferrers, listTags, readBlob, refused, type Answer } from './scripted-contents.ts';
import { deleteManifest, storeManifest } from './scripted-manifests.ts';
import { createTokenServer, type TokenOptions } from './scripted-tokens.ts';
import { createUploads } from './scripted-uploads.ts';

/** One request, as the test's hook and the log see it. */
export interface ScriptedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** Path alone. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** How many requests with this method and path came before it. */
  readonly earlier: number;
}

/** What is done instead of answering well. */
export type Action =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection is cut without an answer, and nothing is done. */
  | { readonly kind: 'reset' }
  /** What was asked for is done, but the connection is cut before the answer. */
  | { readonly kind: 'lost' }
  /** The connection is cut when that many bytes of the request's body have come; an upload keeps them. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The right headers, half of the body, then the connection is cut. */
  | { readonly kind: 'truncate' }
  /** The right headers, and a body of the same length with other bytes. */
  | { readonly kind: 'lie' }
  /** The right answer without these headers. */
  | { readonly kind: 'without'; readonly headers: readonly string[] }
  /** The right answer with these headers, in place of its own of the same names, and another status if one is given. */
  | { readonly kind: 'with'; readonly headers: Readonly<Record<string, string>>; readonly status?: number }
  /** The right answer with its `Location` written otherwise. */
  | { readonly kind: 'relocate'; readonly to: (location: string) => string };

export interface ScriptedOptions {
  /** Whether it lists referrers by itself; without, clients keep an index under a tag. */
  readonly referrersApi?: boolean;
  /** Milliseconds before each answer. */
  readonly latency?: number | ((request: ScriptedRequest) => number);
  readonly tokens?: TokenOptions;
  /** An upload keeps its address from part to part. */
  readonly oneAddress?: boolean;
  /** Name and password that each request must bring by itself. */
  readonly basic?: { readonly username: string; readonly password: string };
  readonly onRequest?: (request: ScriptedRequest) => Action | undefined | Promise<Action | undefined>;
  /** Tags and referrers in one page; all in one when absent. */
  readonly pageSize?: number;
  /** Takes manifests whose parts are missing. */
  readonly sparse?: boolean;
  /** Bytes of the largest manifest that is taken; 4 MiB, the least that the specification asks for, when absent. */
  readonly manifestLimit?: number;
  /** Whether manifests that are put by digest are tagged by parameters; true unless told. */
  readonly tagParameter?: boolean;
  /** Whether parts of blobs can be read; true unless told. */
  readonly ranges?: boolean;
}

export interface ScriptedRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Every request in the order it came, token requests included. */
  readonly log: readonly ScriptedRequest[];
  /** Requests from now on are answered by this hook first. */
  onRequest: ScriptedOptions['onRequest'];
  /** Named by the algorithm of `like`, sha256 when absent. */
  putBlob(repository: string, bytes: Uint8Array | string, like?: Digest): Digest;
  /** JSON data, or text to be kept as it is. */
  putManifest(repository: string, manifest: unknown, tag?: string, type?: string, like?: Digest): Descriptor;
  blob(repository: string, digest: string): Uint8Array | undefined;
  manifest(
    repository: string,
    tagOrDigest: string,
  ): { readonly bytes: Uint8Array; readonly type: string; readonly digest: Digest } | undefined;
  tags(repository: string): readonly string[];
  /** All that a repository holds, tagged or not. */
  stored(repository: string): {
    readonly manifests: readonly { readonly digest: Digest; readonly type: string }[];
    readonly blobs: readonly string[];
  };
  close(): Promise<void>;
}

const ROUTE = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.*)$/;
const MANIFEST_LIMIT = 4 * 1024 * 1024;
const SHA256 = sha256('');

interface Body {
  readonly bytes: Uint8Array;
  /** False: the client went away before all of it had come. */
  readonly whole: boolean;
}

export async function startScriptedRegistry(options: ScriptedOptions = {}): Promise<ScriptedRegistry> {
  const store = createStore();
  const log: ScriptedRequest[] = [];
  const counts = new Map<string, number>();
  const { pageSize = Number.POSITIVE_INFINITY, referrersApi = false, ranges = true } = options;
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port');
  const host = `127.0.0.1:${address.port}`;
  const upload = createUploads(store, { oneAddress: options.oneAddress === true });
  const tokens = options.tokens === undefined ? undefined : createTokenServer(host, options.tokens);
  const manifests = {
    listsReferrers: referrersApi,
    sparse: options.sparse ?? false,
    limit: options.manifestLimit ?? MANIFEST_LIMIT,
    tagParameter: options.tagParameter ?? true,
  };

  function note(request: IncomingMessage): ScriptedRequest {
    const url = request.url ?? '/';
    const path = url.split('?')[0] ?? '/';
    const key = `${request.method} ${path}`;
    const earlier = counts.get(key) ?? 0;
    counts.set(key, earlier + 1);
    const seen: ScriptedRequest = { method: request.method ?? 'GET', url, path, headers: request.headers, earlier };
    log.push(seen);
    return seen;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = note(request);
    const latency = typeof options.latency === 'function' ? options.latency(seen) : (options.latency ?? 0);
    if (latency > 0) await sleep(latency);
    const action = await made.onRequest?.(seen);
    const body = await readBody(request, action?.kind === 'cut' ? action.after : undefined);
    if (action?.kind === 'reset') return void request.socket.destroy();
    if (action?.kind === 'answer') {
      return send(response, seen, { status: action.status, headers: action.headers ?? {}, body: action.body ?? '' });
    }
    if (!body.whole && !seen.path.includes('/blobs/uploads/')) return void request.socket.destroy();
    const answer = refuse(seen) ?? tokens?.answer(seen, body.bytes) ?? route(seen, body);
    if (!body.whole || action?.kind === 'lost') return void request.socket.destroy();
    send(response, seen, answer, action);
  }

  function refuse(request: ScriptedRequest): Answer | undefined {
    if (options.basic !== undefined) {
      const expected = `Basic ${Buffer.from(`${options.basic.username}:${options.basic.password}`).toString('base64')}`;
      if (request.headers.authorization !== expected) {
        return { status: 401, headers: { 'www-authenticate': 'Basic realm="scripted, for tests"' } };
      }
    }
    return tokens?.refuse(request);
  }

  function route(request: ScriptedRequest, body: Body): Answer {
    // Where real tools ask first whether this is a registry at all.
    if (request.path === '/v2/') return { status: 200, body: '{}' };
    const [, repository = '', kind = '', name = ''] = ROUTE.exec(request.path) ?? [];
    const { method, headers } = request;
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    if (kind === 'blobs' && name.startsWith('uploads/')) {
      const type = headers['content-type'];
      // As the CNCF registry does, which takes such a body for a form.
      const bytes = type === 'application/x-www-form-urlencoded' ? new Uint8Array() : body.bytes;
      const contentRange = headers['content-range'];
      return upload({ method, repository, name, query, body: bytes, whole: body.whole, contentRange });
    }
    if (method === 'DELETE') return remove(repository, kind, name);
    if (kind === 'manifests') {
      const put = { repository, name, type: headers['content-type'] ?? '', query, bytes: body.bytes };
      return method === 'PUT' ? storeManifest(store, manifests, put) : getManifest(repository, name);
    }
    if (kind === 'blobs') return readBlob(store.blob(repository, name), name, ranges ? headers.range : undefined);
    if (kind === 'tags') return listTags(store, repository, query, pageSize);
    if (kind === 'referrers' && referrersApi) return listReferrers(store, repository, name, query, pageSize);
    return refused(404, 'NAME_UNKNOWN');
  }

  function getManifest(repository: string, name: string): Answer {
    const found = store.manifest(repository, name);
    if (found === undefined) return refused(404, 'MANIFEST_UNKNOWN');
    const headers = { 'content-type': found.type, 'docker-content-digest': found.digest };
    return { status: 200, headers, body: found.bytes };
  }

  function remove(repository: string, kind: string, name: string): Answer {
    if (kind === 'manifests') return deleteManifest(store, repository, name);
    return store.of(repository).blobs.delete(name) ? { status: 202 } : refused(404, 'BLOB_UNKNOWN');
  }

  const made: ScriptedRegistry = {
    host,
    log,
    onRequest: options.onRequest,
    putBlob(repository, content, like = SHA256) {
      const bytes = Buffer.from(content);
      const digest = digestLike(like, bytes);
      store.of(repository).blobs.set(digest, bytes);
      return digest;
    },
    putManifest(repository, manifest, tag, type, like = SHA256) {
      const bytes = Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
      const own = property(manifest, 'mediaType');
      const stored = {
        bytes,
        type: type ?? (typeof own === 'string' ? own : mediaType.ociManifest),
        digest: digestLike(like, bytes),
      };
      store.of(repository).manifests.set(stored.digest, stored);
      if (tag !== undefined) store.of(repository).tags.set(tag, stored.digest);
      return { mediaType: stored.type, digest: stored.digest, size: bytes.byteLength };
    },
    blob: store.blob,
    manifest: store.manifest,
    tags: (repository) => (store.has(repository) ? [...store.of(repository).tags.keys()].sort() : []),
    stored: (repository) => ({
      manifests: store.has(repository) ? [...store.of(repository).manifests.values()] : [],
      blobs: store.has(repository) ? [...store.of(repository).blobs.keys()] : [],
    }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async [Symbol.asyncDispose]() {
      await made.close();
    },
  };
  return made;
}

function send(response: ServerResponse, request: ScriptedRequest, answer: Answer, action?: Action): void {
  const bytes = Buffer.from(answer.body ?? '');
  const headers: Record<string, string | string[]> = { 'content-length': String(bytes.byteLength) };
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    headers[name] = typeof value === 'string' ? value : [...value];
  }
  if (action?.kind === 'without') for (const name of action.headers) delete headers[name];
  if (action?.kind === 'with') Object.assign(headers, action.headers);
  if (action?.kind === 'relocate' && typeof headers['location'] === 'string') {
    headers['location'] = action.to(headers['location']);
  }
  const status = (action?.kind === 'with' ? action.status : undefined) ?? answer.status;
  if (status === 204) delete headers['content-length'];
  response.writeHead(status, headers);
  if (request.method === 'HEAD' || status === 204) return void response.end();
  if (action?.kind === 'truncate') {
    return void response.write(bytes.subarray(0, bytes.byteLength / 2), () => response.destroy());
  }
  response.end(action?.kind === 'lie' ? bytes.map((byte) => byte ^ 1) : bytes);
}

/** Not more than `limit` bytes: then the rest has not come. */
async function readBody(request: IncomingMessage, limit = Number.POSITIVE_INFINITY): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const taken = chunk.subarray(0, limit - size);
      chunks.push(taken);
      size += taken.byteLength;
      if (size >= limit) return { bytes: Buffer.concat(chunks), whole: false };
    }
  } catch {
    return { bytes: Buffer.concat(chunks), whole: false };
  }
  return { bytes: Buffer.concat(chunks), whole: limit === Number.POSITIVE_INFINITY };
}
