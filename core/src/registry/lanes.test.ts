import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLanes, type HostLimits, type Kind, type Place } from './lanes.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function lanes(limits: HostLimits, more: { readonly rampUp?: boolean; readonly signal?: AbortSignal } = {}) {
  return createLanes({ limits: () => limits, rampUp: more.rampUp ?? false, signal: more.signal });
}

/** Asks for so many places; those that were given, in order, are in the list. */
function ask(made: ReturnType<typeof createLanes>, count: number, host = 'h', lane: Kind = 'request') {
  const given: (Place | undefined)[] = [];
  for (let each = 0; each < count; each += 1) void made.enter(host, lane).then((place) => given.push(place));
  return given;
}

const settle = () => vi.advanceTimersByTimeAsync(0);

test('so many places at once in each lane of each host, and the next when one is given back', async () => {
  const made = lanes({ connections: 2 });
  const [requests, uploads, others] = [ask(made, 3), ask(made, 3, 'h', 'upload'), ask(made, 3, 'other')];
  await settle();
  expect([requests.length, uploads.length, others.length]).toEqual([2, 2, 2]);
  requests[0]?.release();
  await settle();
  expect([requests.length, uploads.length, others.length]).toEqual([3, 2, 2]);
});

test('downloads leave a place to small requests, and take their turn with them otherwise', async () => {
  const made = lanes({ connections: 3 });
  const downloads = ask(made, 4, 'h', 'download');
  const requests = ask(made, 3);
  await settle();
  expect([downloads.length, requests.length]).toEqual([2, 1]);
  requests[0]?.release();
  await settle();
  expect([downloads.length, requests.length]).toEqual([2, 2]);
  downloads[0]?.release();
  await settle();
  // It came before the third request.
  expect([downloads.length, requests.length]).toEqual([3, 2]);
  const narrow = lanes({ connections: 1 });
  const only = ask(narrow, 1, 'h', 'download');
  await settle();
  expect(only).toHaveLength(1);
});

test('10,000 that wait cost next to nothing', async () => {
  vi.useRealTimers();
  const made = lanes({ connections: 8 });
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: 10_000 }, async () => {
      const place = await made.enter('h', 'request');
      place?.answered(200, undefined);
      place?.release();
    }),
  );
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(250);
});

test('nobody begins while the host rests, neither those that wait nor those that come', async () => {
  const made = lanes({ connections: 4 });
  const given = ask(made, 6);
  await settle();
  given[0]?.answered(429, 2000);
  for (const place of given.slice(0, 4)) place?.release();
  await vi.advanceTimersByTimeAsync(1999);
  const late = ask(made, 1);
  const upload = ask(made, 1, 'h', 'upload');
  await settle();
  expect([given.length, late.length, upload.length]).toEqual([4, 0, 0]);
  await vi.advanceTimersByTimeAsync(2);
  // The window is half as wide: two of the three that wait.
  expect([given.length, late.length, upload.length]).toEqual([6, 0, 1]);
});

test('refusals that name no time make rests that grow, until a good answer', async () => {
  const made = lanes({ connections: 1 });
  const rests: number[] = [];
  for (const status of [429, 429, 429, 200, 429]) {
    const since = Date.now();
    const [place] = await Promise.all([
      made.enter('h', 'request'),
      vi.advanceTimersByTimeAsync(0).then(() => vi.runAllTimersAsync()),
    ]);
    rests.push(Date.now() - since);
    place?.answered(status, undefined);
    place?.release();
  }
  // At last no rest, but the pace that the first refusal has set.
  expect(rests).toEqual([0, 250, 500, 1000, 10]);
});

test('a wait of more than a minute is not waited for', async () => {
  const made = lanes({ connections: 2 });
  const [place] = [await made.enter('h', 'request')];
  place?.answered(429, 3_600_000);
  place?.release();
  const given = ask(made, 1);
  await settle();
  expect(given).toHaveLength(1);
});

