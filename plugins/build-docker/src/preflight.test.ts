import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { userConfig } from './builder.ts';
import { preflight } from './preflight.ts';

const tasks = [{ id: 'build:a', contract: 'image.build@1/docker', input: {} }];

async function messages(options: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>>, root = '/') {
  return (await preflight({ tasks, options, root, env })).map((failure) => `${failure.reason}: ${failure.message}`);
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'slipway-preflight-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it('names a socket that is not there', async () => {
  const at = folder();
  const endpoint = `unix://${join(at, 'buildkitd.sock')}`;
  expect(await messages({ endpoint }, {})).toEqual([
    `missing-tool: no buildkitd listens at ${join(at, 'buildkitd.sock')}`,
  ]);
  writeFileSync(join(at, 'buildkitd.sock'), '');
  expect(await messages({ endpoint }, {})).toEqual([]);
});

it('names every socket that is missing, and a cache that cannot be', async () => {
  const at = folder();
  const endpoints = {
    'linux/amd64': `unix://${at}/a`,
    'linux/arm64': 'tcp://arm.example:1',
    'linux/s390x': `unix://${at}/b`,
  };
  writeFileSync(join(at, 'b'), '');
  expect(await messages({ endpoints }, {})).toEqual([`missing-tool: no buildkitd listens at ${at}/a`]);
  expect(await messages({ builder: 'mine', cacheFrom: ['type=gha,scope={source}', 'type=gha,token=x'] }, {})).toEqual([
    'config: "cacheFrom/1" in the options of the plugin build-docker holds a secret in "token"',
  ]);
});

it('leaves what only buildx knows to buildx', async () => {
  expect(await messages({ endpoint: 'tcp://buildkit.example:1234' }, {})).toEqual([]);
  expect(await messages({ builder: 'mine' }, {})).toEqual([]);
  expect(await messages({}, { DOCKER_HOST: 'tcp://docker.example:2376' })).toEqual([]);
});

it('finds the builder that buildx has chosen', async () => {
  const at = folder();
  mkdirSync(join(at, 'buildx'));
  writeFileSync(join(at, 'buildx', 'current'), '{}');
  expect(await messages({}, { DOCKER_CONFIG: at })).toEqual([]);
});

it('looks for no builder where there is no home', async () => {
  const home = relative(process.cwd(), folder());
  mkdirSync(join(home, '.docker', 'buildx'), { recursive: true });
  writeFileSync(join(home, '.docker', 'buildx', 'current'), '{}');
  vi.stubEnv('HOME', home);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(userConfig({ HOME: home })).toBeUndefined();
  expect(userConfig()).toBeUndefined();
});

it('names every secret whose source is missing', async () => {
  const secrets = { a: { env: 'NOT_SET' }, b: { file: 'gone' } };
  expect(await messages({ secrets, builder: 'mine' }, {})).toEqual([
    'config: the build secret "a" comes from the environment variable NOT_SET, which is not set',
    'config: the build secret "b" comes from the file gone, which cannot be read',
  ]);
  const at = folder();
  writeFileSync(join(at, 'token'), 'x');
  expect(await messages({ secrets: { a: { file: 'token' } }, builder: 'mine' }, {}, at)).toEqual([]);
});
