/** Keyless end to end: a real certificate authority and timestamp authority on loopback. */
import { expect, test } from 'vitest';
import { cosign, freshPath, identityToken, world } from '../world.ts';
import { project } from './project.ts';
import { source } from './shorthand.ts';

const WHO = 'robot@slipway.example';

test('an identity signs, is verified by Slipway and by cosign; another identity, or none, is not enough', async () => {
  const { destination, keyless } = world();
  if (keyless === undefined) throw new Error('the world has no keyless signing');
  const { issuer, signingConfig, trustedRoot } = keyless;
  const [path, from] = [freshPath('keyless'), await source('keyless')];
  const reference = `${destination.host}/${path}:1`;
  const signing = (subject: string): Readonly<Record<string, unknown>> => ({
    signing: { keyless: { issuer, subject }, identityTokenEnv: 'ROBOT_TOKEN', signingConfig, trustedRoot },
  });
  const sync = [{ source: `hub.slipway.example/${from.path}:1`, destination: reference }];
  const one = await project({ sync, settings: signing(WHO) });

  const without = await one.run('run');
  expect(without.code, without.stdout).toBe(2);
  expect(without.stdout).toContain('no key and no ambient identity');

  const env = { ROBOT_TOKEN: await identityToken(WHO) };
  const ran = await one.runWith({ env }, 'run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.row(`${path}:1`)).toMatchObject({ outcome: 'published', signed: true, digest: from.digest });

  const again = await one.runWith({ env }, 'run');
  expect(again.row(`${path}:1`).outcome).toBe('unchanged');
  expect(again.answer.tools).toEqual([]);

  expect((await one.run('verify', '--deep')).code).toBe(0);
  const flags = [
    '--use-signed-timestamps',
    '--insecure-ignore-tlog',
    '--insecure-ignore-sct',
    '--trusted-root',
    trustedRoot,
  ];
  const identity = (who: string): readonly string[] => [
    '--certificate-identity',
    who,
    '--certificate-oidc-issuer',
    issuer,
  ];
  const theirs = await cosign(['verify', ...flags, ...identity(WHO), reference]);
  expect(theirs.code, theirs.stderr).toBe(0);
  expect((await cosign(['verify', ...flags, ...identity('other@slipway.example'), reference])).code).not.toBe(0);

  await one.change({ settings: signing('other@slipway.example') });
  const wrong = await one.run('verify');
  expect(wrong.code).toBe(1);
  expect(wrong.answer.entries[0]?.missing).toContain('signature');
});

test('a token of another identity than the settings name publishes nothing', async () => {
  const { destination, keyless } = world();
  if (keyless === undefined) throw new Error('the world has no keyless signing');
  const { issuer, signingConfig, trustedRoot } = keyless;
  const [path, from] = [freshPath('impostor'), await source('impostor')];
  const one = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${destination.host}/${path}:1` }],
    settings: {
      signing: { keyless: { issuer, subject: WHO }, identityTokenEnv: 'ROBOT_TOKEN', signingConfig, trustedRoot },
      limits: { tries: 1 },
    },
  });
  const ran = await one.runWith({ env: { ROBOT_TOKEN: await identityToken('impostor@slipway.example') } }, 'run');
  expect(ran.code).toBe(1);
  const row = ran.row(`${path}:1`);
  expect(row).toMatchObject({ outcome: 'failed', signed: false, failure: { reason: 'trust', class: 'permanent' } });
  expect(row.failure?.message).toContain(`does not verify as ${WHO}`);
  expect((await one.run('verify')).answer.entries[0]?.missing).toEqual(['tag']);
});
