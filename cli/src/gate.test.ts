/** What a run says of what it judges images by. */
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

/** Scans as `scan.json` says, in a run that signs nothing. */
const SCANNER = `import { readFileSync } from 'node:fs';
export default { name: 'own', version: '1.0.0', api: '1.1', needs: { tools: [] },
  apply: (hooks) => hooks.task.for('image.scan@1').tapPromise('own', async ({ children }) => {
    const { database, ...platform } = JSON.parse(readFileSync(import.meta.dirname + '/scan.json', 'utf8'));
    const at = '2026-11-23T10:00:00Z';
    const platforms = children.map(({ digest }) => ({ digest, platform: 'linux/amd64', status: 'scanned', packages: 1, findings: [], ...platform }));
    return { ok: true, value: { scanner: { name: 'own', version: '1', uri: 'https://own.example' }, database, startedAt: at, finishedAt: at, platforms } };
  }) };`;

async function judged(scan: Readonly<Record<string, unknown>>, policy = '{ sync: refuse }', images = ['a']) {
  await using registry = await startScriptedRegistry();
  const { host } = registry;
  for (const name of images) seedImage(registry, name, name, { tag: '1' });
  const cwd = folderWith({
    'config.yaml': `sync:\n${images.map((name) => `  - { source: '${host}/${name}:1', destination: 'r.example/${name}:1' }\n`).join('')}`,
    'slipway.config.yaml': `plugins: [./own.mjs]\nuse: { image.scan: own }\npolicy: ${policy}\n`,
    'own.mjs': SCANNER,
    'scan.json': JSON.stringify(scan),
  });
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
  const finding = {
    id: 'CVE-2026-1',
    severity: 'HIGH',
    package: 'a',
    installed: '1',
    fixed: '2',
    platforms: ['linux/amd64'],
  };
  const ended = await judged({ findings: [finding] }, policy);
  expect(ended.code).toBe(3);
  expect(ended.stdout).toContain(
    '→ a waiver ended: that of CVE-2026-1 on 2026-01-31; take an image that has the fixes',
  );
});
