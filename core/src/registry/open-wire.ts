/** Puts together what speaks to registries: connections, manners, logins, tries. */
import { createReach } from './address.ts';
import { createAuth } from './auth.ts';
import type { ChallengeMemory } from './challenge.ts';
import type { Clock } from './clock.ts';
import type { Credentials } from './credentials.ts';
import type { ProxyVariables } from './dispatchers.ts';
import { createHttp, type HostOptions, type Http } from './http.ts';
import { createManners, type Manners, type MannersOptions } from './manners.ts';
import type { Repository } from '../reference.ts';
import { createRetrier } from './retry.ts';
import { createWire, hostOf, type Wire } from './wire.ts';

export interface WireSettings extends MannersOptions {
  /** Whether `host` (with its port) is to be spoken to by plain HTTP. */
  readonly plainHttp: (host: string) => boolean;
  readonly credentials: Credentials;
  /** Requests in flight to one host, and as many streamed uploads. */
  readonly perHost: number;
  /** Whether a host is asked little at first, and more while it answers; false unless told. */
  readonly rampUp?: boolean;
  /** What is particular to a host, by its name in references or by the one that is really asked; undefined: nothing. */
  readonly hostOptions?: (host: string) => HostOptions | undefined;
  /** Bytes a second of all hosts together, in both directions. */
  readonly bandwidth?: number;
  /** Repositories that this run writes to: the first token for one is good for that too. */
  readonly writes?: (repository: Repository) => boolean;
  /** What registries asked for when somebody wanted to be let in, in earlier runs. */
  readonly challenges?: ChallengeMemory;
  /** Where proxies are named; the process's own environment when absent. */
  readonly env?: ProxyVariables;
  readonly userAgent?: string;
  /** Ends everything that is under way. */
  readonly signal?: AbortSignal;
  /** Tries after the first one, 3 unless told. */
  readonly retries?: number;
  readonly clock?: Clock;
  /** Milliseconds that a host may take to begin an answer, and to go on with it; a minute unless told. */
  readonly patience?: number;
}

export interface OpenWire {
  readonly http: Http;
  readonly wire: Wire;
  readonly quota: Manners['quota'];
}

export function openWire(settings: WireSettings): OpenWire {
  const { plainHttp, credentials, perHost, userAgent = 'slipway', signal, retries = 3 } = settings;
  const timed = settings.clock === undefined ? {} : { clock: settings.clock };
  const hostOptions = (host: string): HostOptions | undefined =>
    settings.hostOptions?.(host === hostOf('docker.io') ? 'docker.io' : host);
  const mayGo = createReach({ plainHttp, named: (host) => hostOptions(host) !== undefined });
  const http = createHttp({
    plainHttp,
    perHost,
    userAgent,
    signal,
    hostOptions,
    rampUp: settings.rampUp ?? false,
    ...(settings.bandwidth === undefined ? {} : { bandwidth: settings.bandwidth }),
    ...(settings.env === undefined ? {} : { env: settings.env }),
    ...(settings.patience === undefined ? {} : { patience: settings.patience }),
    ...timed,
  });
  const retrier = createRetrier({ retries, signal, ...timed });
  const writes = settings.writes === undefined ? {} : { writes: settings.writes };
  const auth = createAuth({
    http,
    retrier,
    credentials,
    mayGo,
    ...writes,
    ...(settings.challenges === undefined ? {} : { memory: settings.challenges }),
  });
  const manners = createManners(settings);
  const wire = createWire({ http, auth, retrier, manners, plainHttp, mayGo, ...writes });
  return { http, wire, quota: manners.quota };
}
