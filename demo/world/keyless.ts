/** Keyless signing on loopback: a certificate authority (Fulcio), a timestamp authority and an OIDC issuer. */
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { startIssuer } from './issuer.ts';
import { listen } from './listen.ts';
import type { Processes, Runner } from './processes.ts';

/** Plain data, so that it can be handed to other processes. */
export interface Keyless {
  /** The OIDC issuer's URL; `GET <issuer>/token?email=…` gives an identity token. */
  readonly issuer: string;
  /** Name the authorities of this world, and no transparency log. */
  readonly signingConfig: string;
  readonly trustedRoot: string;
}

export interface KeylessOptions {
  readonly folder: string;
  readonly processes: Processes;
  readonly fulcio: string;
  readonly timestampServer: string;
  readonly cosign: string;
  readonly run: Runner;
  /** Gets what is to be called at the end, in addition to ending `processes`. */
  readonly defer: (end: () => Promise<void>) => void;
}

export async function startKeyless(options: KeylessOptions): Promise<Keyless> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  const issuer = await startIssuer();
  options.defer(() => issuer.close());
  const [fulcio, timestamps] = await Promise.all([startFulcio(options, issuer.url), startTimestampServer(options)]);
  await saveText(`${fulcio}/api/v1/rootCert`, join(folder, 'fulcio.pem'));
  await saveText(`${timestamps}/certchain`, join(folder, 'timestamps.pem'));
  await createTrust(options, fulcio, timestamps, issuer.url);
  return {
    issuer: issuer.url,
    signingConfig: join(folder, 'signing-config.json'),
    trustedRoot: join(folder, 'trusted-root.json'),
  };
}

async function startFulcio({ folder, processes, fulcio }: KeylessOptions, issuer: string): Promise<string> {
  const config = join(folder, 'fulcio.json');
  const entry = { IssuerURL: issuer, ClientID: 'sigstore', Type: 'email' };
  await writeFile(config, JSON.stringify({ OIDCIssuers: { [issuer]: entry } }));
  const [port] = await processes.serve({
    command: fulcio,
    args: ([http, grpc, metrics]) => [
      ...['serve', '--ca', 'ephemeralca', '--ct-log-url', '', '--config-path', config],
      ...['--host', '127.0.0.1', '--port', String(http)],
      ...['--grpc-host', '127.0.0.1', '--grpc-port', String(grpc), '--metrics-port', String(metrics)],
      // The default name is one for the whole machine, and a second world would not start.
      ...['--legacy-unix-domain-socket', `@slipway-fulcio-${grpc}`],
    ],
    ports: 3,
    ready: ([http]) => `http://127.0.0.1:${http}/api/v1/rootCert`,
    logFile: join(folder, 'fulcio.log'),
  });
  return `http://127.0.0.1:${port}`;
}

/**
 * Its metrics take port 2112 of all interfaces, whatever it is told. In a network of its own they disturb nobody, and a
 * Unix socket leads in.
 */
async function startTimestampServer({ folder, processes, timestampServer, defer }: KeylessOptions): Promise<string> {
  const socket = join(folder, 'timestamps.sock');
  const port = await forward(socket, defer);
  await processes.serve({
    command: 'unshare',
    args: () => [
      // Once more after unshare, because a change of credentials takes the signal back.
      ...['--map-root-user', '--net', '--', 'setpriv', '--pdeathsig', 'TERM', '--', timestampServer],
      ...['serve', '--scheme', 'unix', '--socket-path', socket, '--disable-ntp-monitoring'],
    ],
    ports: 0,
    ready: () => `http://127.0.0.1:${port}/ping`,
    logFile: join(folder, 'timestamps.log'),
  });
  return `http://127.0.0.1:${port}/api/v1/timestamp`;
}

/** Forwards a free port of loopback to a Unix socket, which may not be there yet. */
async function forward(socket: string, defer: KeylessOptions['defer']): Promise<number> {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client.once('close', () => clients.delete(client)));
    const upstream = connect(socket);
    upstream.on('error', () => client.destroy());
    // An error closes it too.
    client.on('error', () => undefined);
    client.on('close', () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  });
  const port = await listen(server);
  defer(() => {
    clients.forEach((client) => client.destroy());
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return port;
}

async function createTrust(options: KeylessOptions, fulcio: string, timestamps: string, issuer: string): Promise<void> {
  const { folder, cosign, run } = options;
  // A certificate starts a moment before it is asked for: what is valid from now on would not hold for the first one.
  const since = 'start-time=2026-01-01T00:00:00Z';
  const service = (url: string): string => `url=${url},api-version=1,${since},operator=demo`;
  await run(
    cosign,
    [
      ...['signing-config', 'create', '--out', 'signing-config.json', '--fulcio', service(fulcio)],
      ...['--oidc-provider', service(issuer), '--tsa', service(timestamps), '--tsa-config', 'EXACT:1'],
    ],
    { cwd: folder },
  );
  await run(
    cosign,
    [
      ...['trusted-root', 'create', '--out', 'trusted-root.json'],
      ...['--fulcio', `url=${fulcio},certificate-chain=fulcio.pem,${since}`],
      ...['--tsa', `url=${timestamps},certificate-chain=timestamps.pem,${since}`],
    ],
    { cwd: folder },
  );
}

async function saveText(url: string, file: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  await writeFile(file, await response.text());
}
