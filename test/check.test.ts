/** `slipway check` on what is really published: each rule that asks a registry, kept and broken. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CheckFinding } from '@slipway/core';
import { alpineImage, AMD64 } from '../demo/world/images.ts';
import { imageLayout, writeLayout } from '../demo/world/image.ts';
import { worldSettings } from '../demo/world/settings.ts';
import { HELLO, project, type Project, type ProjectOptions } from './chain/project.ts';
import { source } from './chain/shorthand.ts';
import { watch } from './chain/watching-proxy.ts';
import { crane, freshPath, slipway, world } from './world.ts';

interface Answer {
  readonly ok: boolean;
  readonly findings: readonly CheckFinding[];
}

/** A mode whose image lies beside its source, so that a test says what is in it. */
const GIVEN = `
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
const mode = {
  name: 'given',
  claims: (source) => source.endsWith('.layout'),
  inputs: async (entry) => ({ ok: true, value: { files: [entry.source], packageIndexes: [], bases: [], platforms: [{ os: 'linux', architecture: 'amd64' }], packages: [], options: {} } }),
  async build({ entry, files }) {
    const layout = join(files.work, 'layout');
    await cp(join(files.root, dirname(entry.source), 'layout'), layout, { recursive: true });
    return { ok: true, value: { layout } };
  },
};
export default { name: 'build-given', version: '1.0.0', api: '1.0', needs: { tools: [] }, apply: (hooks) => hooks.mode.tapPromise('build-given', async (modes) => modes.add(mode)) };
`;

function plugins(): readonly unknown[] {
  return worldSettings(world())['plugins'] as readonly unknown[];
}

/** Rule and message of what is found; other rules than `of` are off, so that each is seen alone. */
async function findings(one: Project, of: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await slipway(['check', '--json', '--progress', 'quiet', ...args], {
    cwd: one.folder,
  });
  if (stdout === '') throw new Error(stderr);
  const answer = JSON.parse(stdout) as Answer;
  return { code, found: answer.findings.filter(({ rule }) => rule === of), answer };
}

async function synced(label: string, more: ProjectOptions = {}) {
  const from = await source(label);
  const path = freshPath(label);
  const destination = `${world().destination.host}/${path}:1`;
  const entry = { source: `hub.slipway.example/${from.path}:1@${from.digest}`, destination };
  return { one: await project({ sync: [entry], ...more }), entry, path, destination, digest: from.digest };
}

describe('source-exists', () => {
  it('finds a source that is not there, and asks nobody with --offline', async () => {
    const { one, entry } = await synced('exists');
    expect((await findings(one, 'source-exists')).found).toEqual([]);
    await one.change({ sync: [{ ...entry, source: 'hub.slipway.example/library/none:1' }] });
    const { code, found } = await findings(one, 'source-exists');
    expect(code).toBe(1);
    expect(found).toMatchObject([
      { severity: 'error', at: { line: 1 }, message: expect.stringContaining('library/none:1') },
    ]);
    expect((await findings(one, 'source-exists', '--offline')).found).toEqual([]);
  });

  it('sends nothing at all with --offline', async () => {
    const proxy = await watch(world().source.host);
    const mirrors = [{ source: 'hub.slipway.example', mirror: proxy.host, trusted: true }];
    const { one } = await synced('silent', { settings: { mirrors } });
    await findings(one, 'source-exists', '--offline');
    expect(proxy.requests).toEqual([]);
    await findings(one, 'source-exists');
    expect(proxy.requests.length).toBeGreaterThan(0);
  });
});

describe('destination-signed', () => {
  it('says nothing before the first run, nor after it, and finds what was moved by hand', async () => {
    const { one, destination } = await synced('signed');
    expect((await findings(one, 'destination-signed')).found).toEqual([]);
    expect((await one.run('run')).code).toBe(0);
    const after = await findings(one, 'destination-signed');
    expect(after).toMatchObject({ code: 0, found: [] });
    const other = await source('by-hand');
    await crane('copy', `${world().source.host}/${other.path}:1`, destination);
    const { code, found } = await findings(one, 'destination-signed');
    expect(code).toBe(1);
    expect(found).toMatchObject([{ message: expect.stringContaining('lacks signature, sbom, scan, copy') }]);
  });
});

describe('destination-public', () => {
  it('pulls without credentials', async () => {
    const { one, path } = await synced('public');
    expect((await one.run('run')).code).toBe(0);
    expect((await findings(one, 'destination-public')).found).toEqual([]);
    const proxy = await watch(world().destination.host);
    // A registry that knows who asks only by a login, as a private repository does.
    proxy.intercept(({ headers }) =>
      headers['authorization'] === undefined
        ? {
            status: 401,
            headers: { 'www-authenticate': 'Basic realm="registry"' },
            body: '{"errors":[{"code":"UNAUTHORIZED","message":"login"}]}',
          }
        : undefined,
    );
    const hidden = await project({
      sync: [{ source: 'hub.slipway.example/library/alpine:3.20', destination: `${proxy.host}/${path}:1` }],
    });
    const auth = Buffer.from('me:secret').toString('base64');
    const { docker } = { docker: JSON.stringify({ auths: { [proxy.host]: { auth } } }) };
    await hidden.change({ files: { 'docker/config.json': docker } });
    const env = { DOCKER_CONFIG: `${hidden.folder}/docker` };
    const { stdout } = await slipway(['check', '--json'], { cwd: hidden.folder, env });
    const { findings: all } = JSON.parse(stdout) as Answer;
    expect(all.filter(({ rule }) => rule === 'destination-public')).toMatchObject([
      { message: expect.stringContaining('cannot be pulled without credentials') },
    ]);
  });
});

