import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ok } from '../failure.ts';
import { createCredentials, type CredentialsOptions, type HelperAnswer } from './credentials.ts';
import { failureOf, must } from './test-client.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Setting {
  readonly config?: unknown;
  readonly env?: CredentialsOptions['env'];
  readonly helpers?: Readonly<Record<string, HelperAnswer>>;
}

async function credentials({ config, env = {}, helpers = {} }: Setting) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-credentials-'));
  folders.push(folder);
  if (config !== undefined) {
    await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  }
  const asked: string[] = [];
  const made = createCredentials({
    env: { DOCKER_CONFIG: folder, ...env },
    runHelper: async (name, server) => {
      asked.push(`${name} ${server}`);
      return ok(helpers[`${name} ${server}`] ?? { exitCode: 1, stdout: 'credentials not found in native keychain\n' });
    },
  });
  return { ...made, asked };
}

test('logins are read from the config, by host, address or the alias of Docker Hub', async () => {
  const made = await credentials({
    config: {
      auths: {
        'https://index.docker.io/v1/': { auth: base64('hub:p:1') },
        'ghcr.io': { auth: base64('ann:two') },
        'https://registry.example/v2/': { username: 'bob', password: 'three' },
        'identity.example': { auth: base64('eve:'), identitytoken: 'four' },
        'shared.example/team': { auth: base64('team:five') },
      },
    },
  });
  expect(must(await made.login('docker.io'))).toEqual({ kind: 'password', username: 'hub', secret: 'p:1' });
  expect(must(await made.login('ghcr.io'))).toEqual({ kind: 'password', username: 'ann', secret: 'two' });
  expect(must(await made.login('registry.example'))).toEqual({ kind: 'password', username: 'bob', secret: 'three' });
  expect(must(await made.login('identity.example'))).toEqual({ kind: 'identity', username: 'eve', secret: 'four' });
  // A login for one namespace of a host must not be used for another.
  expect(must(await made.login('shared.example'))).toBeUndefined();
  expect(must(await made.login('__proto__'))).toBeUndefined();
});

test('helpers are asked once a host, the one for the host before the one for all', async () => {
  const made = await credentials({
    config: {
      credsStore: 'all',
      credHelpers: { 'ecr.example': 'ecr' },
      auths: { 'kept.example': { auth: base64('ann:one') } },
    },
    helpers: {
      'ecr ecr.example': { exitCode: 0, stdout: '{"Username":"AWS","Secret":"s"}' },
      'all https://index.docker.io/v1/': { exitCode: 0, stdout: '{"Username":"<token>","Secret":"t"}' },
    },
  });
  expect(must(await made.login('ecr.example'))).toMatchObject({ username: 'AWS' });
  expect(must(await made.login('ecr.example'))).toMatchObject({ username: 'AWS' });
  expect(must(await made.login('docker.io'))).toEqual({ kind: 'identity', username: '', secret: 't' });
  expect(must(await made.login('kept.example'))).toMatchObject({ username: 'ann' });
  expect(made.asked).toEqual(['ecr ecr.example', 'all https://index.docker.io/v1/', 'all kept.example']);
});

test('a helper whose name is none is not run, and a broken one is a failure without what it printed', async () => {
  const made = await credentials({
    config: { credHelpers: { a: '../../bin/sh', b: '--help', c: 'odd', d: 'down' } },
    helpers: { 'odd c': { exitCode: 0, stdout: 'canary-secret' }, 'down d': { exitCode: 1, stdout: 'canary-secret' } },
  });
  expect(failureOf(await made.login('a')).message).toContain('not a valid name');
  expect(failureOf(await made.login('b')).message).toContain('not a valid name');
  expect(made.asked).toEqual([]);
  for (const host of ['c', 'd']) {
    const failure = failureOf(await made.login(host));
    expect(failure.reason).toBe('config');
    expect(JSON.stringify(failure)).not.toContain('canary');
  }
});

test('GITHUB_TOKEN is for ghcr.io, when nothing else is', async () => {
  const env = { GITHUB_TOKEN: 'gh', GITHUB_ACTOR: 'octo' };
  const bare = await credentials({ env });
  expect(must(await bare.login('ghcr.io'))).toEqual({ kind: 'password', username: 'octo', secret: 'gh' });
  expect(must(await bare.login('docker.io'))).toBeUndefined();
  const logged = await credentials({ env, config: { auths: { 'ghcr.io': { auth: base64('ann:two') } } } });
  expect(must(await logged.login('ghcr.io'))).toMatchObject({ username: 'ann' });
});

test('a config that is not JSON is a config failure', async () => {
  const made = await credentials({ config: '{' });
  expect(failureOf(await made.login('ghcr.io'))).toMatchObject({ reason: 'config' });
});

test('the config for a tool holds the logins of the hosts it may see, and no other', async () => {
  const made = await credentials({
    config: {
      credsStore: 'all',
      auths: { 'a.example': { auth: base64('ann:one') }, 'b.example': { auth: base64('bob:two') } },
    },
    helpers: { 'all https://index.docker.io/v1/': { exitCode: 0, stdout: '{"Username":"<token>","Secret":"t"}' } },
  });
  expect(JSON.parse(await made.dockerConfigFor(['docker.io', 'a.example', 'c.example']))).toEqual({
    auths: {
      'a.example': { auth: base64('ann:one') },
      'https://index.docker.io/v1/': { auth: base64(':'), identitytoken: 't' },
    },
  });
});
