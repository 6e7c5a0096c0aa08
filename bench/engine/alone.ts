/**
 * The engine without any registry: reads the config in a folder, plans, runs every probe against answers that are always what
 * they should be, and writes the journal. Bundled by noop.ts, which runs it: `main.cjs FOLDER`.
 */
import {
  createHost,
  createPlan,
  execute,
  folderFiles,
  loadConfig,
  loadPlugins,
  loadSettings,
  openSession,
  plainView,
} from '@slipway/core';
import type { Digest, Registry } from '@slipway/core';
import { pluginsFor } from '../../cli/src/default-plugins.ts';

export async function start(): Promise<void> {
  const folder = process.argv[2] ?? '.';
  const date = '2026-01-01';
  const settings = must(await loadSettings({ folder, date, parallelism: 2 }));
  const plugins = must(await loadPlugins({ settings, defaults: pluginsFor(settings) }));
  const host = must(await createHost(plugins, settings.use));
  const modeProperties = Object.fromEntries(host.modes.map(({ name, properties = {} }) => [name, properties]));
  const config = must(await loadConfig(`${folder}/config.yaml`, { context: { date }, modeProperties }));
  const files = folderFiles(folder);
  const request = { config, settings, context: { date }, modes: host.modes, files, command: 'sync' } as const;
  const planned = must(await createPlan(request));
  const signal = new AbortController().signal;
  const view = plainView();
  let lines = 0;
  await using session = await openSession({
    ...{ config, settings, planned, host, signal, env: {}, version: '0', purpose: 'run' },
    finder: { find: () => Promise.reject(new Error('no tool is needed')) },
    report: (event) => (lines += view.lines(event).length),
  });
  const digest = `sha256:${'0'.repeat(64)}` as Digest;
  const head: Registry['head'] = () =>
    Promise.resolve({ ok: true, value: { digest, mediaType: 'application/vnd.oci.image.index.v1+json', size: 1 } });
  const engine = { ...session.engine, registry: { ...session.engine.registry, head } };
  const { rows, exitCode } = await execute({
    engine,
    command: 'sync',
    version: '0',
    fail: 'subgraph',
    interrupt: signal,
  });
  const unchanged = rows.filter(({ outcome }) => outcome === 'unchanged').length;
  console.log(`${unchanged} unchanged, ${planned.plan.tasks.length} tasks planned, ${lines} lines told`);
  process.exitCode = exitCode;
}

function must<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.value;
}
