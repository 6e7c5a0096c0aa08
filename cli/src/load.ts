/** Settings and plugins: what every command but `tools install` begins with. No plugin has done anything yet but say what it can. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import {
  createHost,
  createRedactor,
  loadPlugins,
  loadSettings,
  secretsFromEnv,
  type Checked,
  type Host,
  type Settings,
} from '@slipway/core';
import { ourPlugins, pluginsFor } from './default-plugins.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';

export interface Engine {
  readonly settings: Settings;
  readonly host: Host;
  readonly warnings: readonly string[];
}

/** `folder`: where the settings are when no option names them. */
export function readSettings(
  io: Io,
  options: Pick<Options, 'settings'>,
  folder: string,
): ReturnType<typeof loadSettings> {
  return loadSettings({
    ...(options.settings === undefined ? {} : { file: resolve(io.cwd, options.settings) }),
    folder,
    date: new Date().toISOString().slice(0, 10),
    parallelism: availableParallelism(),
  });
}

/** The settings of {@link readSettings}, and every plugin that they mean. */
export async function loadEngine(
  io: Io,
  options: Pick<Options, 'settings' | 'jobs'>,
  folder: string,
): Promise<Checked<Engine>> {
  const loaded = await readSettings(io, options, folder);
  if (!loaded.ok) return loaded;
  const { limits } = loaded.value;
  const settings =
    options.jobs === undefined ? loaded.value : { ...loaded.value, limits: { ...limits, cpu: options.jobs } };
  const known = [...ourPlugins.keys()];
  const plugins = await loadPlugins({ settings, defaults: pluginsFor(settings), known });
  if (!plugins.ok) return plugins;
  const host = await createHost(plugins.value, settings.use, {
    known,
    warn: ({ message }) => io.stderr(`warning: ${message}\n`),
    redact: createRedactor(secretsFromEnv(io.env)),
  });
  if (!host.ok) return host;
  return { ok: true, value: { settings, host: host.value, warnings: loaded.warnings } };
}
