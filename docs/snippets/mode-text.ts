/** A build mode: an image that holds one text file. */
import { join } from 'node:path';
import { folderFiles, ok, writeImageLayout } from '@slipway/core';
import type { BuildContext, Built, ImageContent, Mode, Plugin, Result } from '@slipway/core';

const mode: Mode = {
  name: 'text',
  // A build entry of this mode may say `fileName:`.
  properties: { fileName: { type: 'string', pattern: '^[a-z0-9][a-z0-9.-]{0,63}$' } },
  claims: (source) => source.endsWith('.txt'),
  inputs: async (entry) =>
    ok({
      files: [entry.source],
      packageIndexes: [],
      bases: [],
      platforms: [{ os: 'linux', architecture: 'amd64' }],
      packages: [],
      options: {},
    }),
  build,
};

async function build({ entry, files, platforms }: BuildContext): Promise<Result<Built>> {
  const text = await folderFiles(files.root).read(entry.source);
  if (!text.ok) return text;
  const { fileName } = entry.options;
  const path = typeof fileName === 'string' ? fileName : 'message.txt';
  const layer = [{ type: 'file', path, content: Buffer.from(text.value) }] as const;
  const [first, ...others] = platforms.map((platform): ImageContent => ({ platform, layers: [layer] }));
  if (first === undefined) throw new Error('a build is asked for one platform at least');
  const layout = join(files.work, 'layout');
  const written = await writeImageLayout(layout, [first, ...others]);
  return written.ok ? ok({ layout }) : written;
}

const plugin: Plugin = {
  name: 'build-text',
  version: '1.0.0',
  api: '1.0',
  needs: { tools: [] },
  apply(hooks) {
    hooks.mode.tapPromise('build-text', async (modes) => modes.add(mode));
  },
};

export default plugin;
