import { describe, expect, test } from 'vitest';
import { fail, ok, type RegistryFailure } from '../failure.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import type { Clock } from './clock.ts';
import { createRetrier, parseRetryAfter } from './retry.ts';
import { client, failureOf, must, reference } from './test-client.ts';

function busy(status?: number): RegistryFailure {
  return {
    reason: 'registry',
    class: 'transient',
    side: 'source',
    host: 'h',
    message: 'busy',
    ...(status === undefined ? {} : { status }),
  };
}

/** A clock that jumps instead of waiting, and remembers how far. */
function jumping(): Clock & { readonly waits: number[]; pass(milliseconds: number): void } {
  let now = 0;
  const waits: number[] = [];
  return {
    waits,
    pass: (milliseconds) => void (now += milliseconds),
    now: () => now,
    random: () => 0,
    sleep: async (milliseconds) => {
      waits.push(milliseconds);
      now += milliseconds;
    },
  };
}

describe('retrier', () => {
  test('tries a transient failure four times, with pauses that grow', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 3, signal: undefined, clock });
    let tries = 0;
    const result = await retrier.run('h', async () => ((tries += 1), { result: fail(busy(503)) }));
    expect(failureOf(result).message).toBe('busy (tried 4 times in 1 s)');
    expect([tries, clock.waits]).toEqual([4, [125, 250, 500]]);
  });

  test('says how often and for how long it was answered so, and nothing of numbers where no answer came', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 3, signal: undefined, clock });
    const told = async (status?: number, more: object = {}) =>
      failureOf(await retrier.run('h', async () => ({ result: fail(busy(status)), ...more }))).message;
    expect(await told(429, { retryAfter: 20_000 })).toBe('busy (tried 4 times in 60 s)');
    expect(await told(429, { retryAfter: 3_600_000 })).toBe('busy');
    expect(await told(429, { final: true })).toBe('busy');
    expect(await told()).toBe('busy');
  });

  test('a spare host that answers nobody is left alone by all, the longer the longer that goes on, and then asked again', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 3, signal: undefined, clock });
    let [tries, well] = [0, false];
    const ask = (spare: boolean) =>
      retrier.run('h', async () => ((tries += 1), { result: well ? ok(tries) : fail(busy(503)) }), spare);
    expect((await ask(true)).ok).toBe(false);
    expect(failureOf(await ask(true)).message).toBe('busy');
    expect([tries, retrier.shunned('h')?.message]).toEqual([4, 'busy']);
    // What is had nowhere else is asked for as ever.
    expect((await ask(false)).ok).toBe(false);
    expect(tries).toBe(8);
    clock.pass(61_000);
    expect((await ask(true)).ok).toBe(false);
    expect(tries).toBe(9);
    clock.pass(61_000);
    expect((await ask(true)).ok).toBe(false);
    expect(tries).toBe(9);
    clock.pass(61_000);
    well = true;
    expect(must(await ask(true))).toBe(10);
    expect(must(await ask(true))).toBe(11);
  });

  test('a spare host that has answered others meanwhile is asked on', async () => {
    const retrier = createRetrier({ retries: 3, signal: undefined, clock: jumping() });
    let tries = 0;
    const failing = async () => {
      tries += 1;
      await retrier.run('h', async () => ({ result: ok(1) }), true);
      return { result: fail(busy(503)) };
    };
    for (let time = 0; time < 2; time += 1) expect((await retrier.run('h', failing, true)).ok).toBe(false);
    expect(tries).toBe(8);
  });

  test('tries at once when no answer came, since the connection may only have been an old one', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 3, signal: undefined, clock });
    let tries = 0;
    must(await retrier.run('h', async () => ((tries += 1), { result: tries === 1 ? fail(busy()) : ok(1) })));
    expect([tries, clock.waits]).toEqual([2, []]);
  });

  test('does not try permanent failures again, nor those that ask for a long wait', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 3, signal: undefined, clock });
    let tries = 0;
    await retrier.run('h', async () => ((tries += 1), { result: fail({ ...busy(400), class: 'permanent' }) }));
    await retrier.run('h', async () => ((tries += 1), { result: fail(busy(429)), retryAfter: 3_600_000 }));
    expect([tries, clock.waits]).toEqual([2, []]);
  });

  test('one pause holds for all who talk to the host, and for no other host', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 1, signal: undefined, clock });
    let tries = 0;
    must(
      await retrier.run(
        'h',
        async () => ((tries += 1), tries === 1 ? { result: fail(busy(429)), retryAfter: 7000 } : { result: ok(1) }),
      ),
    );
    expect(clock.waits).toEqual([7000]);
    await retrier.run('h', async () => ({ result: fail(busy(429)), retryAfter: 5000, final: true }));
    must(await retrier.run('other', async () => ({ result: ok(1) })));
    expect(clock.waits).toEqual([7000]);
  });

  test('comes back later than at once to a host that refuses some and answers others, whatever it says', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 3, signal: undefined, clock });
    let tries = 0;
    await retrier.run('h', async () => {
      clock.pass(1);
      must(await retrier.run('h', async () => ({ result: ok(1) })));
      return (tries += 1) < 10 ? { result: fail(busy(429)), retryAfter: 0 } : { result: ok(1) };
    });
    expect(clock.waits).toHaveLength(9);
    expect(Math.min(...clock.waits)).toBeGreaterThan(50);
  });

  test('waits no more for a host that has given nothing but failures for minutes, until it answers again', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 3, signal: undefined, clock });
    let tries = 0;
    const again = async () => ((tries += 1), { result: fail(busy(429)), retryAfter: 50_000 });
    for (let each = 0; each < 20; each += 1) await retrier.run('h', again);
    const total = clock.waits.reduce((sum, wait) => sum + wait, 0);
    expect(total).toBeGreaterThan(300_000);
    expect(total).toBeLessThan(450_000);
    expect(tries).toBeLessThan(32);
    must(await retrier.run('h', async () => ({ result: ok(1) })));
    tries = 0;
    await retrier.run('h', again);
    expect(tries).toBe(4);
  });

  test('to be one too many uses up no try while the host answers others, so often that it may be bad luck', async () => {
    const clock = jumping();
    const retrier = createRetrier({ retries: 3, signal: undefined, clock });
    let tries = 0;
    const refused = async (others: boolean, status = 429) => {
      tries += 1;
      clock.pass(1);
      if (others) must(await retrier.run('h', async () => ({ result: ok(1) })));
      return { result: fail(busy(status)) };
    };
    must(await retrier.run('h', async () => (tries < 20 ? refused(true) : { result: ok(1) })));
    tries = 0;
    expect(failureOf(await retrier.run('h', () => refused(true))).message).toContain('(tried 24 times in ');
    expect(tries).toBe(24);
    for (const [others, status] of [
      [true, 503],
      [false, 429],
    ] as const) {
      tries = 0;
      failureOf(await retrier.run('h', () => refused(others, status)));
      expect(tries).toBe(4);
    }
  });

  test('stops waiting when it is aborted', async () => {
    const controller = new AbortController();
    const retrier = createRetrier({ retries: 3, signal: controller.signal });
    const running = retrier.run('h', async () => ({ result: fail(busy(429)), retryAfter: 50_000 }));
    setImmediate(() => controller.abort());
    expect(failureOf(await running).reason).toBe('cancelled');
  });
});

