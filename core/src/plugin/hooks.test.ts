import { describe, expect, it } from 'vitest';
import { ok, type PluginFailure } from '../failure.ts';
import type { Event } from '../journal/events.ts';
import { DIGEST, hostOf, image, loaded } from './fixtures.ts';

describe('the gate', () => {
  const question = {
    entry: 'sync:x',
    subject: image,
    scan: { scanner: { name: 's', version: '1', uri: 'u' }, startedAt: '', finishedAt: '', platforms: [] },
  };
  const gated = async (...answers: readonly (() => unknown)[]) => {
    const plugins = answers.map((answer, index) =>
      loaded(`gate-${index}`, (hooks) => hooks.gate.tapPromise(`gate-${index}`, answer as () => Promise<undefined>)),
    );
    return (await hostOf(plugins)).gate(question);
  };

  it('passes when nobody refuses, with null as no answer', async () => {
    expect(
      await gated(
        async () => undefined,
        async () => null,
      ),
    ).toEqual(ok(undefined));
  });

  it('takes the first refusal', async () => {
    expect(
      await gated(
        async () => null,
        async () => 'too old',
      ),
    ).toEqual(ok('too old'));
  });

  it('refuses with a sentence, whatever its length', async () => {
    const refused = await gated(async () => 'x'.repeat(1e6));
    expect(refused.ok && refused.value?.length).toBeLessThan(10_000);
  });

  it('cannot change what the next one judges and what is signed', async () => {
    const finding = {
      id: 'CVE-1',
      severity: 'HIGH',
      package: 'p',
      installed: '1',
      platforms: ['linux/amd64'],
    } as const;
    const platform = {
      digest: DIGEST,
      platform: 'linux/amd64',
      status: 'scanned',
      packages: 1,
      findings: [finding],
    } as const;
    const asked = { ...question, scan: { ...question.scan, platforms: [platform] } };
    const plugins = [
      loaded('clears', (hooks) =>
        hooks.gate.tapPromise('clears', async ({ scan }) => {
          (scan.platforms as unknown[]).length = 0;
          return undefined;
        }),
      ),
      loaded('counts', (hooks) =>
        hooks.gate.tapPromise('counts', async ({ scan }) => `${scan.platforms.length} platforms`),
      ),
    ];
    expect(await (await hostOf(plugins)).gate(asked)).toEqual(ok('1 platforms'));
    expect(asked.scan.platforms).toHaveLength(1);
  });

  it.each<[string, () => unknown]>([
    [
      'throws at once',
      () => {
        throw new Error('boom');
      },
    ],
    ['answers true', async () => true],
    ['answers an empty text', async () => ''],
    ['never settles', () => new Promise(() => {})],
  ])('never passes when a plugin %s, whichever tap it is', async (_, answer) => {
    const bad = { ok: false, failure: { reason: 'plugin', hook: 'gate' } };
    expect(await gated(answer)).toMatchObject(bad);
    expect(await gated(async () => undefined, answer)).toMatchObject({ ...bad, failure: { plugin: 'gate-1' } });
  });
});

describe('reporters', () => {
  const event: Event = { t: 0, type: 'warning', message: 'x' };

  it.each<[string, () => unknown]>([
    [
      'at once',
      () => {
        throw new Error('boom');
      },
    ],
    [
      'later',
      async () => {
        throw new Error('boom');
      },
    ],
  ])('that throw %s are reported once and dropped; the others go on', async (_, report) => {
    const warnings: PluginFailure[] = [];
    const seen: Event[] = [];
    let calls = 0;
    const host = await hostOf(
      [
        loaded('bad', (hooks) =>
          hooks.event.tap('bad', () => {
            calls += 1;
            return report() as void;
          }),
        ),
        loaded('well', (hooks) => hooks.event.tap('well', (each) => void seen.push(each))),
      ],
      { warn: (failure) => warnings.push(failure) },
    );
    for (let round = 0; round < 3; round += 1) {
      host.emit(event);
      await new Promise(setImmediate);
    }
    expect({ calls, seen: seen.length, warnings }).toMatchObject({
      calls: 1,
      seen: 3,
      warnings: [{ plugin: 'bad', hook: 'event' }],
    });
  });

  it('cannot change what happened, for the run and for each other', async () => {
    const heard: Event[] = [];
    const host = await hostOf([
      loaded('rewrites', (hooks) =>
        hooks.event.tap('rewrites', (told) => void ((told as { message: string }).message = 'all is well')),
      ),
      loaded('hears', (hooks) => hooks.event.tap('hears', (told) => void heard.push(told))),
    ]);
    const told: Event = { ...event };
    host.emit(told);
    expect([told, ...heard]).toEqual([event, event]);
  });

  it('done: who throws or never settles is reported, and the next is still called', async () => {
    const warnings: PluginFailure[] = [];
    let code: number | undefined;
    const host = await hostOf(
      [
        loaded('bad', (hooks) =>
          hooks.done.tap('bad', () => {
            throw new Error('boom');
          }),
        ),
        loaded('slow', (hooks) => hooks.done.tapPromise('slow', () => new Promise(() => {}))),
        loaded('well', (hooks) => hooks.done.tap('well', ({ exitCode }) => void (code = exitCode))),
      ],
      { warn: (failure) => warnings.push(failure) },
    );
    await host.done({ exitCode: 3 });
    expect(code).toBe(3);
    expect(warnings.map(({ plugin }) => plugin)).toEqual(['bad', 'slow']);
  });
});
