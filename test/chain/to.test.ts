/** `--to`: a run elsewhere that can never make a production signature. */
import { expect, test } from 'vitest';
import { crane, freshPath, freshPrefix, world } from '../world.ts';
import { HELLO, project } from './project.ts';
import { digestOf, source, verifies } from './shorthand.ts';

const scratch = () => {
  const { keys } = world();
  return {
    key: keys.scratch.key,
    publicKey: keys.scratch.publicKey,
    signingConfig: keys.signingConfig,
    trustedRoot: keys.trustedRoot,
  };
};

const entries = (path: string) => ({
  sync: [
    { source: `hub.slipway.example/${path}:1`, destination: 'registry.slipway.example/a/synced:1' },
    { source: 'registry.slipway.example/b/hello:latest', destination: 'registry.slipway.example/b/hello:stable' },
  ],
  build: [{ source: `./${HELLO}`, destination: 'registry.slipway.example/b/hello:latest' }],
});

test('with a scratch key the chain is whole, and the production key is not even read', async () => {
  const prefix = freshPrefix('to');
  const one = await project({
    ...entries((await source('to')).path),
    // Whoever signed with this key would fail.
    files: { 'broken.key': 'no key at all' },
    settings: { signing: { key: './broken.key', publicKey: world().keys.production.publicKey, scratch: scratch() } },
  });
  const ran = await one.run('run', '--to', prefix);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.answer.entries.map(({ destination, signed }) => [destination, signed])).toEqual([
    [`${prefix}/a/synced:1`, true],
    [`${prefix}/b/hello:stable`, true],
    [`${prefix}/b/hello:latest`, true],
  ]);
  for (const { destination } of ran.answer.entries) {
    expect(await verifies(destination, world().keys.scratch.publicKey)).toBe(true);
    expect(await verifies(destination, world().keys.production.publicKey)).toBe(false);
  }
  expect((await one.run('verify', '--to', prefix)).code).toBe(0);
  expect((await one.run('run', '--to', prefix)).answer.tools).toEqual([]);
});

test('without a scratch key it signs and attaches nothing, says so, and is never up to date', async () => {
  const prefix = freshPrefix('unsigned');
  const { run } = await project({
    ...entries((await source('unsigned')).path),
    files: { 'broken.key': 'no key at all' },
    settings: { signing: { key: './broken.key', publicKey: world().keys.production.publicKey } },
  });
  const ran = await run('run', '--to', prefix);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const { entries: rows } = ran.answer;
  expect(rows.map(({ outcome, signed }) => [outcome, signed])).toEqual(rows.map(() => ['published', false]));
  for (const { destination, digest } of rows) {
    expect(await digestOf(destination)).toBe(digest);
    const listed = await crane('ls', destination.slice(0, destination.lastIndexOf(':')));
    expect(listed.stdout).not.toContain('sha256-');
  }
  const again = await run('run', '--to', prefix);
  expect(again.code, again.stdout).toBe(0);
  expect(again.answer.tools.find(({ name }) => name === 'trivy')?.started).toBeGreaterThanOrEqual(3);
  expect(again.answer.entries.map(({ outcome, signed }) => [outcome, signed])).toEqual(
    rows.map(() => ['unchanged', false]),
  );
  const verified = await run('verify', '--to', prefix);
  expect(verified.code).not.toBe(0);
  expect(verified.stdout).toMatch(/scratch|signature/);
});

test('the gate refuses in a run without signatures too', async () => {
  const prefix = freshPrefix('unsigned');
  const { run } = await project({
    sync: [{ source: 'hub.slipway.example/library/legacy:1', destination: 'registry.slipway.example/legacy:1' }],
    files: { 'broken.key': 'no key at all' },
    settings: {
      policy: { sync: 'refuse' },
      signing: { key: './broken.key', publicKey: world().keys.production.publicKey },
    },
  });
  const ran = await run('run', '--to', prefix);
  expect(ran.code, ran.stdout).toBe(3);
  expect(await digestOf(`${prefix}/legacy:1`)).toBeUndefined();
});

test('a fork that has no production key file plans and tries elsewhere all the same; a real run says what is missing', async () => {
  const { destination, keys } = world();
  const [path, from] = [freshPath('fork'), await source('fork')];
  const { run } = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${destination.host}/${path}:1` }],
    settings: { signing: { key: './not-in-forks.key', publicKey: keys.production.publicKey } },
  });
  expect((await run('plan')).code).toBe(0);
  const real = await run('run');
  expect(real.code).toBe(2);
  expect(real.stderr).toMatch(/slipway\.config\.json:\d+:\d+: the key file .*not-in-forks\.key is not there/);
  expect((await run('run', '--to', freshPrefix('fork'))).code).toBe(0);
});