test('a clock that is put back by a year makes nobody wait for it', async () => {
  const now = Date.now;
  const retrier = createRetrier({ retries: 3, signal: undefined });
  let tries = 0;
  try {
    const from = performance.now();
    const result = await retrier.run('h', async () => {
      tries += 1;
      Date.now = () => now() - tries * 365 * 24 * 3600 * 1000;
      return tries < 3 ? { result: fail(busy(429)), retryAfter: 20 } : { result: ok(tries) };
    });
    expect(must(result)).toBe(3);
    expect(performance.now() - from).toBeLessThan(5000);
  } finally {
    Date.now = now;
  }
});

test('Retry-After is read in seconds or as a date', () => {
  const now = Date.parse('2026-11-23T10:00:00Z');
  expect(parseRetryAfter('7', now)).toBe(7000);
  expect(parseRetryAfter('Mon, 23 Nov 2026 10:00:30 GMT', now)).toBe(30_000);
  expect(parseRetryAfter('Mon, 23 Nov 2026 09:00:00 GMT', now)).toBe(0);
  expect(parseRetryAfter('1.5', now)).toBe(1500);
  expect(parseRetryAfter('880.092µs', now)).toBe(1);
  for (const bad of [undefined, '', '-1', '1e9', '7 apples', '1.2.3', 'NaN'])
    expect(parseRetryAfter(bad, now)).toBeUndefined();
});

describe('waits of ages', () => {
  test.each([
    ['in a header, as a number of 80 digits', '9'.repeat(80), ''],
    ['in a header, as a date', 'Fri, 31 Dec 9999 23:59:59 GMT', ''],
    ['in a text', undefined, `retry-after: ${'999999999h'.repeat(4)}`],
  ])('are not waited for: %s', async (_, header, body) => {
    const headers = header === undefined ? {} : { 'retry-after': header };
    await using server = await startScriptedRegistry({
      onRequest: () => ({ kind: 'answer', status: 429, headers, body }),
    });
    await using registry = client();
    expect(failureOf(await registry.manifest(reference(`${server.host}/a:1`), 'source'))).toMatchObject({
      class: 'permanent',
      message: expect.stringMatching(/is to be left alone until \d{4}-/) as unknown,
    });
    expect(server.log).toHaveLength(1);
  });
});

test.each([
  ['a connection that is cut', { kind: 'reset' }],
  ['a server error', { kind: 'answer', status: 503, headers: { 'retry-after': '0' } }],
  ['too many requests', { kind: 'answer', status: 429, headers: { 'retry-after': '0' } }],
] as const)('%s is survived', async (_, action) => {
  await using server = await startScriptedRegistry({
    onRequest: ({ earlier }) => (earlier === 0 ? action : undefined),
  });
  await using registry = client();
  const image = seedImage(server, 'a', 'one', { tag: '1' });
  expect(must(await registry.head(reference(`${server.host}/a:1`), 'source'))?.digest).toBe(image.digest);
  expect(server.log).toHaveLength(2);
});

test('a manifest that breaks off is read again', async () => {
  await using server = await startScriptedRegistry({
    onRequest: ({ earlier }) => (earlier === 0 ? { kind: 'truncate' } : undefined),
  });
  await using registry = client();
  const image = seedImage(server, 'a', 'one', { tag: '1' });
  expect(must(await registry.manifest(reference(`${server.host}/a:1`), 'source'))?.descriptor).toEqual(image);
});
