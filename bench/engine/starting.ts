/**
 * The engine with tasks that start a process each: images of many packages, and a plugin that starts a program for every
 * one of them, through the `exec` that all plugins get. Everything else is as it always is: the default plugins, the plan, the loop,
 * the hooks, the journal, and at the end images in layouts. Bundled by start-processes.ts, which runs it: `main.cjs FOLDER PROGRAM JOBS`.
 */
import {
  createHost,
  createPlan,
  execute,
  folderFiles,
  implement,
  loadConfig,
  loadSettings,
  ok,
  openSession,
  plainView,
  writeImageLayout,
} from '@slipway/core';
import type { Built, Mode, Plugin, Result } from '@slipway/core';
import { join } from 'node:path';
import { defaultPlugins } from '../../cli/src/default-plugins.ts';

const name = 'bench';
const platform = { os: 'linux', architecture: 'amd64' };

const mode: Mode = {
  name,
  claims: (source) => source.endsWith('.bench'),
  inputs: ({ source }) => {
    const none = { packageIndexes: [], bases: [], packages: [], options: {} };
    return Promise.resolve(ok({ files: [source], platforms: [platform], ...none }));
  },
  async build({ files }): Promise<Result<Built>> {
    const layout = join(files.work, 'layout');
    const written = await writeImageLayout(layout, [{ platform, layers: [[]], settings: {} }]);
    return written.ok ? ok({ layout }) : written;
  },
};

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.1',
  needs: { tools: [{ name: 'program', range: '*' }] },
  apply(hooks) {
    hooks.mode.tapPromise(name, async (modes) => modes.add(mode));
    implement(hooks, 'package.build@1', name, async ({ config }, { exec, files }) => {
      const ended = await exec('program', []);
      return ended.ok ? ok({ repository: files.work, packages: [config] }) : ended;
    });
  },
};

export async function start(): Promise<void> {
  const [, , folder = '.', program = '/bin/true', jobs = '2'] = process.argv;
  const parallelism = Number(jobs);
  const date = '2026-01-01';
  const settings = must(await loadSettings({ folder, date, parallelism }));
  const defaults = await Promise.all([...defaultPlugins.values()].map((load) => load()));
  const loaded = [...defaults, plugin].map((each) => ({ plugin: each, options: {} }));
  const host = must(await createHost(loaded, { 'package.build': { plugin: name } }));
  // The bundle has the validator for what the command itself has, which ours, without keys of its own, leaves as it is.
  const others = host.modes.filter((each) => each.name !== name);
  const modeProperties = Object.fromEntries(others.map((each) => [each.name, each.properties ?? {}]));
  const config = must(await loadConfig(join(folder, 'config.yaml'), { context: { date }, modeProperties }));
  const request = { config, settings, context: { date }, modes: host.modes, files: folderFiles(folder) } as const;
  const planned = must(await createPlan({ ...request, command: 'build' }));
  const signal = new AbortController().signal;
  const view = plainView();
  let lines = 0;
  await using session = await openSession({
    ...{ config, settings, planned, host, signal, env: process.env, version: '0', purpose: 'run' },
    finder: { find: () => Promise.resolve(ok({ name: 'program', path: program, version: '1.0.0' })) },
    report: (event) => (lines += view.lines(event).length),
  });
  const { engine } = session;
  const { rows, exitCode } = await execute({
    engine,
    command: 'build',
    version: '0',
    fail: 'subgraph',
    interrupt: signal,
  });
  const started = session.tools().reduce((sum, tool) => sum + tool.started, 0);
  console.log(`${rows.map(({ outcome }) => outcome).join()}, ${started} processes, ${lines} lines told`);
  process.exitCode = exitCode;
}

function must<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.value;
}
