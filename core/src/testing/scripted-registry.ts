/**
 * A registry in memory whose reins a test holds: it can be slow, lie, break off, refuse or ask for tokens. It follows the
 * OCI distribution specification as far as Slipway uses it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestLike, sha256 } from '../oci/digest.ts';
import { mediaType, type Descriptor } from '../oci/model.ts';
import { parseDigest, type Digest } from '../reference.ts';
import { property } from '../registry/refusal.ts';
import { createTokenServer, type TokenOptions } from './scripted-tokens.ts';
import { createUploads, problem, type Answer } from './scripted-uploads.ts';

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
  /** The connection is cut without an answer. */
  | { readonly kind: 'reset' }
  /** The right headers, half of the body, then the connection is cut. */
  | { readonly kind: 'truncate' }
  /** The right headers, and a body of the same length with other bytes. */
  | { readonly kind: 'lie' }
  /** The right answer without these headers. */
  | { readonly kind: 'without'; readonly headers: readonly string[] };

export interface ScriptedOptions {
  /** Whether it lists referrers by itself; without, clients keep an index under a tag. */
  readonly referrersApi?: boolean;
  /** Milliseconds before each answer. */
  readonly latency?: number | ((request: ScriptedRequest) => number);
  readonly tokens?: TokenOptions;
  /** Name and password that each request must bring by itself. */
  readonly basic?: { readonly username: string; readonly password: string };
  readonly onRequest?: (request: ScriptedRequest) => Action | undefined | Promise<Action | undefined>;
  /** Tags and referrers in one page; all in one when absent. */
  readonly pageSize?: number;
}

export interface ScriptedRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Every request in the order it came, token requests included. */
  readonly log: readonly ScriptedRequest[];
  /** Requests from now on are answered by this hook first. */
  onRequest: ScriptedOptions['onRequest'];
  putBlob(repository: string, bytes: Uint8Array | string): Digest;
  putManifest(repository: string, manifest: unknown, tag?: string, type?: string): Descriptor;
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

interface Stored {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly digest: Digest;
}

interface Contents {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, Stored>;
  readonly tags: Map<string, Digest>;
}

const ROUTE = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.*)$/;

