/**
 * A forward proxy that answers for the hosts it knows from folders and reaches nothing else. Through it a build sees
 * `http://apk.slipway.example`, so that no port of this machine ends up in an image.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { listen } from './listen.ts';

/** One request that came, for tests that count them. */
export interface ProxyRequest {
  readonly method: string;
  /** Absolute, as the client wrote it. */
  readonly url: string;
  readonly status: number;
}

export interface Proxy {
  /** `http://127.0.0.1:PORT`; a GET of `/requests` there answers with the list of {@link ProxyRequest}. */
  readonly url: string;
  close(): Promise<void>;
}

/** A file's path inside its folder: plain names only, so that no request climbs out of it. */
const SAFE_PATH = /^(?:\/[A-Za-z0-9_][A-Za-z0-9._+-]*)+$/;

/** `hosts`: host name → the folder it serves. */
export async function startProxy(hosts: Readonly<Record<string, string>>): Promise<Proxy> {
  const requests: ProxyRequest[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/requests') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(requests));
      return;
    }
    void answer(hosts, request, response).then((status) => {
      requests.push({ method: request.method ?? 'GET', url: request.url ?? '', status });
    });
  });
  // TLS through the proxy would leave this machine: refused at once, so that a client need not wait to learn it.
  server.on('connect', (request, socket) => {
    requests.push({ method: 'CONNECT', url: request.url ?? '', status: 502 });
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  hosts: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<number> {
  const url = URL.parse(request.url ?? '');
  const folder = url === null ? undefined : hosts[url.hostname];
  if (url === null || folder === undefined) return finish(response, 502, 'this proxy knows no such host\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return finish(response, 405);
  if (!SAFE_PATH.test(url.pathname)) return finish(response, 404);
  let content: Uint8Array;
  try {
    content = await readFile(join(folder, url.pathname));
  } catch {
    return finish(response, 404);
  }
  const etag = `"${createHash('sha256').update(content).digest('hex')}"`;
  response.setHeader('etag', etag);
  if (request.headers['if-none-match'] === etag) return finish(response, 304);
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-length', content.length);
  return finish(response, 200, request.method === 'HEAD' ? undefined : content);
}

function finish(response: ServerResponse, status: number, body?: string | Uint8Array): number {
  response.statusCode = status;
  response.end(body);
  return status;
}
