/** What a run says of what it judges images by. */
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownSettings, ownSigner } from '../own-signer.ts';
import { answerOf, command, folderWith } from '../testing.ts';

const finding = {
  id: 'CVE-2026-1',
  severity: 'HIGH',
  package: 'a',
  installed: '1',
  fixed: '2',
  platforms: ['linux/amd64'],
};

/** A folder whose config publishes `entries`, and what its scanner finds from now on. */
function folderOf(entries: readonly string[], policy: string) {
  const cwd = folderWith({
    ...ownSigner(),
    'config.yaml': `sync:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`,
    'slipway.config.yaml': `${ownSettings()}policy: ${policy}\n`,
  });
  const finds = (scan: Readonly<Record<string, unknown>>): void =>
    writeFileSync(join(cwd, 'scan.json'), JSON.stringify({ at: '2026-11-23T10:00:00Z', ...scan }));
  return { cwd, finds };
}

/** A run that signs nothing. */
async function judged(scan: Readonly<Record<string, unknown>>, policy = '{ sync: refuse }', images = ['a']) {
  await using registry = await startScriptedRegistry();
  const { host } = registry;
  for (const name of images) seedImage(registry, name, name, { tag: '1' });
  const entries = images.map((name) => `{ source: '${host}/${name}:1', destination: 'r.example/${name}:1' }`);
  const { cwd, finds } = folderOf(entries, policy);
  finds(scan);
  return await command({ cwd }, 'run', '--to', `${host}/try`);
}

it('a database that is more than a week old is told once, though nothing is found with it', async () => {
  const ran = await judged({ database: '2026-11-16T09:59:59Z' }, '{ sync: refuse }', ['a', 'b']);
  expect(ran.code, ran.stdout).toBe(0);
  expect(
    ran.stderr.match(/own scans with a database of 2026-11-16T09:59:59Z: nothing that became known/g),
  ).toHaveLength(1);
  for (const database of ['2026-11-16T10:00:00Z', '2027-11-16T10:00:00Z', undefined])
    expect((await judged({ database })).stderr).not.toContain('database');
});

it('what nobody could scan is refused with what accepts it, and a waiver that has ended is named', async () => {
  const policy = `{ sync: { verdict: refuse, unscannable: refuse }, waivers: [{ id: cve-2026-1, reason: none, expires: '2026-01-31' }] }`;
  const unread = await judged({ status: 'unscanned', why: 'no packages were found' }, policy);
  expect(unread.code).toBe(3);
  expect(unread.stdout).toContain('→ no waiver covers what cannot be scanned: "unscannable: report" accepts it');
  const ended = await judged({ findings: [finding] }, policy);
  expect(ended.code).toBe(3);
  expect(ended.stdout).toContain(
    '→ a waiver ended: that of CVE-2026-1 on 2026-01-31; take an image that has the fixes',
  );
});

it('an operating system at its end of life is told once, and refuses where the policy says so, also what is published', async () => {
  await using registry = await startScriptedRegistry();
  const { host } = registry;
  const names = ['a', 'b'];
  for (const name of names) seedImage(registry, name, name, { tag: '1' });
  const { cwd, finds } = folderOf(
    names.map((name) => `{ source: '${host}/${name}:1', destination: '${host}/to/${name}:1' }`),
    '{ overrides: [{ match: "**/a:1", endOfLife: report }] }',
  );
  finds({ os: 'alpine 3.16', endOfLife: true });
  const ran = await command({ cwd }, 'run');
  expect(ran.code, ran.stdout).toBe(0);
  expect(ran.stdout.match(/ none, end of life /g)).toHaveLength(2);
  expect(ran.stdout.match(/2 images have .* end of life \(alpine 3\.16\), which .*/g)).toHaveLength(1);
  expect(ran.stderr).not.toContain('warning');

  const settings = join(cwd, 'slipway.config.yaml');
  const strict = readFileSync(settings, 'utf8').replace('policy: {', 'policy: { sync: { endOfLife: refuse },');
  writeFileSync(settings, strict);
  const ahead = await command({ cwd }, 'plan', '--resolve', '--json');
  expect(ahead.stdout).toContain('the policy refuses it now');
  for (const name of ['run', 'scan']) {
    const again = await command({ cwd }, name, '--json');
    expect(again.code, again.stdout).toBe(3);
    expect(answerOf(again).entries).toMatchObject([
      { outcome: 'unchanged', endOfLife: ['alpine 3.16'] },
      {
        outcome: 'refused',
        failure: {
          refusals: [expect.stringMatching(/^alpine 3\.16 is at its end of life, on linux\/amd64: /)],
          hint: expect.stringMatching(/^take an image of a release that still gets advisories;.*"endOfLife: report"/),
        },
      },
    ]);
  }
});

it('scan judges what is only tagged again too', async () => {
  await using registry = await startScriptedRegistry();
  const { host } = registry;
  seedImage(registry, 'a', 'a', {
    tag: '1',
    platforms: ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture })),
  });
  const entries = [
    ['a:1', 'to/a:1'],
    ['to/a:1', 'to/a:stable'],
    ['to/a:1', 'elsewhere/a:1'],
  ].map(([source, destination]) => `{ source: '${host}/${source}', destination: '${host}/${destination}' }`);
  const { cwd, finds } = folderOf(entries, '{ sync: refuse }');
  finds({});
  expect((await command({ cwd }, 'run')).code).toBe(0);
  finds({ findings: [finding], at: '2026-11-24T10:00:00Z' });
  const scanned = await command({ cwd }, 'scan');
  expect(scanned.code, scanned.stdout).toBe(3);
  for (const tag of ['to/a:1', 'to/a:stable', 'elsewhere/a:1'])
    expect(scanned.stdout).toMatch(new RegExp(`${host}/${tag} +refused .* 0C 1H `));
  expect((await command({ cwd }, 'verify', '--deep')).code).toBe(0);
});

it('a scan that a wrong clock has dated ahead does not hide what is found after it', async () => {
  // Such a registry lists all that was ever attached.
  await using registry = await startScriptedRegistry({ referrersApi: true });
  const { host } = registry;
  seedImage(registry, 'a', 'a', { tag: '1' });
  const { cwd, finds } = folderOf([`{ source: '${host}/a:1', destination: '${host}/to/a:1' }`], '{ sync: refuse }');
  finds({ at: '2999-11-23T10:00:00Z' });
  expect((await command({ cwd }, 'run')).code).toBe(0);
  finds({ findings: [finding] });
  expect((await command({ cwd }, 'scan')).code).toBe(3);
  const ran = await command({ cwd }, 'run');
  expect(ran.code, ran.stdout).toBe(3);
});
