import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
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
  /** Further files, by path in the home. */
  readonly files?: Readonly<Record<string, unknown>>;
  readonly env?: CredentialsOptions['env'];
  readonly helpers?: Readonly<Record<string, HelperAnswer>>;
  readonly accounts?: CredentialsOptions['accounts'];
}

async function credentials({ config, files = {}, env = {}, helpers = {}, accounts = [] }: Setting) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-credentials-'));
  folders.push(folder);
  if (config !== undefined) {
    await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  }
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), JSON.stringify(content));
  }
  const asked: string[] = [];
  const learnt: string[] = [];
  const made = createCredentials({
    home: folder,
    accounts,
    learnt: (secret) => void learnt.push(secret),
    env: Object.fromEntries(
      Object.entries({ DOCKER_CONFIG: folder, ...env }).map(([name, value]) => [name, value?.replace('~', folder)]),
    ),
    runHelper: async (name, server) => {
      asked.push(`${name} ${server}`);
      return ok(helpers[`${name} ${server}`] ?? { exitCode: 1, stdout: 'credentials not found in native keychain\n' });
    },
  });
  return { ...made, asked, learnt };
}

test.each(['', 'relative'])(
  'without a home, as a %j one is none, no file of the checkout is read for one',
  async (how) => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-credentials-'));
    folders.push(folder);
    const home = how && relative(process.cwd(), folder);
    await mkdir(join(folder, '.docker'));
    await writeFile(
      join(folder, '.docker/config.json'),
      JSON.stringify({ auths: { 'ghcr.io': { auth: base64('a:b') } } }),
    );
    vi.stubEnv('HOME', home);
    onTestFinished(() => void vi.unstubAllEnvs());
    const runHelper = () => Promise.reject(new Error('nobody is asked'));
    for (const env of [{}, { HOME: home }]) {
      expect(await createCredentials({ env, runHelper }).login('ghcr.io')).toEqual({ ok: true, value: undefined });
    }
  },
);

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

const loginOf = (name: string) => ({ auths: { 'a.example': { auth: base64(`${name}:secret`) } } });

test.each<[string, Setting, string | undefined]>([
  [
    'a variable with the text goes before all files',
    { env: { DOCKER_AUTH_CONFIG: JSON.stringify(loginOf('text')) }, config: loginOf('docker') },
    'text',
  ],
  [
    "docker's file goes before podman's",
    { config: loginOf('docker'), files: { '.config/containers/auth.json': loginOf('podman') } },
    'docker',
  ],
  [
    "a host that docker's file does not name is looked for in podman's",
    { config: { auths: {} }, files: { '.config/containers/auth.json': loginOf('podman') } },
    'podman',
  ],
  [
    'a folder in place of a file holds nothing',
    { files: { 'config.json/x': {}, '.config/containers/auth.json': loginOf('podman') } },
    'podman',
  ],
  [
    "podman's file may be in another folder",
    { env: { XDG_CONFIG_HOME: '~/other' }, files: { 'other/containers/auth.json': loginOf('other') } },
    'other',
  ],
  [
    'that of the session goes before that of the user',
    {
      env: { XDG_RUNTIME_DIR: '~/run' },
      files: { 'run/containers/auth.json': loginOf('session'), '.config/containers/auth.json': loginOf('user') },
    },
    'session',
  ],
  [
    'a file that is named is the only one',
    {
      env: { XDG_RUNTIME_DIR: '~/run', REGISTRY_AUTH_FILE: '~/mine.json' },
      files: { 'run/containers/auth.json': loginOf('session'), 'mine.json': { auths: {} } },
    },
    undefined,
  ],
])('%s', async (_, setting, username) => {
  const made = await credentials(setting);
  expect(must(await made.login('a.example'))?.username).toBe(username);
});

test('a variable whose text is no JSON is a failure that does not show it', async () => {
  const made = await credentials({ env: { DOCKER_AUTH_CONFIG: 'canary-secret' } });
  const { message } = failureOf(await made.login('a.example'));
  expect(message).toContain('DOCKER_AUTH_CONFIG is not valid JSON');
  expect(message).not.toContain('canary');
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
  expect(await made.dockerConfigFor(['docker.io', 'a.example', 'c.example'])).toEqual({
    auths: {
      'a.example': { auth: base64('ann:one') },
      'https://index.docker.io/v1/': { auth: base64(':'), identitytoken: 't' },
    },
  });
});

