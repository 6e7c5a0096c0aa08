/** What is known of builds, of which several entries may come to one image in one repository, as two versions of a base with the same packages. */
import { join } from 'node:path';
import { startScriptedRegistry } from '@slipway/core/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { writeFileSync } from 'node:fs';
import { ownSettings, ownSigner } from '../own-signer.ts';
import { command, folderWith } from '../testing.ts';

const core = join(import.meta.dirname, '../../core/src/oci/write-layout.ts');
const PROVENANCE = 'https://slsa.dev/provenance/v1';

/** Makes the same image of every text. */
const same = `import { join } from 'node:path';
import { writeImageLayout } from '${core}';

const platform = { os: 'linux', architecture: 'amd64' };
const mode = {
  name: 'same',
  claims: (source) => source.endsWith('.txt'),
  inputs: async ({ source }) => ({
    ok: true,
    value: { files: [source], packageIndexes: [], bases: [], platforms: [platform], packages: [], options: {}, maxAge: 30 * 24 * 3600 * 1000 },
  }),
  build: async ({ files }) => {
    const layout = join(files.work, 'layout');
    await writeImageLayout(layout, [{ platform, layers: [[{ type: 'file', path: 'a', content: Buffer.from('a') }]] }]);
    return { ok: true, value: { layout } };
  },
};
export default {
  name: 'build-same',
  version: '1.0.0',
  api: '1.0',
  needs: { tools: [] },
  apply: (hooks) => hooks.mode.tapPromise('build-same', async (modes) => modes.add(mode)),
};
`;

interface Answered {
  readonly entries: readonly { readonly destination: string; readonly digest: string; readonly why: string }[];
}

interface List {
  readonly manifests: readonly Listed[];
}

interface Listed {
  readonly annotations: Readonly<Record<string, string>>;
}

/** How many of these are provenance. */
function provenance(listed: readonly Listed[]): number {
  return listed.filter(({ annotations }) => Object.values(annotations).includes(PROVENANCE)).length;
}

it.each([false, true])(
  'each has provenance of its own, and neither is built again (referrers API: %s)',
  async (referrersApi) => {
    await using registry = await startScriptedRegistry({ referrersApi });
    const { host } = registry;
    const cwd = folderWith({
      ...ownSigner(),
      'slipway.config.yaml': ownSettings().replace('./own.mjs', './own.mjs, ./same.mjs'),
      'config.yaml': `build:
  - { source: ./one.txt, destination: '${host}/image:1', tags: [older] }
  - { source: ./two.txt, destination: '${host}/image:2' }
sync:
  - { source: '${host}/image:1', destination: '${host}/elsewhere:1' }
`,
      'one.txt': '1',
      'two.txt': '2',
      'same.mjs': same,
    });
    const run = async (): Promise<Answered['entries']> => {
      const ran = await command({ cwd }, 'run', '--json');
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      expect((await command({ cwd }, 'verify', '--deep')).code).toBe(0);
      return (JSON.parse(ran.stdout) as Answered).entries;
    };
    const published = await run();
    const [digest = ''] = [...new Set(published.map((row) => row.digest))];
    expect(published.map((row) => row.digest)).toEqual(Array.from({ length: 4 }, () => digest));
    expect((await run()).map(({ why }) => why)).not.toContainEqual(expect.stringContaining('changed:'));
    writeFileSync(join(cwd, 'one.txt'), 'changed');
    expect((await run()).map(({ why }) => why)).toContain('changed: file one.txt');
    if (referrersApi) return;
    const text = new TextDecoder().decode(registry.manifest('image', digest.replace(':', '-'))?.bytes);
    expect(provenance((JSON.parse(text) as List).manifests)).toBe(2);
  },
);

it('one entry has one provenance, in each format, also where the first of its tags is another one with each commit', async () => {
  await using registry = await startScriptedRegistry();
  const cwd = folderWith({
    ...ownSigner(),
    'slipway.config.yaml': ownSettings('both').replace('./own.mjs', './own.mjs, ./same.mjs'),
    'config.yaml': `build: [{ source: ./one.txt, destination: '${registry.host}/image:{sha}', tags: [latest] }]\n`,
    'one.txt': '1',
    'same.mjs': same,
  });
  const read = (tag: string): unknown =>
    JSON.parse(new TextDecoder().decode(registry.manifest('image', tag)?.bytes)) as unknown;
  for (const commit of ['a', 'b']) {
    const env = { GITHUB_SHA: commit.repeat(40), GITHUB_REF: 'refs/heads/main' };
    const ran = await command({ cwd, env }, 'run', '--json');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    const list = (JSON.parse(ran.stdout) as Answered).entries[0]?.digest.replace(':', '-') ?? '';
    expect(provenance((read(list) as List).manifests)).toBe(1);
    expect(provenance((read(`${list}.att`) as { readonly layers: readonly Listed[] }).layers)).toBe(1);
  }
});

it('what a clock that was ahead dated is built again by its age, once', async () => {
  onTestFinished(() => void vi.useRealTimers());
  await using registry = await startScriptedRegistry();
  const cwd = folderWith({
    ...ownSigner(),
    'slipway.config.yaml': ownSettings().replace('./own.mjs', './own.mjs, ./same.mjs'),
    'config.yaml': `build: [{ source: ./one.txt, destination: '${registry.host}/image:1' }]\n`,
    'one.txt': '1',
    'same.mjs': same,
  });
  const ranAt = async (now: string): Promise<string | undefined> => {
    vi.useFakeTimers({ now: new Date(now), toFake: ['Date'] });
    const ran = await command({ cwd }, 'run', '--json');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return (JSON.parse(ran.stdout) as Answered).entries[0]?.why;
  };
  expect(await ranAt('2030-11-23T10:00:00Z')).toBe('not published yet');
  expect(await ranAt('2026-11-23T10:00:00Z')).toMatch(/^its build is from 2030-11-23/);
  expect(await ranAt('2026-11-24T10:00:00Z')).not.toMatch(/^its build is from/);
});
