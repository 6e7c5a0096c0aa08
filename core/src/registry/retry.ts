/** When to try again: only what is transient, a few times, and with one pause for all who talk to the same host. */
import { cancelled, fail, type Failure, type Result } from '../failure.ts';
import { adviceIn, atMost } from './advice.ts';
import { realClock, type Clock } from './clock.ts';

/** Milliseconds before the second try; doubled for each further one. */
const BASE = 250;
/** Milliseconds. A registry that asks for a longer wait is not waited for: the request fails. */
export const LONGEST_WAIT = 60_000;
/** Milliseconds. A host that gives nothing but transient failures for so long is not waited for any more. */
export const GIVE_UP = 300_000;

/** The same for what can be had elsewhere too, and the shortest time for which that is left alone then. */
const GIVE_UP_SPARE = 10_000;
const LEAVE_ALONE = 60_000;

export interface Attempt<T> {
  readonly result: Result<T>;
  /** Milliseconds that the registry asked to wait. */
  readonly retryAfter?: number;
  /** What failed has been tried often enough on its own account. */
  readonly final?: boolean;
}

export interface Retrier {
  /**
   * Calls `operation` until it succeeds, fails for good, or has been tried often enough; the last result is returned. `spare`: what is
   * asked for can be had elsewhere, and nobody waits long for a host that answers nobody.
   */
  run<T>(host: string, operation: () => Promise<Attempt<T>>, spare?: boolean): Promise<Result<T>>;
  /** Why a spare host is not to be asked now. */
  shunned(host: string): Failure | undefined;
}

/** How often an operation may be one too many (429) without using up a try. More often than that is no bad luck. */
const MOST_SPARED = 20;

export interface RetryOptions {
  /** Tries after the first one. */
  readonly retries: number;
  readonly signal: AbortSignal | undefined;
  readonly clock?: Clock;
}

export function createRetrier({ retries, signal, clock = realClock }: RetryOptions): Retrier {
  /** Host → when it may be asked again. */
  const pauses = new Map<string, number>();
  /** Host → since when it has given nothing but transient failures. */
  const trouble = new Map<string, number>();
  /** Spare host → how long it is left alone, and what it was that failed. */
  const alone = new Map<string, { readonly until: number; readonly failure: Failure }>();

  function shunned(host: string): Failure | undefined {
    const known = alone.get(host);
    return known !== undefined && clock.now() < known.until ? known.failure : undefined;
  }

  async function waitFor(host: string): Promise<void> {
    for (;;) {
      const left = (pauses.get(host) ?? 0) - clock.now();
      if (left <= 0 || signal?.aborted === true) return;
      // A little apart, so that those who waited together do not come back together.
      await clock.sleep(left + clock.random() * Math.min(left, BASE), signal);
    }
  }

  async function run<T>(host: string, operation: () => Promise<Attempt<T>>, spare = false): Promise<Result<T>> {
    /** When this operation failed, the first time and the last. */
    let [first, last] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    let spared = 0;
    for (let tried = 1; ; tried += 1) {
      if (pauses.has(host)) await waitFor(host);
      if (signal?.aborted === true) return fail(cancelled);
      const known = spare ? shunned(host) : undefined;
      if (known !== undefined) return fail(known);
      const { result, retryAfter, final = false } = await operation();
      if (result.ok || result.failure.class !== 'transient') {
        trouble.delete(host);
        return result;
      }
      const now = clock.now();
      const since = trouble.get(host) ?? now;
      trouble.set(host, since);
      // The host has answered others meanwhile: to be one too many again is bad luck, which uses up no try.
      const spares = isTooMany(result.failure) && since > last && now - first <= GIVE_UP && spared < MOST_SPARED;
      if (spares) [tried, spared] = [tried - 1, spared + 1];
      [first, last] = [Math.min(first, now), now];
      if (final) return result;
      if (tried > retries || now - since > (spare ? GIVE_UP_SPARE : GIVE_UP) || (retryAfter ?? 0) > LONGEST_WAIT) {
        const failure = afterTries(result.failure, tried + spared, now - first);
        // The host has answered nobody else either. The longer it is down, the longer it is left alone.
        if (spare && since <= first)
          alone.set(host, { until: now + Math.max(LEAVE_ALONE, now - since), failure: result.failure });
        return fail(failure);
      }
      // Without a status no answer came. Once, that is most likely a kept connection that the host had closed meanwhile.
      const answered = result.failure.reason !== 'registry' || result.failure.status !== undefined;
      if (tried === 1 && !answered) continue;
      const own = BASE * 2 ** (tried - 1) * (0.5 + clock.random() / 2);
      // Many hosts say "at once", by 0 or a time in the past: too soon, after a request that was one too many.
      const least = retryAfter === undefined || isTooMany(result.failure) ? own : 0;
      const pause = Math.max(least, retryAfter ?? 0);
      pauses.set(host, Math.max(pauses.get(host) ?? 0, now + pause));
    }
  }

  return { run, shunned };
}

function isTooMany(failure: Failure): boolean {
  return failure.reason === 'registry' && failure.status === 429;
}

/**
 * How often and for how long, where a registry answered. Where it did not, the same words for all are one cause for the reader, and
 * a number in them would make many of it.
 */
function afterTries(failure: Failure, tries: number, ms: number): Failure {
  if (failure.reason !== 'registry' || failure.status === undefined || tries === 1) return failure;
  const seconds = Math.max(1, Math.round(ms / 1000));
  return { ...failure, message: `${failure.message} (tried ${tries} times in ${seconds} s)` };
}

/**
 * Seconds or an HTTP date → milliseconds from `now`; some write parts of seconds, or Go's units.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,99}(?:\.\d{1,99})?$/.test(text)) return atMost(Math.ceil(Number(text) * 1000));
  const date = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? adviceIn(`retry-after: ${text.slice(0, 100)}`) : atMost(Math.max(0, date - now));
}
