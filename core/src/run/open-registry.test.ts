import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { settings } from '../plan/sample.ts';
import { failureOf, must, reference } from '../registry/test-client.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { openChallengeMemory } from './challenge-memory.ts';
import { connectionRules, openRegistry } from './open-registry.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'slipway-open-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

function opening(more: Partial<Parameters<typeof openRegistry>[0]> = {}) {
  const signal = new AbortController().signal;
  const env = { U: 'ann', P: 'canary-secret', DOCKER_CONFIG: '/nowhere' };
  return openRegistry({ settings: settings(), folder: '/nowhere', env, version: '0', signal, ...more });
}

test('the account of the settings is used, its secret is told, and the second run knows where to ask', async () => {
  await using server = await startScriptedRegistry({ tokens: { users: { ann: 'canary-secret' }, anonymous: false } });
  seedImage(server, 'team/app', 'one', { tag: '1' });
  const state = await folder();
  const login = { kind: 'env', usernameEnv: 'U', passwordEnv: 'P' } as const;
  const registries = [{ match: `${server.host}/team`, login }];
  for (const expected of [
    ['HEAD', 'GET', 'HEAD'],
    ['GET', 'HEAD'],
  ]) {
    const challenges = openChallengeMemory(state, () => new Date());
    const secrets: string[] = [];
    const learnt = (secret: string) => void secrets.push(secret);
    const { registry } = opening({ settings: { ...settings(), registries }, challenges, learnt });
    const before = server.log.length;
    must(await registry.head(reference(`${server.host}/team/app:1`), 'source'));
    expect(server.log.slice(before).map(({ method }) => method)).toEqual(expected);
    expect(secrets).toContain('canary-secret');
    failureOf(await registry.head(reference(`${server.host}/other/app:1`), 'source'));
    await registry.close();
    challenges.save();
  }
});

test('pulls that are reserved are those of the account', async () => {
  await using server = await startScriptedRegistry({
    onRequest: () => ({ kind: 'answer', status: 404, headers: { 'ratelimit-remaining': '5;w=100' } }),
  });
  const registries = [{ match: server.host, reserve: 5 }];
  const { registry } = opening({ settings: { ...settings(), registries } });
  const image = reference(`${server.host}/a:1`);
  must(await registry.head(image, 'source'));
  expect(registry.quota(image)).toMatchObject({ remaining: 5 });
  expect(failureOf(await registry.manifest(image, 'source')).message).toContain('reserve');
  await registry.close();
});

test('loopback is spoken to in the clear, unless the settings say or show that it has TLS', () => {
  const of = (registries: ReturnType<typeof settings>['registries']) =>
    connectionRules({ ...settings(), registries }).plainHttp('127.0.0.1:1');
  const match = '127.0.0.1:1';
  expect(of([])).toBe(true);
  expect(of([{ match: '127.0.0.1:2', plainHttp: false }])).toBe(true);
  expect(of([{ match, plainHttp: false }])).toBe(false);
  expect(of([{ match, ca: 'PEM' }])).toBe(false);
  expect(of([{ match, ca: 'PEM', plainHttp: true }])).toBe(true);
});

test('what is of a host is of the whole host, under its own name', () => {
  const login = { kind: 'helper', name: 'x' } as const;
  const rules = connectionRules({
    ...settings(),
    plainHttp: ['listed.example'],
    registries: [
      { match: 'a.example', connections: 3, bandwidth: 1000, reserve: 1, plainHttp: true },
      { match: 'b.example/team', login, plainHttp: false },
    ],
    limits: { ...settings().limits, host: 9, rampUp: false, bandwidth: 2000 },
  });
  expect(rules).toMatchObject({ perHost: 9, rampUp: false, bandwidth: 2000 });
  expect(['a.example', 'listed.example', 'b.example', '127.0.0.1:1', 'c.example'].map(rules.plainHttp)).toEqual([
    true,
    true,
    false,
    true,
    false,
  ]);
  expect(rules.hostOptions?.('a.example')).toEqual({ connections: 3, bandwidth: 1000 });
  expect(rules.hostOptions?.('listed.example')).toEqual({});
  expect(rules.hostOptions?.('b.example')).toBeUndefined();
});

describe('the port that a protocol has anyway', () => {
  const of = (more: Partial<ReturnType<typeof settings>>) => connectionRules({ ...settings(), ...more });
  const hostOf = (address: string) => new URL(address).host;

  test.each([
    ['registry.example:443', 'https://registry.example/v2/'],
    ['registry.example', 'https://registry.example:443/v2/'],
    ['[2001:db8::1]:443', 'https://[2001:db8::1]/v2/'],
    ['registry.example:8443', 'https://registry.example:8443/v2/'],
  ])('may be written or left out: what is of %s is of %s', (match, address) => {
    const { hostOptions } = of({ registries: [{ match, connections: 1, ca: 'PEM' }] });
    expect(hostOptions?.(hostOf(address))).toEqual({ connections: 1, ca: 'PEM' });
  });

  test.each([
    ['registry.example:80', 'http://registry.example:80/v2/'],
    ['registry.example', 'http://registry.example:80/v2/'],
  ])('in the clear too: %s, at %s', (match, address) => {
    const { hostOptions, plainHttp } = of({ plainHttp: [match], registries: [{ match, connections: 1 }] });
    expect(hostOptions?.(hostOf(address))).toEqual({ connections: 1 });
    expect(plainHttp('registry.example:80')).toBe(true);
  });

  test('is not that of the other protocol', () => {
    const ports = of({
      plainHttp: ['a.example:80', 'b.example'],
      registries: [
        { match: 'a.example:80', connections: 1 },
        { match: 'a.example:443', connections: 2 },
      ],
    });
    expect(ports.hostOptions?.('a.example')).toEqual({ connections: 2 });
    expect(['a.example', 'a.example:443', 'b.example:443', 'b.example:80'].map(ports.plainHttp)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test('makes no difference to who we are', async () => {
    const login = { kind: 'env', usernameEnv: 'U', passwordEnv: 'P' } as const;
    const registries = [
      { match: 'a.example:443', login },
      { match: 'b.example/team', login },
      { match: 'c.example:443', login },
    ];
    const { registry, credentials } = opening({ settings: { ...settings(), plainHttp: ['c.example'], registries } });
    const known = async (host: string) => must(await credentials.login(host, 'team/app'))?.username;
    expect(await Promise.all(['a.example', 'a.example:443', 'b.example:443'].map(known))).toEqual([
      'ann',
      'ann',
      'ann',
    ]);
    // Which is at another port.
    expect(await known('c.example')).toBeUndefined();
    await registry.close();
  });
});
