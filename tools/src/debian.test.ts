import { expect, it } from 'vitest';
import { ensureDebianPackages } from './debian.ts';
import type { Run } from './debian.ts';

/** A dpkg that knows what is installed, and an apt-get that installs. */
function system(installed: readonly string[], apt = true): { readonly run: Run; readonly calls: string[] } {
  const calls: string[] = [];
  const run: Run = async (program, args) => {
    calls.push([program, ...args].join(' '));
    if (program !== 'dpkg-query')
      return { ok: apt, stdout: '', stderr: apt ? '' : 'E: Unable to locate package skopeo\n' };
    return {
      ok: false,
      stdout: installed.map((name) => `${name} installed\n`).join('') + 'skopeo config-files\n',
      stderr: '',
    };
  };
  return { run, calls };
}

it('leaves a system alone that has everything', async () => {
  const { run, calls } = system(['bubblewrap']);
  expect(await ensureDebianPackages(['bubblewrap'], { run, root: true })).toMatchObject({ ok: true });
  expect(calls).toHaveLength(1);
});

it('installs as root what is missing, and only that', async () => {
  const { run, calls } = system(['bubblewrap']);
  const told: string[] = [];
  const onInstall = (names: readonly string[]): void => void told.push(...names);
  expect(await ensureDebianPackages(['bubblewrap', 'skopeo'], { run, root: true, onInstall })).toMatchObject({
    ok: true,
  });
  expect(told).toEqual(['skopeo']);
  expect(calls.slice(1)).toEqual(['apt-get update -q', 'apt-get install -y -q --no-install-recommends -- skopeo']);
});

it('tells everybody else what to install, and touches nothing', async () => {
  const { run, calls } = system([]);
  const result = await ensureDebianPackages(['skopeo'], { run, root: false });
  expect(result).toMatchObject({ ok: false, failure: { reason: 'missing-tool' } });
  expect(JSON.stringify(result)).toContain('apt-get install --no-install-recommends skopeo');
  expect(calls).toHaveLength(1);
});

it('says what apt-get said when it fails', async () => {
  const { run } = system([], false);
  const result = await ensureDebianPackages(['skopeo'], { run, root: true });
  expect(JSON.stringify(result)).toContain('Unable to locate package skopeo');
});