test('a host that has refused all for minutes is not waited for any longer, until it gives a good answer', async () => {
  const made = lanes({ connections: 1 });
  const rests: number[] = [];
  for (const status of [...Array.from({ length: 12 }, () => 429), 200, 429, 429]) {
    const since = Date.now();
    const [place] = await Promise.all([
      made.enter('h', 'request'),
      vi.advanceTimersByTimeAsync(0).then(() => vi.runAllTimersAsync()),
    ]);
    rests.push((Date.now() - since) / 1000);
    place?.answered(status, status === 429 ? 50_000 : undefined);
    place?.release();
  }
  expect(rests).toEqual([0, 50, 50, 50, 50, 50, 50, 50, 0, 0, 0, 0, 0, 0, 50]);
});

test('requests begin at the pace that is set, evenly', async () => {
  const made = lanes({ connections: 100, requestsPerSecond: 10 });
  const given = ask(made, 12);
  const counts: number[] = [];
  for (let step = 0; step < 4; step += 1) {
    await settle();
    counts.push(given.length);
    await vi.advanceTimersByTimeAsync(300);
  }
  expect(counts).toEqual([1, 4, 7, 10]);
});

/** A host that takes so many requests a second, and so many at once after a pause; each answer takes five milliseconds. */
async function storm(requests: number, perSecond: number, burst: number) {
  const made = lanes({ connections: 8 }, { rampUp: true });
  const [start, answers] = [Date.now(), [] as number[]];
  let [tokens, then, left] = [burst, start, requests];
  async function ask(kind: Kind): Promise<void> {
    const place = await made.enter('h', kind);
    const now = Date.now();
    tokens = Math.min(burst, tokens + ((now - then) / 1000) * perSecond);
    then = now;
    const status = tokens < 1 ? 429 : 200;
    if (status === 200) tokens -= 1;
    answers.push(status);
    await new Promise((resolve) => setTimeout(resolve, 5));
    place?.answered(status, undefined);
    place?.release();
    if (status === 200) left -= 1;
    else await ask(kind);
  }
  const all = Promise.all(Array.from({ length: requests }, (_, index) => ask(index % 4 === 0 ? 'upload' : 'request')));
  while (left > 0) await vi.advanceTimersByTimeAsync(100);
  await all;
  const refused = (of: readonly number[]): number => of.filter((status) => status === 429).length / of.length;
  return { seconds: (Date.now() - start) / 1000, all: refused(answers), late: refused(answers.slice(requests / 4)) };
}

test.each([
  [10, 5],
  [30, 10],
  [100, 100],
])('a limit of %i requests a second, %i at once, is found out and kept', async (perSecond, burst) => {
  const { seconds, all, late } = await storm(600, perSecond, burst);
  expect(seconds).toBeLessThan((600 / perSecond) * 1.1);
  expect([all < 0.1, late < 0.05]).toEqual([true, true]);
});

test('a host that refuses nothing is asked at no pace', async () => {
  expect((await storm(600, 10_000, 600)).seconds).toBeLessThan(0.5);
});

test('a window that starts small is filled as it grows', async () => {
  const made = lanes({ connections: 8 }, { rampUp: true });
  const given = ask(made, 20);
  await settle();
  expect(given).toHaveLength(2);
  for (const place of given.slice(0, 2)) {
    place?.answered(200, undefined);
    place?.release();
  }
  await settle();
  expect(given).toHaveLength(5);
});

test('a host that serves downloads alone is asked more, too', async () => {
  const made = lanes({ connections: 8 }, { rampUp: true });
  const given = ask(made, 60, 'cdn', 'download');
  await settle();
  const widths: number[] = [];
  for (let ended = 0; ended < 40;) {
    const open = given.slice(ended);
    widths.push(open.length);
    ended += open.length;
    for (const place of open) {
      place?.answered(200, undefined);
      place?.release();
    }
    await settle();
  }
  expect([widths[0], widths.at(-1)]).toEqual([1, 7]);
});

test('whoever waits when the run is cancelled gets no place', async () => {
  const controller = new AbortController();
  const made = lanes({ connections: 1 }, { signal: controller.signal });
  const given = ask(made, 3);
  await settle();
  controller.abort();
  given.push(await made.enter('h', 'request'));
  expect(given.slice(1)).toEqual([undefined, undefined, undefined]);
  expect(given[0]).toBeDefined();
});
