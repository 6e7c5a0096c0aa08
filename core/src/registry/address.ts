/** Which addresses a server may send us to. A registry on the internet must not make us talk to the network we are in. */
import { BlockList, isIP } from 'node:net';

/** https://www.iana.org/assignments/iana-ipv4-special-registry and .../iana-ipv6-special-registry */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  // Among them all forms that hold an IPv4 address, since that may be a private one; no public registry has such an address.
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6');
}

/** Addresses of this machine: never behind a proxy, whatever the environment says. */
export function isLoopback(hostname: string): boolean {
  const name = bare(hostname);
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** An address of this machine or of a network that is not the internet. Names are not looked up: TLS proves them. */
export function isPrivate(hostname: string): boolean {
  const name = bare(hostname);
  const family = isIP(name);
  if (family === 0) return isLoopback(name);
  return PRIVATE.check(name, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Whether an address is in one of the networks of `NO_PROXY`, as `10.0.0.0/8`; the names in it are left to undici. As in tools written in
 * Go, a name is not looked up to see whether it is in a network.
 */
export function inNetworksOf(noProxy: string): (hostname: string) => boolean {
  const networks = new BlockList();
  for (const entry of noProxy.split(/[,\s]+/)) {
    const [, address = '', bits = ''] = /^\[?([0-9a-f:.]+)\]?\/(\d{1,3})$/i.exec(entry) ?? [];
    const family = isIP(address);
    if (family !== 0 && Number(bits) <= (family === 4 ? 32 : 128))
      networks.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  }
  return (hostname) => {
    const name = bare(hostname);
    const family = isIP(name);
    return family !== 0 && networks.check(name, family === 4 ? 'ipv4' : 'ipv6');
  };
}

/** `[::1]` → `::1`, and no dot at the end, which a name may have. */
function bare(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

/**
 * A host with its port, so that two can be compared: `registry.example` → `registry.example:443`, or `:80` for plain HTTP. People may write
 * the default port or leave it out; URLs always leave it out.
 */
export function withPort(host: string, clear: boolean): string {
  return /:\d+$/.test(host) ? host : `${host}:${clear ? 80 : 443}`;
}

/** The other way to write a host: without the default port, or with it. Undefined: it has another port, so there is only one way. */
export function otherName(host: string, clear: boolean): string | undefined {
  const port = withPort('', clear);
  if (host.endsWith(port)) return host.slice(0, -port.length);
  const full = withPort(host, clear);
  return full === host ? undefined : full;
}

export interface Reach {
  /** Whether a server at `from` may send us to `to`. */
  (from: URL, to: URL): boolean;
}

export interface ReachOptions {
  /** This and `named` are given hosts with their port, even if it is the default one. */
  readonly plainHttp: (host: string) => boolean;
  /** Hosts that the settings name: those are meant, wherever they are. */
  readonly named?: (host: string) => boolean;
}

/**
 * TLS stays TLS; plain HTTP leads to plain HTTP only where that is allowed; and no public host leads to a private address,
 * unless the settings name that one.
 */
export function createReach({ plainHttp, named = () => false }: ReachOptions): Reach {
  return (from, to) => {
    const host = withPort(to.host, to.protocol === 'http:');
    const clear = to.protocol === 'http:' && from.protocol === 'http:' && (to.host === from.host || plainHttp(host));
    if (to.protocol !== 'https:' && !clear) return false;
    return to.host === from.host || !isPrivate(to.hostname) || isPrivate(from.hostname) || named(host);
  };
}
