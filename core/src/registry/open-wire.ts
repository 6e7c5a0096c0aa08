/** Puts together what speaks to registries: connections, manners, logins, tries. */
import { createReach } from './address.ts';
import { createAuth } from './auth.ts';
import type { ChallengeMemory } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { createHttp, type HostOptions, type Http, type HttpOptions } from './http.ts';
import { createManners, type Manners, type MannersOptions } from './manners.ts';
import type { Repository } from '../reference.ts';
import { createRetrier } from './retry.ts';
import { createWire, hostOf, type Wire } from './wire.ts';

export interface WireSettings extends MannersOptions, Omit<HttpOptions, 'hostOptions' | 'userAgent' | 'signal'> {
  readonly credentials: Credentials;
  /** What is particular to a host, by its name in references or by the one that is really asked; undefined: nothing. */
  readonly hostOptions?: (host: string) => HostOptions | undefined;
  /** Repositories that this run writes to: the first token for one is good for that too. */
  readonly writes?: (repository: Repository) => boolean;
  /** Repositories whose images can be read elsewhere too: less patience is had with them. */
  readonly spare?: (repository: Repository) => boolean;
  /** What registries asked for when somebody wanted to be let in, in earlier runs. */
  readonly challenges?: ChallengeMemory;
  readonly userAgent?: string;
  /** Ends everything that is under way. */
  readonly signal?: AbortSignal;
  /** Tries after the first one, 3 unless told. */
  readonly retries?: number;
}

export interface OpenWire {
  readonly http: Http;
  readonly wire: Wire;
  readonly quota: Manners['quota'];
}

export function openWire(settings: WireSettings): OpenWire {
  const { plainHttp, credentials, userAgent = 'slipway', signal, retries = 3 } = settings;
  const timed = settings.clock === undefined ? {} : { clock: settings.clock };
  const hostOptions = (host: string): HostOptions | undefined =>
    settings.hostOptions?.(host === hostOf('docker.io') ? 'docker.io' : host);
  const mayGo = createReach({ plainHttp, named: (host) => hostOptions(host) !== undefined });
  const http = createHttp({ ...settings, userAgent, signal, hostOptions });
  const retrier = createRetrier({ retries, signal, ...timed });
  const writes = settings.writes === undefined ? {} : { writes: settings.writes };
  const spare = settings.spare === undefined ? {} : { spare: settings.spare };
  const auth = createAuth({
    http,
    retrier,
    credentials,
    mayGo,
    ...writes,
    ...(settings.challenges === undefined ? {} : { memory: settings.challenges }),
  });
  const manners = createManners(settings);
  const wire = createWire({ http, auth, retrier, manners, plainHttp, mayGo, ...writes, ...spare });
  return { http, wire, quota: manners.quota };
}
