/** The mode `rootfs`: the root file system of an image, as a folder or as an archive. */
import { configFailure, fail, formatPlatform, ok, writeImageLayout } from '@slipway/core';
import type { BuildContext, BuildEntry, Built, Files, ImageContent, Mode, ModeInputs, Result } from '@slipway/core';
import { join } from 'node:path';
import { archiveBytes } from './archive.ts';
import { folderMembers } from './folder.ts';
import { imageSettings, properties } from './settings.ts';

const ARCHIVE = /\.(?:tar|tar\.gz|tgz)$/;

export const rootfsMode: Mode = {
  name: 'rootfs',
  properties,
  claims: (source) => ARCHIVE.test(source) || /(?:^|\/)rootfs$/.test(source),
  inputs,
  build,
};

async function inputs(entry: BuildEntry, files: Files): Promise<Result<ModeInputs>> {
  const found = ARCHIVE.test(entry.source) ? ok([entry.source]) : await files.list(entry.source);
  if (!found.ok) return found;
  if (found.value.length === 0) return fail(configFailure(`"${entry.source}" holds no file`, undefined, entry.at));
  return ok({
    files: found.value,
    packageIndexes: [],
    bases: [],
    // Files are of one platform, and nothing in them says which.
    platforms: [{ os: 'linux', architecture: 'amd64' }],
    packages: [],
    options: {},
  });
}

async function build(context: BuildContext): Promise<Result<Built>> {
  const { entry, platforms, files } = context;
  const [platform, ...others] = platforms;
  if (platform === undefined || others.length > 0) {
    const all = platforms.map(formatPlatform).join(', ');
    const hint = 'give each platform an entry and a folder of its own';
    return fail(configFailure(`"${entry.source}" is the root of one platform, not of ${all}`, hint, entry.at));
  }
  const layer = await layerOf(context);
  if (!layer.ok) return layer;
  const layout = join(files.work, 'layout');
  const image = { platform, layers: [layer.value], settings: imageSettings(entry.options) };
  const written = await writeImageLayout(layout, [image]);
  return written.ok ? ok({ layout }) : written;
}

async function layerOf({
  entry,
  files,
  inputs: known,
  signal,
}: BuildContext): Promise<Result<ImageContent['layers'][number]>> {
  const path = join(files.root, entry.source);
  return ARCHIVE.test(entry.source)
    ? archiveBytes(path, entry.source, signal)
    : folderMembers({ root: files.root, folder: entry.source, listed: new Set(known.files), signal });
}
