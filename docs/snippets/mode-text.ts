/** A build mode: an image that holds one text file. */
import { configFailure, fail, folderFiles, ok, writeImageLayout } from '@slipway/core';
import type { BuildContext, Built, Mode, Plugin, Result } from '@slipway/core';
import { join } from 'node:path';

const mode: Mode = {
  name: 'text',
  // A build entry of this mode may say `fileName:`.
  properties: { fileName: { type: 'string', pattern: '^[a-z0-9.-]{1,64}$', description: 'Where the text is.' } },
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

async function build(context: BuildContext): Promise<Result<Built>> {
  const text = await folderFiles(context.files.root).read(context.entry.source);
  if (!text.ok) return fail(text.failure);
  const { fileName } = context.entry.options;
  const path = typeof fileName === 'string' ? fileName : 'message.txt';
  // The lowest layer first; here it is the only one.
  const layers = [[{ type: 'file', path, content: Buffer.from(text.value) } as const]];
  const [first, ...others] = context.platforms.map((platform) => ({ platform, layers }));
  if (first === undefined) return fail(configFailure('there is no platform to build for'));
  const layout = join(context.files.work, 'layout');
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
