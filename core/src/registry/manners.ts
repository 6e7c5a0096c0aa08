/**
 * What a registry asks of its clients beside the requests themselves: how much they may read, when to come back, and what it
 * wants to be told to people.
 */
import type { Failure, RegistryFailure } from '../failure.ts';
import { once } from '../once.ts';
import type { Repository } from '../reference.ts';
import type { HttpResponse } from './http.ts';
import { createAccount, parseQuota, type Account, type Quota, type Shortage } from './quota.ts';
import { isTransientStatus, plain, registryFailure, type Asked, type Refusal } from './refusal.ts';
import { GIVE_UP, LONGEST_WAIT, parseRetryAfter } from './retry.ts';
import { adviceIn } from './advice.ts';
import { realClock, type Clock } from './clock.ts';

/** A request to a registry, as far as manners go. */
export interface Errand extends Asked {
  readonly path: string;
  /** It counts against a limit of pulls. */
  readonly pull: boolean;
}

export interface Manners {
  /**
   * Why a request must not be sent now. Asked right before it would be; a pull has then begun, and is to be `heard` or `ended`. A pull
   * waits here while only the answers to others can tell whether it is one too many.
   */
  admit(errand: Errand): Promise<Failure | undefined>;
  heard(errand: Errand, response: HttpResponse): void;
  /** It was sent, and no answer came. */
  ended(errand: Errand): void;
  /** What a 429 means: a failure for good in this run, or how long to wait, in milliseconds, if it says so. */
  refused(errand: Errand, response: HttpResponse, refusal: Refusal): RegistryFailure | number | undefined;
  quota(repository: Repository): Quota | undefined;
}

export interface MannersOptions {
  /** Which account is used for a repository, as a name for it; the registry when absent. */
  readonly accountOf?: (repository: Repository) => string;
  /** Pulls of an account that are left to others; 0 when absent. */
  readonly reserve?: (account: string) => number;
  readonly clock?: Clock;
  /** Something that people should read. */
  readonly notice?: (message: string) => void;
}

/** How many different warnings are shown. */
const MAX_WARNINGS = 100;
/**
 * Milliseconds that a pull waits for the answers to others. It keeps its place in the lane meanwhile, which one of them may need after a
 * redirect; so after that it is sent, and the registry decides.
 */
const PATIENCE = 10_000;

