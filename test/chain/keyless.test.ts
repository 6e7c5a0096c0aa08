/** Keyless through the whole chain, on a real certificate authority and timestamp authority; and two checkouts, one digest. */
import { expect, test } from 'vitest';
import { freshPath, identityToken, world } from '../world.ts';
import { HELLO, project } from './project.ts';
import { digestOf, source } from './shorthand.ts';

const ALL = ['signature', 'sbom', 'scan', 'copy'];
const EMAIL = 'release@slipway.example';

function keyless(subject: string): Readonly<Record<string, unknown>> {
  const { keyless: services } = world();
  return {
    signing: {
      keyless: { issuer: services?.issuer, subject },
      signingConfig: services?.signingConfig,
      trustedRoot: services?.trustedRoot,
    },
  };
}

test('keyless: signed by the identity, believed only by it, and nothing runs without one', async () => {
  const [path, from] = [freshPath('keyless'), await source('keyless')];
  const reference = `${world().destination.host}/${path}:1`;
  const one = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: reference }],
    settings: keyless(EMAIL),
  });
  const without = await one.run('run');
  expect(without.code).toBe(2);
  expect(without.stdout).toMatch(/no key and no ambient identity/);
  expect(await digestOf(reference)).toBeUndefined();

  const env = { SIGSTORE_ID_TOKEN: await identityToken(EMAIL) };
  const ran = await one.runWith({ env }, 'run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.row(`${path}:1`)).toMatchObject({ outcome: 'published', signed: true, digest: from.digest });
  expect((await one.run('verify', '--deep')).code).toBe(0);
  expect((await one.runWith({ env }, 'run')).answer.tools).toEqual([]);
  expect(ran.stdout + ran.stderr).not.toContain(env.SIGSTORE_ID_TOKEN);

  await one.change({ settings: keyless('somebody@else.example') });
  const refused = await one.run('verify');
  expect(refused.code).toBe(1);
  expect(refused.answer.entries).toMatchObject([{ ok: false, missing: ALL }]);

  // Somebody else's token cannot sign in our name: what it makes is not believed, so no tag is moved.
  const other = freshPath('keyless');
  await one.change({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${world().destination.host}/${other}:1` }],
    settings: { ...keyless(EMAIL), limits: { tries: 1 } },
  });
  const theirs = await one.runWith({ env: { SIGSTORE_ID_TOKEN: await identityToken('somebody@else.example') } }, 'run');
  expect(theirs.code, theirs.stdout).toBe(1);
  expect(await digestOf(`${world().destination.host}/${other}:1`)).toBeUndefined();
});

test('two checkouts at two paths make one digest', async () => {
  const { host } = world().destination;
  const paths = [freshPath('one'), freshPath('two')];
  const digests = await Promise.all(
    paths.map(async (path) => {
      const { run } = await project({ build: [{ source: `./${HELLO}`, destination: `${host}/${path}:1` }] });
      return (await run('run')).row(`${path}:1`).digest;
    }),
  );
  expect(digests[0]).toMatch(/^sha256:/);
  expect(digests[1]).toBe(digests[0]);
});
