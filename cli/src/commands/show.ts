/** `show REF`: digest, platforms, and the tree of what is attached; `--sbom` the outline of the attested SBOM. */
import { parseReference, showImage, formatShown, openLookup } from '@slipway/core';
import { createToolFinder } from '@slipway/tools';
import { answer, EXIT, refuse } from '../answer.ts';
import { defaultPlugins } from '../default-plugins.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { readSettings } from '../prepare.ts';
import { VERSION } from '../version.ts';
import { createHost, loadPlugins } from '@slipway/core';

export interface ShowOptions extends Pick<Options, 'settings' | 'json'> {
  readonly sbom: boolean;
  /** As `linux/arm64`: whose SBOM; the index's own list when absent. */
  readonly platform?: string;
  /** Judge by `signing.scratch` in place of `signing`. */
  readonly scratch: boolean;
}

export async function showCommand(io: Io, text: string, options: ShowOptions): Promise<number> {
  const reference = parseReference(text);
  if (!reference.ok) return refuse(io, options.json, 'show', [reference.failure]);
  const loaded = await readSettings(io, options, io.cwd);
  if (!loaded.ok) return refuse(io, options.json, 'show', loaded.failures);
  const { settings } = loaded.value;
  const plugins = await loadPlugins({ settings, defaults: defaultPlugins });
  if (!plugins.ok) return refuse(io, options.json, 'show', plugins.failures);
  const host = await createHost(plugins.value, settings.use);
  if (!host.ok) return refuse(io, options.json, 'show', host.failures);
  const signing = options.scratch ? settings.scratch : settings.signing;
  await using lookup = await openLookup({ settings, host: host.value, finder: createToolFinder({ env: io.env }), env: io.env, version: VERSION, folder: io.cwd, signal: io.interrupt });
  const shown = await showImage(lookup, reference.value, signing, { sbom: options.sbom, ...(options.platform === undefined ? {} : { platform: options.platform }) });
  if (!shown.ok) return refuse(io, options.json, 'show', [shown.failure]);
  return answer(io, options.json, 'show', EXIT.done, { image: shown.value }, () => formatShown(shown.value));
}
