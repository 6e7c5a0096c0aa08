/** Connections: one pool per origin, through the proxy of the environment, with the certificates of each host. */
import type { Dispatcher } from 'undici';
import { inNetworksOf, isLoopback } from './address.ts';

/** PEM texts. */
export interface Certificates {
  /** Authorities that are trusted for this host, beside the usual ones. */
  readonly ca?: string;
  /** Who we are, where the host asks for it; the two stand together. */
  readonly cert?: string;
  readonly key?: string;
}

/** Milliseconds until a connection stands. */
const CONNECT = 20_000;
/** Milliseconds that a connection is kept for the next request, unless the host says less. */
const KEEP = 30_000;

/** Variables of the environment, as `HTTPS_PROXY`. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

export interface Dispatchers {
  /** Undefined: the environment names a proxy whose address makes no sense; the variable is `misnamed`. */
  for(url: URL): Promise<Dispatcher> | undefined;
  readonly misnamed: string | undefined;
  close(): Promise<void>;
}

export function createDispatchers(certificates: (host: string) => Certificates, env: ProxyVariables): Dispatchers {
  const proxies = {
    http: proxyOf(env, ['http_proxy', 'HTTP_PROXY']),
    https: proxyOf(env, ['https_proxy', 'HTTPS_PROXY']),
  };
  const noProxy = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  const isNear = inNetworksOf(noProxy);
  /** Origin → how it is reached. Hosts without certificates of their own share one. */
  const chosen = new Map<string, Promise<Dispatcher>>();
  const shared = new Map<string, Promise<Dispatcher>>();

  function choose(url: URL): Promise<Dispatcher> | undefined {
    const isDirect = isLoopback(url.hostname) || isNear(url.hostname);
    const named = isDirect ? undefined : proxies[url.protocol === 'https:' ? 'https' : 'http'];
    if (named !== undefined && named.address === undefined) return undefined;
    const own = certificates(url.host);
    const hasOwn = own.ca !== undefined || own.cert !== undefined;
    const key = `${named === undefined ? 'direct' : url.protocol} ${hasOwn ? url.host : ''}`;
    const made = shared.get(key) ?? open(own, named?.address);
    shared.set(key, made);
    return made;
  }

  async function open(own: Certificates, proxy: string | undefined): Promise<Dispatcher> {
    // Most commands that could ask a registry do not, and this library takes longer to load than they need.
    const { Agent, EnvHttpProxyAgent } = await import('undici');
    const tls = await tlsOf(own);
    // HTTP/1.1: over HTTP/2 all layers of a host would share one connection's congestion window.
    const agent = { allowH2: false, keepAliveTimeout: KEEP, pipelining: 1 };
    if (proxy === undefined) return new Agent({ ...agent, connect: { timeout: CONNECT, ...tls } });
    return new EnvHttpProxyAgent({
      ...agent,
      noProxy,
      connectTimeout: CONNECT,
      connect: { timeout: CONNECT, ...tls },
      requestTls: { allowH2: false, timeout: CONNECT, ...tls },
      httpProxy: proxy,
      httpsProxy: proxy,
    });
  }

  return {
    misnamed: [proxies.https, proxies.http].find((proxy) => proxy !== undefined && proxy.address === undefined)
      ?.variable,
    for(url) {
      const known = chosen.get(url.origin);
      if (known !== undefined) return known;
      const made = choose(url);
      if (made !== undefined) chosen.set(url.origin, made);
      return made;
    },
    async close() {
      await Promise.all([...shared.values()].map(async (each) => (await each).destroy()));
    },
  };
}

async function tlsOf({ ca, cert, key }: Certificates): Promise<object> {
  const usual = ca === undefined ? [] : (await import('node:tls')).getCACertificates('default');
  return {
    ...(ca === undefined ? {} : { ca: [...usual, ca] }),
    ...(cert === undefined ? {} : { cert, key }),
  };
}

interface Proxy {
  readonly variable: string;
  /** Undefined: it makes no sense. */
  readonly address: string | undefined;
}

/** The first variable that says something; `proxy.example:3128` is taken for what it means. */
function proxyOf(env: ProxyVariables, names: readonly string[]): Proxy | undefined {
  const variable = names.find((name) => env[name]);
  const text = variable === undefined ? undefined : env[variable];
  if (variable === undefined || text === undefined) return undefined;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  const usable = url !== null && url.hostname !== '' && /^(?:https?|socks5?):$/.test(url.protocol) && decodes(url);
  return { variable, address: usable ? url.href : undefined };
}

function decodes({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