export async function startScriptedRegistry(options: ScriptedOptions = {}): Promise<ScriptedRegistry> {
  const repositories = new Map<string, Contents>();
  const log: ScriptedRequest[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port');
  const host = `127.0.0.1:${address.port}`;
  const upload = createUploads((repository) => contentsOf(repository).blobs);
  const tokens = options.tokens === undefined ? undefined : createTokenServer(host, options.tokens);

  function contentsOf(repository: string): Contents {
    const known = repositories.get(repository) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    repositories.set(repository, known);
    return known;
  }

  function find(repository: string, name: string): Stored | undefined {
    const contents = repositories.get(repository);
    return contents?.manifests.get(contents.tags.get(name) ?? name);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/';
    const path = url.split('?')[0] ?? '/';
    const key = `${request.method} ${path}`;
    const earlier = counts.get(key) ?? 0;
    counts.set(key, earlier + 1);
    const seen: ScriptedRequest = { method: request.method ?? 'GET', url, path, headers: request.headers, earlier };
    log.push(seen);
    const body = await readBody(request);
    const latency = typeof options.latency === 'function' ? options.latency(seen) : (options.latency ?? 0);
    if (latency > 0) await sleep(latency);
    const action = await made.onRequest?.(seen);
    if (action?.kind === 'reset') return void request.socket.destroy();
    if (action?.kind === 'answer') {
      return send(response, seen, { status: action.status, headers: action.headers ?? {}, body: action.body ?? '' });
    }
    const answer = refuse(seen) ?? tokens?.answer(seen, body) ?? route(seen, body);
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

  function route(request: ScriptedRequest, body: Uint8Array): Answer {
    // Where real tools ask first whether this is a registry at all.
    if (request.path === '/v2/') return { status: 200, body: '{}' };
    const [, repository = '', kind = '', name = ''] = ROUTE.exec(request.path) ?? [];
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    const read = request.method === 'GET' || request.method === 'HEAD';
    if (kind === 'manifests') {
      return read
        ? getManifest(repository, name)
        : storeManifest(repository, name, body, request.headers['content-type'] ?? '');
    }
    if (kind === 'blobs' && read) return getBlob(repository, name);
    if (kind === 'blobs' && name.startsWith('uploads/'))
      return upload({ method: request.method, repository, name, query, body });
    if (kind === 'tags' && repositories.has(repository)) return listTags(repository, query);
    if (kind === 'referrers' && options.referrersApi === true) return listReferrers(repository, name, query);
    return unknown('NAME_UNKNOWN');
  }

  function getManifest(repository: string, name: string): Answer {
    const found = find(repository, name);
    if (found === undefined) return unknown('MANIFEST_UNKNOWN');
    return {
      status: 200,
      headers: { 'content-type': found.type, 'docker-content-digest': found.digest },
      body: found.bytes,
    };
  }

  function getBlob(repository: string, name: string): Answer {
    const bytes = repositories.get(repository)?.blobs.get(name);
    return bytes === undefined
      ? unknown('BLOB_UNKNOWN')
      : { status: 200, headers: { 'docker-content-digest': name }, body: bytes };
  }

  function storeManifest(repository: string, name: string, bytes: Uint8Array, type: string): Answer {
    const asked = parseDigest(name);
    const digest = digestLike(asked ?? sha256(''), bytes);
    if (asked !== undefined && asked !== digest) return { status: 400, body: problem('DIGEST_INVALID') };
    const contents = contentsOf(repository);
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    // As real registries do: nothing may name what is not there.
    if (!partsOf(json).every((part) => contents.blobs.has(part) || contents.manifests.has(part))) {
      return { status: 404, body: problem('MANIFEST_BLOB_UNKNOWN') };
    }
    contents.manifests.set(digest, { bytes, type, digest });
    if (asked === undefined) contents.tags.set(name, digest);
    const subject = property(property(json, 'subject'), 'digest');
    const listed = options.referrersApi === true && typeof subject === 'string' ? { 'oci-subject': subject } : {};
    return { status: 201, headers: { 'docker-content-digest': digest, ...listed } };
  }

  function listReferrers(repository: string, subject: string, query: URLSearchParams): Answer {
    const all = [...(repositories.get(repository)?.manifests.values() ?? [])].flatMap(({ bytes, type, digest }) => {
      const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
      if (property(property(json, 'subject'), 'digest') !== subject) return [];
      return [
        {
          mediaType: type,
          digest,
          size: bytes.byteLength,
          artifactType: property(json, 'artifactType'),
          annotations: property(json, 'annotations'),
        },
      ];
    });
    const { page, link } = paged(all, query, `/v2/${repository}/referrers/${subject}`);
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: page });
    return { status: 200, headers: { 'content-type': mediaType.ociIndex, ...link }, body };
  }

  function listTags(repository: string, query: URLSearchParams): Answer {
    const { page, link } = paged([...contentsOf(repository).tags.keys()].sort(), query, `/v2/${repository}/tags/list`);
    return {
      status: 200,
      headers: { 'content-type': 'application/json', ...link },
      body: JSON.stringify({ name: repository, tags: page }),
    };
  }

  function paged<T>(all: readonly T[], query: URLSearchParams, path: string) {
    const start = Number(query.get('start') ?? 0);
    const end = start + (options.pageSize ?? all.length);
    const link: Record<string, string> = end < all.length ? { link: `<${path}?start=${end}>; rel="next"` } : {};
    return { page: all.slice(start, end), link };
  }

  const made: ScriptedRegistry = {
    host,
    log,
    onRequest: options.onRequest,
    putBlob(repository, content) {
      const bytes = Buffer.from(content);
      const digest = sha256(bytes);
      contentsOf(repository).blobs.set(digest, bytes);
      return digest;
    },
    putManifest(repository, manifest, tag, type) {
      const bytes = Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
      const own = property(manifest, 'mediaType');
      const stored = {
        bytes,
        type: type ?? (typeof own === 'string' ? own : mediaType.ociManifest),
        digest: sha256(bytes),
      };
      contentsOf(repository).manifests.set(stored.digest, stored);
      if (tag !== undefined) contentsOf(repository).tags.set(tag, stored.digest);
      return { mediaType: stored.type, digest: stored.digest, size: bytes.byteLength };
    },
    blob: (repository, digest) => repositories.get(repository)?.blobs.get(digest),
    manifest: find,
    tags: (repository) => [...(repositories.get(repository)?.tags.keys() ?? [])].sort(),
    stored: (repository) => ({
      manifests: [...(repositories.get(repository)?.manifests.values() ?? [])],
      blobs: [...(repositories.get(repository)?.blobs.keys() ?? [])],
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

function partsOf(manifest: unknown): readonly string[] {
  const lists = [property(manifest, 'layers'), property(manifest, 'manifests')].filter((list) =>
    Array.isArray(list),
  ) as readonly (readonly unknown[])[];
  const layers = lists.flat().filter((part) => property(part, 'urls') === undefined);
  return [property(manifest, 'config'), ...layers]
    .map((part) => property(part, 'digest'))
    .filter((digest) => typeof digest === 'string');
}

function unknown(code: string): Answer {
  return { status: 404, headers: { 'content-type': 'application/json' }, body: problem(code) };
}

function send(response: ServerResponse, request: ScriptedRequest, answer: Answer, action?: Action): void {
  const bytes = Buffer.from(answer.body ?? '');
  const headers: Record<string, string> = { 'content-length': String(bytes.byteLength), ...answer.headers };
  if (action?.kind === 'without') for (const name of action.headers) delete headers[name];
  response.writeHead(answer.status, headers);
  if (request.method === 'HEAD') return void response.end();
  if (action?.kind === 'truncate') {
    return void response.write(bytes.subarray(0, bytes.byteLength / 2), () => response.destroy());
  }
  response.end(action?.kind === 'lie' ? bytes.map((byte) => byte ^ 1) : bytes);
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
