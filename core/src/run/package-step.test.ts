/** A package task from the config to its tool: what a plugin is given holds until it has answered. */
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { loadSettings } from '../config/load-settings.ts';
import { ok } from '../failure.ts';
import { createPlan } from '../plan/create.ts';
import { folderFiles } from '../plan/files.ts';
import type { Mode, Plugin } from '../plugin/api.ts';
import { implement } from '../plugin/hooks.ts';
import { createHost } from '../plugin/host.ts';
import { writeImageLayout } from '../oci/write-layout.ts';
import { execute } from './execute.ts';
import { openSession } from './session.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const mode: Mode = {
  name: 'list',
  claims: () => true,
  inputs: ({ source }) =>
    Promise.resolve(
      ok({ files: [source], platforms: [platform], packageIndexes: [], bases: [], packages: [], options: {} }),
    ),
  async build({ files }) {
    const layout = join(files.work, 'layout');
    const written = await writeImageLayout(layout, [{ platform, layers: [[]], settings: {} }]);
    return written.ok ? ok({ layout }) : written;
  },
};

test("a package's work folder is there until its plugin has answered", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const entry = { source: './image.list', destination: 'oci:./out:1', melangeConfigs: ['./package.yaml'] };
  for (const [name, text] of [
    ['config.yaml', JSON.stringify({ build: [entry] })],
    ['slipway.config.yaml', 'trust:\n  - match: "**"\n    level: copy\n'],
    ['image.list', ''],
    ['package.yaml', "package:\n  name: one\n  version: '1'\n"],
  ] as const)
    await writeFile(join(folder, name), text);
  const works: string[] = [];
  const plugin: Plugin = {
    name: 'packages',
    version: '0.1.0',
    api: '1.1',
    needs: { tools: [] },
    apply(hooks) {
      hooks.mode.tapPromise('packages', async (modes) => modes.add(mode));
      implement(hooks, 'package.build@1', 'packages', async (_, { files: { work } }) => {
        // Long enough for a removal that nobody waits for to be seen.
        for (let turns = 0; turns < 50; turns += 1) {
          await turn();
          await access(work);
        }
        works.push(work);
        return ok({ repository: folder, packages: [] });
      });
    },
  };
  const signal = new AbortController().signal;
  const settings = must(await loadSettings({ folder, date: '2026-01-01', parallelism: 1 }));
  const context = { date: '2026-01-01' };
  const config = must(await loadConfig(join(folder, 'config.yaml'), { context, modeProperties: {} }));
  const host = must(await createHost([{ plugin, options: {} }], settings.use));
  const { modes } = host;
  const files = folderFiles(folder);
  const planned = must(await createPlan({ config, settings, context, modes, files, command: 'build' }));
  await using session = await openSession({
    ...{ config, settings, planned, host, signal, env: {}, version: '0', purpose: 'run' },
    finder: { find: () => Promise.reject(new Error('no tool is needed')) },
    report: () => {},
  });
  const { rows } = await execute({
    ...{ engine: session.engine, command: 'build', version: '0', fail: 'subgraph', interrupt: signal },
  });
  expect(rows).toMatchObject([{ outcome: 'published' }]);
  expect(works).toHaveLength(1);
  await expect(access(works[0] ?? '')).rejects.toThrow('ENOENT');
});

function must<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.value;
}
