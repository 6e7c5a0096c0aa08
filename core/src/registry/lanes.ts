/**
 * Who may send a request now. Each host has two lanes, one for streamed uploads and one for everything else: an upload may
 * read from the very host it writes to, and would otherwise wait for itself. Each lane has its window; pauses and the pace
 * are the host's. Downloads leave one place to the small requests, which would otherwise wait for gigabytes.
 */
import { realClock, type Clock } from './clock.ts';
import { createPace } from './pace.ts';
import { createQueue, type Queue } from './queue.ts';
import { GIVE_UP, LONGEST_WAIT } from './retry.ts';
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
  /** Undefined: cancelled while waiting. `again`: it had a place and gave it back, so nobody goes before it. */
  enter(host: string, kind: Kind, again?: boolean): Promise<Place | undefined>;
}

/** `download`: an answer that may be long. */
export type Kind = 'request' | 'download' | 'upload';

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

export function createLanes({ limits, rampUp, signal, clock = realClock }: LanesOptions): Lanes {
  const hosts = new Map<string, ReturnType<typeof createHost>>();
  signal?.addEventListener('abort', () => hosts.forEach((host) => host.pump()), { once: true });
  return {
    enter(name, kind, again = false) {
      let host = hosts.get(name);
      if (host === undefined) {
        host = createHost(limits(name), rampUp, signal, clock);
        hosts.set(name, host);
      }
      return host.enter(kind, again);
    },
  };
}

interface Waiting {
  readonly kind: Kind;
  readonly resolve: (place: Place | undefined) => void;
  /** Smaller is earlier. */
  readonly order: number;
}

function createHost(limits: HostLimits, rampUp: boolean, signal: AbortSignal | undefined, clock: Clock) {
  const least = limits.requestsPerSecond === undefined ? 0 : 1000 / limits.requestsPerSecond;
  const pace = createPace();
  /** When the next request may begin, by the pace and by what the host asked for. */
  let next = 0;
  let rested = 0;
  let refusals = 0;
  /** Since when it has refused all that it was asked. */
  let refusing: number | undefined;
  /** Somebody will look at those that wait. */
  let waking = false;
  const lanes = { request: createLane(), upload: createLane() };

  function createLane() {
    const window = createWindow(limits.connections, rampUp);
    const returned = createQueue<Waiting>();
    const small = createQueue<Waiting>();
    const large = createQueue<Waiting>();
    let [busy, downloads, last] = [0, 0, 0];

    function begin(kind: Kind): Place {
      const size = kind === 'download' ? 1 : 0;
      busy += 1;
      downloads += size;
      const since = clock.now();
      const gap = Math.max(least, pace.gap);
      if (gap > 0) next = Math.max(next, since) + gap;
      return {
        answered(status, wait) {
          if (status === 429 || wait !== undefined) refuse(window.refused, since, wait);
          else if (status < 500) {
            refusals = 0;
            refusing = undefined;
            pace.answered();
            // If all places for its kind were taken, the window counts as full: at a host that only serves downloads it would never grow
            // otherwise.
            window.answered(isFree(kind) ? busy : window.size);
          }
        },
        release() {
          busy -= 1;
          downloads -= size;
          pump();
        },
      };
    }

    const isFree = (kind: Kind): boolean =>
      busy < window.size && (kind !== 'download' || downloads < Math.max(1, window.size - 1));

    /** Who came first, of those for whom there is a place. */
    function nextQueue(): Queue<Waiting> | undefined {
      const back = returned.peek();
      if (back !== undefined && isFree(back.kind)) return returned;
      const [request, download] = [small.peek(), isFree('download') ? large.peek() : undefined];
      if (request === undefined) return download === undefined ? undefined : large;
      return download !== undefined && download.order < request.order ? large : small;
    }

    function pump(): void {
      if (signal?.aborted === true) {
        for (const queue of [returned, small, large])
          while (queue.peek() !== undefined) queue.shift()?.resolve(undefined);
        return;
      }
      while (busy < window.size) {
        const queue = nextQueue();
        if (queue === undefined || !mayBegin()) return;
        const waiting = queue.shift();
        waiting?.resolve(begin(waiting.kind));
      }
    }

    function enter(kind: Kind, again: boolean): Promise<Place | undefined> {
      if (signal?.aborted === true) return Promise.resolve(undefined);
      const queue = again ? returned : kind === 'download' ? large : small;
      if (queue.peek() === undefined && isFree(kind) && mayBegin()) return Promise.resolve(begin(kind));
      return new Promise((resolve) => {
        queue.push({ kind, resolve, order: (last += 1) });
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
    // Many hosts say "at once", by 0 or a time in the past: too soon, when all who wait come back together.
    const said = wait !== undefined && wait >= REST;
    // It was sent before the host began to rest: the answer says nothing new.
    if (since < rested && !said) return;
    refusals += 1;
    // After a refusal comes a rest: another one right behind it says nothing about the pace.
    if (!said && refusals === 1) pace.refused();
    const rest = said ? wait : Math.min(LONGEST_REST, REST * 2 ** (refusals - 1));
    refusing ??= now;
    // A longer rest is not waited for: {@link createManners} refuses further requests.
    if (rest <= LONGEST_WAIT && now - refusing <= GIVE_UP) next = Math.max(next, now + rest);
    rested = now;
  }

  function pump(): void {
    lanes.request.pump();
    lanes.upload.pump();
  }

  return {
    enter: (kind: Kind, again: boolean) => lanes[kind === 'upload' ? 'upload' : 'request'].enter(kind, again),
    pump,
  };
}