describe('accounts that the settings name', () => {
  const accounts = [
    { match: 'ghcr.io', login: { kind: 'env', usernameEnv: 'U', passwordEnv: 'P' } },
    { match: 'ghcr.io/team-a', login: { kind: 'env', usernameEnv: 'UA', passwordEnv: 'PA' } },
    { match: 'ghcr.io/team-a/secret', login: { kind: 'helper', name: 'vault' } },
    { match: 'unset.example', login: { kind: 'env', usernameEnv: 'U', passwordEnv: 'NOWHERE' } },
    { match: 'ecr.example', login: { kind: 'env', username: 'AWS', passwordEnv: 'P' } },
    { match: 'lost.example', login: { kind: 'env', username: 'AWS', passwordEnv: 'NOWHERE' } },
  ] as const;
  const env = { U: 'host', P: 'host-secret', UA: 'team', PA: 'team-secret' };
  const helpers = {
    'vault ghcr.io': { exitCode: 0, stdout: JSON.stringify({ Username: 'v', Secret: 'vault-secret' }) },
  };
  const config = { auths: { 'ghcr.io': { auth: base64('docker:docker-secret') } } };

  test('go before Docker’s config, the longest prefix first, by whole parts of a name', async () => {
    const made = await credentials({ config, env, helpers, accounts });
    const name = async (path?: string) => must(await made.login('ghcr.io', path))?.username;
    expect(await name()).toBe('host');
    expect(await name('other/app')).toBe('host');
    expect(await name('team-ab/app')).toBe('host');
    expect(await name('team-a')).toBe('team');
    expect(await name('team-a/app')).toBe('team');
    expect(await name('team-a/secret/app')).toBe('v');
    expect(await name('team-a/secret/other')).toBe('v');
    expect(made.asked).toEqual(['vault ghcr.io']);
    expect(new Set(made.learnt)).toEqual(
      new Set([
        ...['host-secret', 'team-secret', 'vault-secret'],
        ...['host:host-secret', 'team:team-secret', 'v:vault-secret'],
      ]),
    );
  });

  test('may have a name that is no variable', async () => {
    const made = await credentials({ env, accounts });
    expect(must(await made.login('ecr.example', 'a'))).toMatchObject({ username: 'AWS', secret: 'host-secret' });
    expect(failureOf(await made.login('lost.example', 'a')).message).toContain('NOWHERE is not set');
  });

  test('whose variables are not set are a failure that names the variable and no value', async () => {
    const made = await credentials({ env, accounts });
    const failure = failureOf(await made.login('unset.example', 'a'));
    expect(failure.message).toContain('NOWHERE is not set');
    expect(JSON.stringify(failure)).not.toContain('host-secret');
  });

  test('are written for tools by repository, beside the host’s own', async () => {
    const made = await credentials({ config, env, helpers, accounts });
    const repositories = ['team-a/app', 'other/app'].map((path) => ({ registry: 'ghcr.io', path }));
    const foreign = { registry: 'quay.io', path: 'team-a/app' };
    const { auths } = await made.dockerConfigFor(['ghcr.io'], [...repositories, foreign]);
    expect(auths).toEqual({
      'ghcr.io': { auth: base64('host:host-secret') },
      'ghcr.io/team-a/app': { auth: base64('team:team-secret') },
    });
  });

  test('may stand in another file, which may know parts of a host as podman’s does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-credentials-'));
    folders.push(folder);
    const file = join(folder, 'auth.json');
    await writeFile(
      file,
      JSON.stringify({ auths: { 'quay.io': { auth: base64('all:x') }, 'quay.io/a/b': { auth: base64('ab:y') } } }),
    );
    const made = await credentials({ accounts: [{ match: 'quay.io', login: { kind: 'dockerConfig', file } }] });
    const name = async (path?: string) => must(await made.login('quay.io', path))?.username;
    expect([await name(), await name('a'), await name('a/b'), await name('a/b/c'), await name('a/bc')]).toEqual([
      'all',
      'all',
      'ab',
      'ab',
      'all',
    ]);
  });
});