describe('what an image of ours is made of', () => {
  it.each([
    [
      ['busybox', 'apk-tools'],
      undefined,
      [
        'no-package-manager: linux/amd64 has a package manager: apk-tools',
        'no-shell: linux/amd64 has a shell: busybox',
        'non-root: linux/amd64 runs as root, because it names no user',
      ],
    ],
    [['musl'], '0:65532', ['non-root: linux/amd64 runs as 0:65532']],
    [['musl', 'bash-completion'], '65532', []],
  ] as const)('of %j, run as %s, says %j', async (packages, user, expected) => {
    const installed = packages.map((name) => ({ name, version: '1.0-r0' }));
    const image = {
      ...alpineImage(AMD64, installed, `check ${String(user)}`),
      ...(user === undefined ? {} : { user }),
    };
    const one = await project({
      build: [
        { source: 'images/given/image.layout', destination: `${world().destination.host}/${freshPath('made')}:1` },
      ],
      settings: { plugins: [...plugins(), './given.js'] },
      files: { 'given.js': GIVEN, 'images/given/image.layout': '' },
    });
    await writeLayout(imageLayout([image]), join(one.folder, 'images', 'given', 'layout'));
    expect((await findings(one, 'non-root')).answer.findings).toEqual([]);
    const ran = await one.run('run');
    expect(ran.code, ran.stderr).toBe(0);
    const { code, answer } = await findings(one, 'non-root');
    expect(answer.findings.map(({ rule, message }) => `${rule}: ${message}`).toSorted()).toEqual(expected);
    expect(answer.findings.every(({ severity }) => severity === 'warning')).toBe(true);
    expect(code).toBe(0);
  });

  it('does not pass an image whose SBOM lists nothing, though packages were scanned', async () => {
    const destination = `${world().destination.host}/${freshPath('patterns')}:1`;
    const one = await project({ build: [{ source: HELLO, destination, platforms: ['linux/amd64'] }] });
    expect((await one.run('run')).code).toBe(0);
    const { answer } = await findings(one, 'no-shell');
    const said = answer.findings.map(({ rule, message }) => `${rule}: ${message}`);
    // Once apko lists what these packages install, it is the shell itself that is found.
    expect(said.filter((line) => line.startsWith('no-shell'))).toEqual([
      expect.stringMatching(/linux\/amd64 (?:does not say in its attested SBOM|has a shell: busybox)/),
    ]);
  });

  it('asks nothing of what is only synced', async () => {
    const layout = imageLayout([alpineImage(AMD64, [{ name: 'bash', version: '5' }], 'bash')]);
    const from = await source('bash', layout);
    const destination = `${world().destination.host}/${freshPath('bash')}:1`;
    const one = await project({ sync: [{ source: `hub.slipway.example/${from.path}:1@${from.digest}`, destination }] });
    expect((await one.run('run')).code).toBe(0);
    expect((await findings(one, 'no-shell')).answer.findings).toEqual([]);
  });
});

describe('settings', () => {
  it('waives, documents, and refuses a rule that there is not', async () => {
    const { one, entry, path } = await synced('settings');
    const repository = `${world().destination.host}/${path}`;
    const tagOnly = { ...entry, source: entry.source.replace(/@.*/, '') };
    const check = {
      documentedIn: 'README.md',
      waivers: [{ rule: 'source-pinned', match: `${repository}*`, reason: 'it moves with us', expires: '2099-01-01' }],
    };
    await one.change({ sync: [tagOnly], settings: { check }, files: { 'README.md': `- ${repository}\n` } });
    const { code, answer } = await findings(one, 'source-pinned', '--offline');
    expect(code).toBe(0);
    expect(answer.findings).toMatchObject([{ rule: 'source-pinned', waived: 'it moves with us' }]);
    await one.change({ settings: { check: { rules: { 'source-pined': 'off' } } } });
    const refused = await one.run('check');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('source-pinned');
  });

  it('prints SARIF for code hosts, and exits as it does otherwise', async () => {
    const { one, entry } = await synced('sarif');
    await one.change({
      sync: [{ ...entry, source: entry.source.replace(/@.*/, '') }],
      settings: { ...worldSettings(world()) },
    });
    const { code, stdout } = await slipway(['check', '--offline', '--format', 'sarif'], { cwd: one.folder });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          results: [
            {
              ruleId: 'source-pinned',
              locations: [{ physicalLocation: { artifactLocation: { uri: 'config.yaml' } } }],
            },
          ],
        },
      ],
    });
  });
});
