/** Certificates of an authority that nobody knows, and servers below HTTP: for tests on loopback. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer, type IncomingMessage } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { connect, createServer as createRawServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PEM texts. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly ca: string;
  /** For `registry.test` and loopback. */
  readonly server: Issued;
  readonly client: Issued;
}

export async function makeAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-tls-'));
  const openssl = (...args: readonly string[]) => run('openssl', [...args], { cwd: folder });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  const text = (name: string) => readFile(join(folder, name), 'utf8');
  async function issue(name: string, extension: string): Promise<Issued> {
    await writeFile(join(folder, `${name}.ext`), extension);
    await openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    await openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...by);
    return { cert: await text(`${name}.pem`), key: await text(`${name}.key`) };
  }
  try {
    await openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=ca');
    const names = 'subjectAltName=DNS:registry.test,DNS:localhost,IP:127.0.0.1';
    return {
      ca: await text('ca.pem'),
      server: await issue('server', names),
      client: await issue('client', 'extendedKeyUsage=clientAuth'),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface Listening extends AsyncDisposable {
  readonly port: number;
}

/** A registry over TLS that has nothing: every answer is 404. */
export async function startTlsRegistry(
  options: ServerOptions,
): Promise<Listening & { readonly paths: readonly string[] }> {
  const paths: string[] = [];
  const server = createServer(options, (request, response) => {
    paths.push(request.url ?? '');
    response.writeHead(404).end();
  });
  return Object.assign(await listen(server), { paths });
}

/** A proxy for tunnels that takes every name for loopback, and remembers what it was asked. */
export async function startTunnelProxy(
  login?: string,
): Promise<Listening & { readonly asked: readonly string[]; readonly logins: readonly (string | undefined)[] }> {
  const asked: string[] = [];
  const logins: (string | undefined)[] = [];
  const server = createPlainServer();
  server.on('connect', (request: IncomingMessage, socket) => {
    asked.push(request.url ?? '');
    const given = request.headers['proxy-authorization'];
    logins.push(given);
    if (login !== undefined && given !== `Basic ${Buffer.from(login).toString('base64')}`) {
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
    }
    const target = connect(Number((request.url ?? '').split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    for (const each of [target, socket]) each.on('error', () => void target.destroy(socket.destroy() as never));
  });
  return Object.assign(await listen(server), { asked, logins });
}

/** Takes connections, and says what the test makes it say. */
export function startRaw(onConnection: (socket: Socket) => void): Promise<Listening> {
  return listen(
    createRawServer((socket) => {
      socket.on('error', () => {});
      onConnection(socket);
    }),
  );
}

async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
