/** `show REF`: digest, platforms, and the tree of what is attached; `--sbom` the outline of the attested SBOM. */
import { parseLocation, showImage, formatShown, openLookup } from '@slipway/core';
import { createToolFinder } from '@slipway/tools';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import { loadEngine } from '../load.ts';
import type { Options } from '../options.ts';
import { VERSION } from '../version.ts';

export interface ShowOptions extends Pick<Options, 'settings' | 'json'> {
  readonly sbom: boolean;
  /** As `linux/arm64`: whose SBOM; the index's own list when absent. */
  readonly platform?: string;
  /** Judge by `signing.scratch` in place of `signing`. */
  readonly scratch: boolean;
}

export async function showCommand(io: Io, text: string, options: ShowOptions): Promise<number> {
  const reference = parseLocation(text);
  if (!reference.ok) return refuse(io, options.json, 'show', [reference.failure]);
  const engine = await loadEngine(io, options, io.cwd);
  if (!engine.ok) return refuse(io, options.json, 'show', engine.failures);
  const { settings, host } = engine.value;
  const signing = options.scratch ? settings.scratch : settings.signing;
  const opened = await openLookup({
    settings,
    host,
    finder: createToolFinder({ env: io.env }),
    env: io.env,
    version: VERSION,
    folder: io.cwd,
    signal: io.interrupt,
  });
  if (!opened.ok) return refuse(io, options.json, 'show', [opened.failure]);
  await using lookup = opened.value;
  const shown = await showImage(lookup, reference.value, signing, {
    sbom: options.sbom,
    ...(options.platform === undefined ? {} : { platform: options.platform }),
  });
  if (!shown.ok) return refuse(io, options.json, 'show', [shown.failure]);
  return answer(io, options.json, 'show', EXIT.done, { image: shown.value }, () => formatShown(shown.value));
}
