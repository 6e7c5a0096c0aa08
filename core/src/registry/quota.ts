/** How much a registry still lets us read, as it says itself: https://docs.docker.com/docker-hub/usage/pulls/ */

/** What a registry said last. */
export interface Quota {
  /** Pulls in a window, where it says so. */
  readonly limit?: number;
  /** Pulls that were left. */
  readonly remaining: number;
  /** Seconds of the window. */
  readonly window: number;
  /** When it said so, in milliseconds since the epoch; after the window it says nothing any more. */
  readonly at: number;
}

/**
 * `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 76;w=21600`; undefined: no such headers, so no such limit. Without a
 * window they are a gateway's, of requests in the second: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function parseQuota(header: (name: string) => string | undefined, now: number): Quota | undefined {
  const remaining = parseCount(header('ratelimit-remaining'));
  if (remaining === undefined) return undefined;
  const limit = parseCount(header('ratelimit-limit'));
  return {
    ...(limit === undefined ? {} : { limit: limit.count }),
    remaining: remaining.count,
    window: remaining.window,
    at: now,
  };
}

function parseCount(text: string | undefined): { readonly count: number; readonly window: number } | undefined {
  const match = /^\s*(\d{1,9})\s*;\s*w\s*=\s*(\d{1,9})\s*$/.exec(text ?? '');
  return match === null ? undefined : { count: Number(match[1]), window: Number(match[2]) };
}

/**
 * What is left of a quota: what the registry said. Pulls that are under way may be counted in that or not, so that the last ones
 * wait for their answers. Pure; time comes as a parameter.
 */
export interface Account {
  readonly quota: Quota | undefined;
  /** When a refusal ends, while one holds. */
  readonly closedUntil: number | undefined;
  heard(quota: Quota): void;
  /** The registry refused a pull because its limit is reached, until then. */
  close(until: number): void;
  /**
   * Undefined: the pull may be sent, and counts as begun. Otherwise why not. `later`, only with `patient`: the answers to the pulls under
   * way will tell whether any is left.
   */
  begin(now: number, patient: boolean): Shortage | 'later' | undefined;
  end(): void;
  /** Called once, at the end of any pull that is under way. */
  whenOneEnds(wake: () => void): void;
}

export type Shortage = 'used up' | 'reserved';

/** Milliseconds within which a larger number than before is taken for an older one that came late. */
const LATE = 5000;

/** `reserve`: pulls that are left to others. */
export function createAccount(reserve: number): Account {
  let quota: Quota | undefined;
  let closedUntil: number | undefined;
  let underWay = 0;
  const waiting: (() => void)[] = [];

  function shortage(left: number): Shortage | undefined {
    if (left < 1) return 'used up';
    return left - 1 < reserve ? 'reserved' : undefined;
  }

  const account: Account = {
    get quota() {
      return quota;
    },
    get closedUntil() {
      return closedUntil;
    },
    heard(said) {
      const late = quota !== undefined && said.at - quota.at < LATE && said.remaining > quota.remaining;
      quota = late && quota !== undefined ? { ...said, remaining: quota.remaining } : said;
    },
    close(until) {
      closedUntil = until;
    },
    begin(now, patient) {
      if (closedUntil !== undefined && now < closedUntil) return 'used up';
      if (quota !== undefined && now < quota.at + quota.window * 1000) {
        const short = shortage(quota.remaining);
        if (short !== undefined) return short;
        if (patient && shortage(quota.remaining - underWay) !== undefined) return 'later';
      }
      underWay += 1;
      return undefined;
    },
    end() {
      underWay -= 1;
      for (const wake of waiting.splice(0)) wake();
    },
    whenOneEnds: (wake) => void waiting.push(wake),
  };
  return account;
}
