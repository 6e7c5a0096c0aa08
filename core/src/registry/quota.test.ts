import { expect, test } from 'vitest';
import { adviceIn } from './advice.ts';
import { createAccount, parseQuota } from './quota.ts';

const headers = (table: Readonly<Record<string, string>>) => (name: string) => table[name];

test('what is left is read from the headers', () => {
  expect(parseQuota(headers({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' }), 5)).toEqual({
    limit: 100,
    remaining: 76,
    window: 21_600,
    at: 5,
  });
  expect(parseQuota(headers({ 'ratelimit-remaining': ' 7 ; w=60 ' }), 5)).toEqual({ remaining: 7, window: 60, at: 5 });
  for (const bad of ['', '-1', 'many', '1e9', '3;w=x', '3, 5;w=1']) {
    expect(parseQuota(headers({ 'ratelimit-remaining': bad }), 5)).toBeUndefined();
  }
  expect(parseQuota(headers({ 'ratelimit-limit': '100;w=21600' }), 5)).toBeUndefined();
  // As a gateway tells how many requests it still takes in this second.
  const gateway = { 'ratelimit-limit': '5', 'ratelimit-remaining': '0', 'ratelimit-reset': '1' };
  expect(parseQuota(headers(gateway), 5)).toBeUndefined();
});

test('no more pulls begin than are left, and some are left to others; the last wait for the answers to those under way', () => {
  const account = createAccount(2);
  expect(account.begin(0, true)).toBeUndefined();
  account.end();
  account.heard({ remaining: 4, window: 100, at: 0 });
  expect([account.begin(0, true), account.begin(0, true), account.begin(0, true)]).toEqual([
    undefined,
    undefined,
    'later',
  ]);
  // Who has waited long enough goes by what was said last.
  expect(account.begin(0, false)).toBeUndefined();
  for (const remaining of [3, 3, 2]) {
    account.end();
    account.heard({ remaining, window: 100, at: 0 });
  }
  expect(account.begin(0, true)).toBe('reserved');
  const greedy = createAccount(0);
  greedy.heard({ remaining: 1, window: 100, at: 0 });
  expect([greedy.begin(0, true), greedy.begin(0, true)]).toEqual([undefined, 'later']);
  greedy.heard({ remaining: 0, window: 100, at: 0 });
  expect(greedy.begin(0, true)).toBe('used up');
  // After its window what was said is no longer true.
  expect(greedy.begin(100_000, true)).toBeUndefined();
});

test('who waits is woken once, by the end of any pull', () => {
  const account = createAccount(0);
  let woken = 0;
  for (const _ of [1, 2]) account.begin(0, true);
  account.whenOneEnds(() => (woken += 1));
  for (const _ of [1, 2]) account.end();
  expect(woken).toBe(1);
});

test('an older answer that comes late does not give back what is used', () => {
  const account = createAccount(0);
  account.heard({ remaining: 1, window: 100, at: 1000 });
  account.heard({ remaining: 5, window: 100, at: 1001 });
  expect(account.quota?.remaining).toBe(1);
  account.heard({ remaining: 5, window: 100, at: 9000 });
  expect(account.quota?.remaining).toBe(5);
});

test('the time to wait is found in the text of an error, in Go’s units', () => {
  expect(
    adviceIn('{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 880.092µs, allowed: 44000/minute"}]}'),
  ).toBe(1);
  expect(adviceIn('Retry after 1m30s.')).toBe(90_000);
  expect(adviceIn('retry-after: 2h0m')).toBe(7_200_000);
  for (const text of ['', 'too many requests', 'retry-after: soon', 'retry-after: 5', 'retry-after: 5 apples']) {
    expect(adviceIn(text)).toBeUndefined();
  }
});
