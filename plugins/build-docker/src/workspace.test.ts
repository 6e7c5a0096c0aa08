import type { BuildContext, BuildEntry } from '@slipway/core';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeWorkspace } from './workspace.ts';

it('takes what is gone again when its turn comes for what was never there', async () => {
  const top = mkdtempSync(join(tmpdir(), 'slipway-docker-'));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  const [root, work] = [join(top, 'root'), join(top, 'work')];
  const going = ['.file.swp', 'folder', 'link'].map((name) => join(root, name));
  mkdirSync(join(root, 'folder'), { recursive: true });
  mkdirSync(work);
  for (const name of ['Dockerfile', '.file.swp', 'folder/file']) writeFileSync(join(root, name), 'FROM scratch\n');
  symlinkSync('Dockerfile', join(root, 'link'));
  const entry = { source: 'Dockerfile', dockerOptions: {} } as unknown as BuildEntry;
  const signal = {
    // Looked at before each item, and so when the folder was listed.
    get aborted(): boolean {
      for (const path of going) rmSync(path, { recursive: true, force: true });
      return false;
    },
  };
  const made = await makeWorkspace({ entry, files: { root, work }, signal } as unknown as BuildContext);
  expect(made).toMatchObject({ ok: true });
  expect(existsSync(join(work, 'context/Dockerfile'))).toBe(true);
  expect(['.file.swp', 'folder', 'link'].filter((name) => existsSync(join(work, 'context', name)))).toEqual([]);
});
