/** Asks registries for the tags that selections choose from. Loaded only where that is to be done: most of it speaks HTTP. */
import { cancelled, expandSelections, openRegistry, tagsFromRegistry, type Checked } from '@slipway/core';
import type { Config, Expanded, Settings } from '@slipway/core';
import type { Io } from './io.ts';
import { VERSION } from './version.ts';

export async function expand(
  io: Io,
  config: Config,
  settings: Settings,
  signal: AbortSignal,
): Promise<Checked<Expanded>> {
  const { registry } = openRegistry({ settings, folder: config.folder, env: io.env, version: VERSION, signal });
  try {
    const expanded = await expandSelections(config, tagsFromRegistry(registry));
    return signal.aborted ? { ok: false, failures: [cancelled] } : expanded;
  } finally {
    await registry.close();
  }
}
