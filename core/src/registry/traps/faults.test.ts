/**
 * Schedules of faults by seed. Whatever happens, a copy ends in success or in one clear error, no tag leads to a broken image,
 * and a second run without faults succeeds. `SLIPWAY_SEED=7` runs one schedule alone, and prints what happened in it.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { startScriptedRegistry } from '../../testing/scripted-registry.ts';
import { createFaults, type FaultOptions } from '../../testing/scripted-faults.ts';
import type { Clock } from '../clock.ts';
import { logins } from '../test-client.ts';
import { COPIED, pair } from './pair.ts';

const SCHEDULES = 40;
const only = process.env['SLIPWAY_SEED'];
const seeds = only === undefined ? Array.from({ length: SCHEDULES }, (_, seed) => seed) : [Number(only)];
const LIMIT = { timeout: 20_000 };

/** Nobody waits: time passes when somebody would. */
function jumping(): Clock {
  let now = Date.now();
  return {
    now: () => now,
    random: () => 0.5,
    async sleep(milliseconds) {
      now += milliseconds;
    },
  };
}

/** A pair that gives tokens, and faults on both sides as long as `calm` is not called. */
async function faulty(seed: number, options: Pick<FaultOptions, 'rate' | 'most' | 'mendable'>, retries: number) {
  const store = await startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status: 403 }) });
  onTestFinished(() => store.close());
  const tokens = { users: { ann: 'canary' }, anonymous: false };
  const login = async () => ({ ok: true, value: { kind: 'password', username: 'ann', secret: 'canary' } }) as const;
  const made = await pair({
    source: { tokens },
    destination: { tokens },
    client: { clock: jumping(), retries, perHost: seed % 3 === 0 ? 1 : 6, credentials: { ...logins(), login } },
  });
  const challenge = (host: string, scope: string) => `Bearer realm="http://${host}/token",scope="${scope}"`;
  const source = createFaults(seed, {
    ...options,
    side: 'source',
    challenge: challenge(made.source.host, 'repository:from:pull'),
    expired: (path) => `http://${store.host}${path}`,
  });
  const destination = createFaults(seed, {
    ...options,
    side: 'destination',
    challenge: challenge(made.destination.host, 'repository:to:pull,push'),
  });
  made.source.onRequest = source.onRequest;
  made.destination.onRequest = destination.onRequest;
  const happened = () =>
    [...source.happened, ...destination.happened].map(({ request, name }) => `${name}: ${request}`);
  return {
    ...made,
    happened,
    calm() {
      made.source.onRequest = undefined;
      made.destination.onRequest = undefined;
    },
    /** For the message of a failing assertion. */
    story: () => `SLIPWAY_SEED=${seed}\n${happened().join('\n')}`,
  };
}

describe('faults of all kinds', LIMIT, () => {
  test.each(seeds)('end in success or one clear error, seed %i', async (seed) => {
    const made = await faulty(seed, { rate: 0.3, most: 3 }, 3);
    const first = await made.sync().catch((error: unknown) => {
      throw new Error(made.story(), { cause: error });
    });
    if (only !== undefined)
      process.stderr.write(`${made.story()}\n${JSON.stringify(first.ok ? 'copied' : first.failure)}\n`);
    made.calm();
    expect(await made.sync(), `a second run, after ${made.story()}`).toMatchObject(COPIED);
  });
});

describe('faults that a new try mends', LIMIT, () => {
  test.each(seeds)('are mended, seed %i', async (seed) => {
    const made = await faulty(seed, { rate: 0.3, most: 1, mendable: true }, 12);
    expect(await made.sync(), made.story()).toMatchObject(COPIED);
  });
});

test('a seed gives the same faults again, and another seed others', LIMIT, async () => {
  const run = async (seed: number) => {
    const made = await faulty(seed, { rate: 0.3, most: 1, mendable: true }, 12);
    await made.sync();
    return made.happened().sort();
  };
  const [first, again, other] = [await run(3), await run(3), await run(4)];
  expect(first.length).toBeGreaterThan(3);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});
