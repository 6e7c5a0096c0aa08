/**
 * Faults of registries by seed. Whether a request meets one, and which, is a function of the seed and of what is asked for the
 * how manieth time, never of the order in which requests come: the same seed gives the same faults, however work interleaves.
 */
import { createHash } from 'node:crypto';
import type { Action, ScriptedRequest } from './scripted-registry.ts';

export interface FaultOptions {
  /** Which of several registries this is: each has faults of its own. */
  readonly side: string;
  /** Of all requests, how many may meet a fault, from 0 to 1. */
  readonly rate: number;
  /** How often one and the same request meets a fault before it is left alone. */
  readonly most: number;
  /** Leaves out those that no second try mends: wrong bytes. */
  readonly mendable?: boolean;
  /** The challenge that goes with a 401, where the registry gives tokens. */
  readonly challenge?: string;
  /** An address that a blob is sent to, and refused at: a store whose signed addresses have expired. */
  readonly expired?: (path: string) => string;
}

export interface Fault {
  /** `GET /v2/a/manifests/1 #2`: what was asked, and how often before. */
  readonly request: string;
  readonly name: string;
}

export interface Faults {
  readonly onRequest: (request: ScriptedRequest) => Action | undefined;
  /** Those that happened, in their order. */
  readonly happened: readonly Fault[];
}

interface Kind {
  readonly name: string;
  readonly fits: (request: ScriptedRequest, options: FaultOptions) => boolean;
  /** `random`: from 0 to 1. */
  readonly make: (request: ScriptedRequest, options: FaultOptions, random: number) => Action;
}

const any = (): boolean => true;
const reads = ({ method }: ScriptedRequest): boolean => method === 'GET';
const readsBlob = (request: ScriptedRequest): boolean => reads(request) && /\/blobs\/sha/.test(request.path);
const sends = ({ method, path }: ScriptedRequest): boolean =>
  (method === 'PUT' || method === 'PATCH') && path.includes('/uploads/');
const answer = (status: number, headers: Readonly<Record<string, string>> = {}): Action => ({
  kind: 'answer',
  status,
  headers,
});

const kinds: readonly Kind[] = [
  {
    name: '429, seconds',
    fits: any,
    make: (_, __, random) => answer(429, { 'retry-after': String(random < 0.5 ? 0 : 7) }),
  },
  {
    name: '429, date',
    fits: any,
    make: () => answer(429, { 'retry-after': new Date(Date.now() + 5000).toUTCString() }),
  },
  { name: '429', fits: any, make: () => answer(429) },
  { name: '500', fits: any, make: () => answer(500) },
  {
    name: '502, a page',
    fits: any,
    make: () => ({ ...answer(502, { 'content-type': 'text/html' }), body: '<h1>Bad</h1>' }),
  },
  { name: '503, seconds', fits: any, make: () => answer(503, { 'retry-after': '3' }) },
  { name: 'reset', fits: any, make: () => ({ kind: 'reset' }) },
  { name: 'answer lost', fits: any, make: () => ({ kind: 'lost' }) },
  { name: 'answer cut', fits: reads, make: () => ({ kind: 'truncate' }) },
  { name: 'body cut', fits: sends, make: (_, __, random) => ({ kind: 'cut', after: Math.ceil(random * 40_000) }) },
  { name: 'upload forgotten', fits: sends, make: () => answer(404) },
  {
    name: 'token gone',
    fits: (_, { challenge }) => challenge !== undefined,
    make: (_, { challenge }) => answer(401, { 'www-authenticate': challenge ?? '' }),
  },
  {
    name: 'address expired',
    fits: (request, { expired }) => readsBlob(request) && expired !== undefined,
    make: ({ path }, { expired }) => answer(307, { location: expired?.(path) ?? '' }),
  },
  {
    name: 'wrong bytes',
    fits: (request, { mendable }) => reads(request) && mendable !== true,
    make: () => ({ kind: 'lie' }),
  },
];

export function createFaults(seed: number, options: FaultOptions): Faults {
  const counts = new Map<string, number>();
  const happened: Fault[] = [];
  return {
    happened,
    onRequest(request) {
      if (request.path === '/token') return undefined;
      const asked = nameOf(request);
      const before = counts.get(asked) ?? 0;
      counts.set(asked, before + 1);
      const [chance, choice, detail] = randoms(`${seed} ${options.side} ${asked} #${before}`);
      if (before >= options.most || chance >= options.rate) return undefined;
      const fitting = kinds.filter((kind) => kind.fits(request, options));
      const kind = fitting[Math.floor(choice * fitting.length)];
      if (kind === undefined) return undefined;
      happened.push({ request: `${options.side} ${asked} #${before}`, name: kind.name });
      return kind.make(request, options, detail);
    },
  };
}

/** What is asked for: an upload by its digest, since the number of its session depends on who came first. */
function nameOf({ method, url, path }: ScriptedRequest): string {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const digest = query.get('digest') ?? query.get('mount') ?? '';
  return `${method} ${path.replace(/\/uploads\/.*/, '/uploads/')} ${digest}`.trim();
}

/** Three numbers from 0 to 1. */
function randoms(text: string): readonly [number, number, number] {
  const hash = createHash('sha256').update(text).digest();
  const at = (index: number): number => hash.readUInt32BE(index * 4) / 2 ** 32;
  return [at(0), at(1), at(2)];
}