export function createManners(options: MannersOptions): Manners {
  const { accountOf = ({ registry }) => registry, reserve = () => 0, notice = () => {}, clock = realClock } = options;
  const accounts = new Map<string, Account>();
  /** Registry → when it may be asked again; for waits that are too long to be waited for. */
  const closed = new Map<string, Closed>();
  /** Registry → since when it has refused all that it was asked. */
  const refusing = new Map<string, number>();
  const shown = new Set<string>();

  function accountFor(repository: Repository): Account {
    const name = accountOf(repository);
    return once(accounts, name, () => createAccount(reserve(name)));
  }

  async function admit(errand: Errand): Promise<Failure | undefined> {
    const end = clock.now() + PATIENCE;
    for (;;) {
      const now = Date.now();
      const pause = closed.get(errand.registry);
      if (pause !== undefined && now < pause.until) return closedFailure(errand, pause);
      if (!errand.pull) return undefined;
      const account = accountFor(errand);
      const left = end - clock.now();
      const why = account.begin(now, left > 0);
      if (why !== 'later') return why === undefined ? undefined : quotaFailure(errand, account, why);
      const answer = new AbortController();
      account.whenOneEnds(() => answer.abort());
      await clock.sleep(left, answer.signal);
    }
  }

  function heard(errand: Errand, response: HttpResponse): void {
    if (errand.pull) accountFor(errand).end();
    if (!isTransientStatus(response.status)) refusing.delete(errand.registry);
    const quota = parseQuota(response.header, Date.now());
    if (quota !== undefined) accountFor(errand).heard(quota);
    const warning = response.header('warning');
    if (warning !== undefined) warn(errand.registry, warning);
  }

  /** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#warnings */
  function warn(registry: string, header: string): void {
    for (const [, quoted = ''] of header.slice(0, 4096).matchAll(/\b299 - "((?:[^"\\]|\\.)*)"/g)) {
      const message = `${registry} says: ${plain(quoted.replace(/\\(.)/g, '$1'))}`;
      if (shown.has(message) || shown.size >= MAX_WARNINGS) continue;
      shown.add(message);
      notice(message);
    }
  }

  function refused(errand: Errand, response: HttpResponse, refusal: Refusal): RegistryFailure | number | undefined {
    const now = Date.now();
    const wait = parseRetryAfter(response.header('retry-after'), now) ?? adviceIn(refusal.text);
    if (response.status !== 429) return wait === undefined ? undefined : waitOrClose(errand, response.status, wait);
    const quota = parseQuota(response.header, now);
    // Docker Hub has two limits: of pulls, which ends hours later, and of requests, which a pause is enough for.
    if (/\bpull rate limit\b/i.test(refusal.text) || (errand.pull && quota?.remaining === 0)) {
      const account = accountFor(errand);
      const window = (account.quota?.window ?? DAY_QUARTER) * 1000;
      account.close(now + (wait !== undefined && wait > 0 ? wait : window));
      return quotaFailure(errand, account, 'used up');
    }
    return waitOrClose(errand, response.status, wait);
  }

  /**
   * How long to wait; or a failure, for all later requests too, if that is too long or the registry has refused everything for too long.
   */
  function waitOrClose(errand: Errand, status: number, wait: number | undefined): RegistryFailure | number | undefined {
    const now = clock.now();
    const since = refusing.get(errand.registry) ?? now;
    refusing.set(errand.registry, since);
    const least = now - since > GIVE_UP ? LONGEST_WAIT : 0;
    const long = Math.max(wait ?? 0, least);
    if (least === 0 && long <= LONGEST_WAIT) return wait;
    const pause = { status, until: Date.now() + long };
    closed.set(errand.registry, pause);
    return closedFailure(errand, pause);
  }

  return {
    admit,
    heard,
    refused,
    ended: (errand) => {
      if (errand.pull) accountFor(errand).end();
    },
    quota: (repository) => accounts.get(accountOf(repository))?.quota,
  };
}

const DAY_QUARTER = 6 * 3600;

interface Closed {
  readonly status: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

function closedFailure(errand: Errand, { status, until }: Closed): RegistryFailure {
  const message = `${errand.registry} limits requests and is to be left alone until ${formatTime(until)}, so it was not asked ${forWhat(errand)}`;
  return registryFailure(errand, 'permanent', message, {
    status,
    hint: 'run again after that; "docker login" or a mirror in the settings may spare you the limit',
  });
}

function quotaFailure(errand: Errand, account: Account, why: Shortage): RegistryFailure {
  const { quota, closedUntil } = account;
  const end = closedUntil ?? (quota === undefined ? undefined : quota.at + quota.window * 1000);
  const limit = quota?.limit === undefined ? 'pulls' : `${quota.limit} pulls`;
  const hours = quota === undefined ? '' : ` in ${formatHours(quota.window)}`;
  const when = end === undefined ? '' : `; at the latest it comes back at ${formatTime(end)}`;
  const what =
    why === 'used up'
      ? `the limit of ${limit}${hours} at ${errand.registry} is used up`
      : `only ${quota?.remaining ?? 0} of ${limit}${hours} are left at ${errand.registry}, which the settings reserve for others`;
  return registryFailure(errand, 'permanent', `${what}, so it was not asked ${forWhat(errand)}${when}`, {
    status: 429,
    hint: `run again then; "docker login ${errand.registry}" with an account that may pull more, or a mirror in the settings, helps now`,
  });
}

function forWhat({ what }: Errand): string {
  return what.startsWith('to ') ? what : `for ${what}`;
}

function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function formatHours(seconds: number): string {
  const hours = seconds / 3600;
  return Number.isInteger(hours) ? `${hours} h` : `${seconds} s`;
}
