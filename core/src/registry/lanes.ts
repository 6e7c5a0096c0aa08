/**
 * Who may send a request now. Each host has two lanes, one for streamed uploads and one for everything else: an upload may
 * read from the very host it writes to, and would otherwise wait for itself. Each lane has its window; pauses and the pace
 * are the host's.
 */
import { realClock, type Clock } from './clock.ts';
import { createWindow } from './window.ts';

export interface HostLimits {
  /** Requests under way at once in each of the two lanes. */
  readonly connections: number;
  /** How many may begin in a second; any number when absent. */
  readonly requestsPerSecond?: number;
}

/** A place in a lane; to be given back exactly once. */
export interface Place {
  /** Tells what came of the request: `wait` is what the host asked for, in milliseconds. */
  answered(status: number, wait: number | undefined): void;
  release(): void;
}

export interface Lanes {
  /** Undefined: cancelled while waiting. */
  enter(host: string, lane: 'request' | 'upload'): Promise<Place | undefined>;
}

export interface LanesOptions {
  readonly limits: (host: string) => HostLimits;
  /** Whether windows start small. */
  readonly rampUp: boolean;
  readonly signal: AbortSignal | undefined;
  readonly clock?: Clock;
}

/** Milliseconds that a host rests after a first refusal which does not say how long; doubled for each further one. */
const REST = 250;
const LONGEST_REST = 10_000;
/** Milliseconds: a longer wait is not waited for, see {@link createManners}. */
export const LONGEST_WAIT = 60_000;

export function createLanes({ limits, rampUp, signal, clock = realClock }: LanesOptions): Lanes {
  const hosts = new Map<string, ReturnType<typeof createHost>>();
  signal?.addEventListener('abort', () => hosts.forEach((host) => host.pump()), { once: true });
  return {
    enter(name, lane) {
      let host = hosts.get(name);
      if (host === undefined) {
        host = createHost(limits(name), rampUp, signal, clock);
        hosts.set(name, host);
      }
      return host.enter(lane);
    },
  };
}

function createHost(limits: HostLimits, rampUp: boolean, signal: AbortSignal | undefined, clock: Clock) {
  const gap = limits.requestsPerSecond === undefined ? 0 : 1000 / limits.requestsPerSecond;
  /** When the next request may begin, by the pace and by what the host asked for. */
  let next = 0;
  let rested = 0;
  let refusals = 0;
  /** Somebody will look at those that wait. */
  let waking = false;
  const lanes = { request: createLane(), upload: createLane() };

  function createLane() {
    const window = createWindow(limits.connections, rampUp);
    const waiting: ((place: Place | undefined) => void)[] = [];
    let first = 0;
    let busy = 0;

    function begin(): Place {
      busy += 1;
      const since = clock.now();
      if (gap > 0) next = Math.max(next, since) + gap;
      return {
        answered(status, wait) {
          if (status === 429 || wait !== undefined) refuse(window.refused, since, wait);
          else if (status < 500) {
            refusals = 0;
            window.answered(busy);
          }
        },
        release() {
          busy -= 1;
          pump();
        },
      };
    }

    function pump(): void {
      while (first < waiting.length && (signal?.aborted === true || (busy < window.size && mayBegin()))) {
        const resolve = waiting[first];
        first += 1;
        resolve?.(signal?.aborted === true ? undefined : begin());
      }
      // What was served is forgotten now and then: a shift of each would move all the others.
      if (first > 64 && first * 2 > waiting.length) {
        waiting.splice(0, first);
        first = 0;
      }
    }

    function enter(): Promise<Place | undefined> {
      if (signal?.aborted === true) return Promise.resolve(undefined);
      if (first === waiting.length && busy < window.size && mayBegin()) return Promise.resolve(begin());
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    }

    return { enter, pump };
  }

  /** Those that wait are looked at again when the time has come. */
  function mayBegin(): boolean {
    if (next === 0) return true;
    const left = next - clock.now();
    if (left <= 0) return true;
    if (!waking) {
      waking = true;
      void clock.sleep(Math.ceil(left), signal).then(() => {
        waking = false;
        pump();
      });
    }
    return false;
  }

  function refuse(halve: (now: number) => void, since: number, wait: number | undefined): void {
    const now = clock.now();
    halve(now);
    // It was sent before the host began to rest: the answer says nothing new.
    if (since < rested && wait === undefined) return;
    refusals += 1;
    const rest = wait ?? Math.min(LONGEST_REST, REST * 2 ** (refusals - 1));
    if (rest <= LONGEST_WAIT) next = Math.max(next, now + rest);
    rested = now;
  }

  function pump(): void {
    lanes.request.pump();
    lanes.upload.pump();
  }

  return { enter: (lane: 'request' | 'upload') => lanes[lane].enter(), pump };
}
