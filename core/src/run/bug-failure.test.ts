import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { loadSettings } from '../config/load-settings.ts';
import { ok } from '../failure.ts';
import type { Event } from '../journal/events.ts';
import { createPlan } from '../plan/create.ts';
import { folderFiles } from '../plan/files.ts';
import type { Mode, Plugin } from '../plugin/api.ts';
import { createHost } from '../plugin/host.ts';
import { writeImageLayout } from '../oci/write-layout.ts';
import { formatReference } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import { execute } from './execute.ts';
import { openSession } from './session.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const mode: Mode = {
  name: 'list',
  claims: () => true,
  inputs: async ({ source }) =>
    ok({ files: [source], platforms: [platform], packageIndexes: [], bases: [], packages: [], options: {} }),
  async build({ files }) {
    const layout = join(files.work, 'layout');
    const written = await writeImageLayout(layout, [{ platform, layers: [[]], settings: {} }]);
    return written.ok ? ok({ layout }) : written;
  },
};
const plugin: Plugin = {
  name: 'lists',
  version: '0.1.0',
  api: '1.1',
  needs: { tools: [] },
  apply: (hooks) => hooks.mode.tapPromise('lists', async (modes) => modes.add(mode)),
};

/** Builds into two layouts, where a look at the first throws `thrown`. */
async function run(thrown: unknown) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const build = ['bad', 'good'].map((name) => ({ source: './image.list', destination: `oci:./${name}:1` }));
  await writeFile(join(folder, 'config.yaml'), JSON.stringify({ build }));
  await writeFile(join(folder, 'slipway.config.yaml'), 'trust:\n  - match: "**"\n    level: copy\n');
  await writeFile(join(folder, 'image.list'), '');
  const signal = new AbortController().signal;
  const context = { date: '2026-01-01' };
  const settings = taken(await loadSettings({ folder, date: '2026-01-01', parallelism: 1 }));
  const config = taken(await loadConfig(join(folder, 'config.yaml'), { context, modeProperties: {} }));
  const host = taken(await createHost([{ plugin, options: {} }], settings.use));
  const files = folderFiles(folder);
  const planned = taken(await createPlan({ config, settings, context, modes: host.modes, files, command: 'build' }));
  const events: Event[] = [];
  await using session = await openSession({
    ...{ config, settings, planned, host, signal, env: {}, version: '0', purpose: 'run' },
    finder: { find: () => Promise.reject(new Error('no tool is needed')) },
    report: (event) => void events.push(event),
  });
  const { engine } = session;
  const head: Registry['head'] = async (reference, side) => {
    if (formatReference(reference).includes('bad')) throw thrown;
    return engine.registry.head(reference, side);
  };
  const { rows, exitCode } = await execute({
    engine: { ...engine, registry: { ...engine.registry, head } },
    ...{ command: 'build', version: '0', fail: 'subgraph', interrupt: signal },
  });
  return { rows, exitCode, logged: events.flatMap((event) => (event.type === 'task.log' ? [event.line] : [])) };
}

test('a step that throws what nobody expected fails its task as a bug, and the others go on', async () => {
  const { rows, exitCode, logged } = await run(new TypeError('Cannot convert\nobject to primitive value'));
  expect(rows).toMatchObject([
    {
      outcome: 'failed',
      failure: {
        class: 'permanent',
        message: expect.stringMatching(
          /#probe met a bug in slipway: TypeError: Cannot convert object to primitive value$/,
        ),
        hint: expect.stringContaining('SLIPWAY_DEBUG'),
      },
    },
    { outcome: 'published' },
  ]);
  expect(exitCode).toBe(1);
  expect(logged.filter((line) => line.includes('at '))).toEqual([]);
});

test('where it was thrown is in the log of the task when SLIPWAY_DEBUG is set', async () => {
  vi.stubEnv('SLIPWAY_DEBUG', '1');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { logged } = await run(new RangeError('Maximum call stack size exceeded'));
  expect(logged).toContain('RangeError: Maximum call stack size exceeded');
  expect(logged.some((line) => /^ +at .*bug-failure\.test/.test(line))).toBe(true);
});

function taken<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.value;
}
