/**
 * Serves images of layouts, read only, to tools that can ask nothing but a registry: on loopback, for as long as they are at work,
 * under a name that nobody else on the machine can guess. The only server in Slipway.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { formatRepository, parseDigest, type Digest, type Repository } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import { mediaType, type Descriptor, type ManifestContent } from './model.ts';

/** A repository that stands for a location while it is served. */
export interface Served {
  readonly repository: Repository;
  release(): void;
}

export interface LayoutServer {
  serve(location: Repository): Promise<Served>;
  close(): Promise<void>;
}

interface Place {
  readonly location: Repository;
  readonly path: string;
  /** Sizes of the blobs that served manifests name: a request for a blob has only its digest. */
  readonly sizes: Map<Digest, number>;
  users: number;
}

/** Nothing listens until the first is served. A location has the same name for as long as the server is not closed. */
export function createLayoutServer(layouts: Pick<Registry, 'manifest' | 'content' | 'referrers'>): LayoutServer {
  const places = new Map<string, Place>();
  const byLocation = new Map<string, Place>();
  let listening: Promise<{ readonly server: Server; readonly host: string }> | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'UNSUPPORTED');
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/v2/' || pathname === '/v2') return void response.writeHead(200).end('{}');
    const [, path = '', kind, name = ''] = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/.exec(pathname) ?? [];
    const place = places.get(path);
    const digest = parseDigest(name);
    if (place === undefined || place.users === 0) return refuse(response, 404, 'NAME_UNKNOWN');
    if (digest === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN');
    if (kind === 'manifests') return manifest(place, digest, response);
    if (kind === 'blobs') return blob(place, digest, request.method, response);
    return referrers(place, digest, response);
  };

  async function manifest(place: Place, digest: Digest, response: ServerResponse): Promise<void> {
    const found = await layouts.manifest({ kind: 'pinned', ...place.location, digest }, 'destination');
    if (!found.ok) return refuse(response, 500, 'UNKNOWN', found.failure.message);
    if (found.value === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN');
    for (const part of blobsOf(found.value)) place.sizes.set(part.digest, part.size);
    send(response, found.value.bytes, found.value.descriptor.mediaType, digest);
  }

  async function blob(place: Place, digest: Digest, method: string, response: ServerResponse): Promise<void> {
    const size = place.sizes.get(digest);
    if (size === undefined) return refuse(response, 404, 'BLOB_UNKNOWN');
    const descriptor = { mediaType: 'application/octet-stream', digest, size };
    const stream = await layouts.content(place.location, 'destination').blob(descriptor);
    if (!stream.ok) return refuse(response, 404, 'BLOB_UNKNOWN', stream.failure.message);
    response.writeHead(200, {
      'content-type': descriptor.mediaType,
      'content-length': size,
      'docker-content-digest': digest,
    });
    if (method === 'HEAD') {
      await stream.value[Symbol.asyncIterator]().return?.();
      return void response.end();
    }
    // Wrong bytes break the connection: the tool must not take what came of them for the whole.
    await pipeline(stream.value, response).catch(() => response.destroy());
  }

  async function referrers(place: Place, subject: Digest, response: ServerResponse): Promise<void> {
    const listed = await layouts.referrers({ kind: 'pinned', ...place.location, digest: subject }, 'destination');
    if (!listed.ok) return refuse(response, 500, 'UNKNOWN', listed.failure.message);
    const manifests = listed.value.map(({ descriptor }) => descriptor);
    const index = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests };
    send(response, Buffer.from(JSON.stringify(index)), mediaType.ociIndex);
  }

  async function listen(): Promise<{ readonly server: Server; readonly host: string }> {
    // Loaded here: it brings an HTTP client of Node's own with it, which takes a while.
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      answer(request, response).catch(() => response.destroy());
    });
    server.unref();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  return {
    async serve(location) {
      listening ??= listen();
      const { host } = await listening;
      const key = formatRepository(location);
      const place = byLocation.get(key) ?? {
        location: { registry: location.registry, path: location.path },
        path: `layout/${randomBytes(16).toString('hex')}`,
        sizes: new Map(),
        users: 0,
      };
      byLocation.set(key, place);
      places.set(place.path, place);
      place.users += 1;
      return { repository: { registry: host, path: place.path }, release: () => void (place.users -= 1) };
    },
    async close() {
      if (listening === undefined) return;
      const { server } = await listening;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function blobsOf(content: ManifestContent): readonly Descriptor[] {
  return content.kind === 'index' ? [] : [content.value.config, ...content.value.layers];
}

function send(response: ServerResponse, bytes: Uint8Array, type: string, digest?: Digest): void {
  response.writeHead(200, {
    'content-type': type,
    'content-length': bytes.byteLength,
    ...(digest === undefined ? {} : { 'docker-content-digest': digest }),
  });
  // Node sends no body where HEAD was asked for.
  response.end(bytes);
}

function refuse(response: ServerResponse, status: number, code: string, message = code): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
