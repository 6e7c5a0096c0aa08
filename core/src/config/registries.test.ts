import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeAuthority, type Authority } from '../testing/servers.ts';
import { parseBandwidth } from './bandwidth.ts';
import { complaints, valueOf } from './fixtures.ts';
import { loadSettings } from './load-settings.ts';

let folder: string;
let authority: Authority;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-registries-'));
  authority = await makeAuthority();
  await writeFile(join(folder, 'ca.pem'), authority.ca);
  await writeFile(join(folder, 'client.pem'), authority.client.cert);
  await writeFile(join(folder, 'client.key'), authority.client.key);
  await writeFile(join(folder, 'other.key'), authority.server.key);
  await writeFile(join(folder, 'docker.json'), '{}');
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function load(text: string) {
  await writeFile(join(folder, 'slipway.config.yaml'), text);
  return loadSettings({ folder, date: '2026-11-23', parallelism: 2 });
}

test('every key', async () => {
  const result = await load(`registries:
  - match: docker.io
    login: { usernameEnv: HUB_USER, passwordEnv: HUB_TOKEN }
    reserve: 20
  - match: ghcr.io/team-a/
    login: { dockerConfig: ./docker.json }
    reserve: 1
  - match: ghcr.io/team-b
    login: { helper: ecr-login }
  - match: ecr.example
    login: { username: AWS, passwordEnv: ECR_TOKEN }
  - match: registry.example:5000
    ca: ca.pem
    cert: client.pem
    key: client.key
    connections: 32
    requestsPerSecond: 50
    bandwidth: 20MB/s
    plainHttp: true
limits: { rampUp: false, bandwidth: 1GiB/s }
`);
  expect(valueOf(result).registries).toEqual([
    {
      match: 'docker.io',
      login: { kind: 'env', usernameEnv: 'HUB_USER', passwordEnv: 'HUB_TOKEN' },
      reserve: 20,
    },
    {
      match: 'ghcr.io/team-a',
      login: { kind: 'dockerConfig', file: join(folder, 'docker.json') },
      reserve: 1,
    },
    { match: 'ghcr.io/team-b', login: { kind: 'helper', name: 'ecr-login' } },
    { match: 'ecr.example', login: { kind: 'env', username: 'AWS', passwordEnv: 'ECR_TOKEN' } },
    {
      match: 'registry.example:5000',
      ca: authority.ca,
      cert: authority.client.cert,
      key: authority.client.key,
      connections: 32,
      requestsPerSecond: 50,
      bandwidth: 20_000_000,
      plainHttp: true,
    },
  ]);
  expect(valueOf(result).limits).toMatchObject({ rampUp: false, bandwidth: 2 ** 30 });
});

describe('mistakes', () => {
  test.each([
    ['{match: hub}', '"hub" is not a registry host'],
    ['{login: {helper: x}}', '"match" is missing'],
    ['{match: ghcr.io, login: {}}', 'login'],
    ['{match: ghcr.io, login: {usernameEnv: A}}', '"passwordEnv" is missing'],
    ['{match: ghcr.io, login: {passwordEnv: A}}', '"usernameEnv" is missing'],
    ['{match: ghcr.io, login: {username: A}}', '"passwordEnv" is missing'],
    ['{match: ghcr.io, login: {username: A, usernameEnv: B, passwordEnv: C}}', '"username" and "usernameEnv" exclude'],
    ['{match: ghcr.io, login: {username: "a:b", passwordEnv: C}}', 'username'],
    ['{match: ghcr.io, login: {usernameEnv: "a b", passwordEnv: A}}', 'usernameEnv'],
    ['{match: ghcr.io, login: {helper: x, dockerConfig: docker.json}}', 'a login has one way only'],
    ['{match: ghcr.io, login: {helper: "../x"}}', 'helper'],
    ['{match: ghcr.io, login: {dockerConfig: none.json}}', 'none.json'],
    ['{match: ghcr.io, ca: none.pem}', 'none.pem'],
    ['{match: ghcr.io, ca: docker.json}', '"docker.json" is not a PEM certificate'],
    ['{match: ghcr.io, ca: client.key}', '"client.key" is not a PEM certificate'],
    ['{match: ghcr.io, cert: client.pem, key: docker.json}', '"docker.json" is not a PEM private key'],
    ['{match: ghcr.io, cert: client.pem}', '"key" is missing beside "cert"'],
    ['{match: ghcr.io, key: client.key}', '"cert" is missing beside "key"'],
    ['{match: ghcr.io, cert: client.pem, key: other.key}', '"cert" and "key" do not belong together'],
    ['{match: ghcr.io/a, connections: 3}', '"connections" is for a whole host'],
    ['{match: ghcr.io/a, reserve: 3}', '"reserve" is for a whole host'],
    ['{match: ghcr.io, connections: 0}', 'connections'],
    ['{match: ghcr.io, bandwidth: 20}', 'bandwidth'],
    ['{match: ghcr.io, bandwidth: 20Mb/s}', 'bandwidth'],
    ['{match: ghcr.io}, {match: ghcr.io/}', 'the registry "ghcr.io" is listed twice'],
  ])('%s', async (items, complaint) => {
    const found = complaints(await load(`registries: [${items}]\n`));
    expect(found.join('\n')).toContain(complaint);
    expect(found[0]).toMatch(/^1:\d+ /);
  });
});

test('a rate is a whole number of bytes a second', () => {
  expect(['1kB/s', '20MB/s', '3GB/s', '1KiB/s', '2MiB/s'].map(parseBandwidth)).toEqual([
    1000,
    20_000_000,
    3_000_000_000,
    1024,
    2 * 2 ** 20,
  ]);
  for (const bad of ['', '0MB/s', '-1MB/s', '1.5MB/s', '20MB', '20 MB/s', '20MB/m', '20mb/s']) {
    expect(parseBandwidth(bad)).toBeUndefined();
  }
});
