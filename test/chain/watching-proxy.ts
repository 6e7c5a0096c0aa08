/**
 * A proxy in front of a real registry: it writes down every request, and a test's hook may delay, refuse, alter or swallow
 * what goes through. Without a hook it changes nothing, so what it shows is what the registry was asked.
 */
import {
  createServer,
  request as send,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { listen } from '../../demo/world/listen.ts';

export interface Seen {
  readonly method: string;
  /** Path with query, as `/v2/test/a/manifests/latest`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** What was answered; 0 until then. */
  status: number;
}

/**
 * What becomes of a request. Nothing: it is forwarded. An answer of its own. `alter`: forwarded, and the body that comes
 * back is changed. `swallow`: never answered.
 */
type Verdict =
  | void
  | 'swallow'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | { readonly alter: (body: Buffer) => Buffer };

type Hook = (seen: Seen) => Verdict | Promise<Verdict>;

export interface WatchingProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** In the order in which they came. */
  readonly requests: readonly Seen[];
  /** Asked for every request from now on. */
  intercept(hook: Hook | undefined): void;
  /** Forgets what was seen so far. */
  forget(): void;
}

/** In front of `upstream` (`127.0.0.1:PORT`); closed after the test. */
export async function watch(upstream: string): Promise<WatchingProxy> {
  const requests: Seen[] = [];
  let hook: Hook | undefined;
  const server = createServer((request, response) => {
    const seen: Seen = {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: request.headers,
      status: 0,
    };
    requests.push(seen);
    response.on('finish', () => (seen.status = response.statusCode));
    void answer(upstream, hook, seen, request, response).catch(() => response.destroy());
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return {
    host: `127.0.0.1:${port}`,
    requests,
    intercept: (next) => void (hook = next),
    forget: () => void requests.splice(0),
  };
}

async function answer(
  upstream: string,
  hook: Hook | undefined,
  seen: Seen,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const verdict = await hook?.(seen);
  if (verdict === 'swallow') return;
  if (verdict !== undefined && 'status' in verdict) {
    request.resume();
    response.writeHead(verdict.status, { 'content-type': 'application/json', ...verdict.headers });
    response.end(verdict.body ?? '{"errors":[]}');
    return;
  }
  await forward(upstream, request, response, verdict?.alter);
}

function forward(
  upstream: string,
  request: IncomingMessage,
  response: ServerResponse,
  alter: ((body: Buffer) => Buffer) | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // The Host header stays the client's, so that the registry's redirects lead back through this proxy.
    const url = `http://${upstream}${request.url ?? '/'}`;
    const onward = send(url, { method: request.method, headers: request.headers }, (answered) => {
      if (alter === undefined) {
        response.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.pipe(response).on('close', resolve);
        return;
      }
      buffer(answered).then((body) => {
        response.writeHead(answered.statusCode ?? 502, answered.headers);
        const altered = alter(body);
        // Fewer bytes than were announced: the connection breaks off, as of a server that dies.
        response.write(altered, () => (altered.length < body.length ? response.destroy() : response.end()));
        response.on('close', resolve);
      }, reject);
    });
    onward.on('error', reject);
    request.pipe(onward);
  });
}
