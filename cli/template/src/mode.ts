/** The mode `example`: a list of files, as JSON, becomes an image. Make it your own. */
import { configFailure, fail, folderFiles, ok, writeImageLayout } from '@slipway/core';
import type { BuildContext, BuildEntry, Built, Files, LayerMember, Mode, ModeInputs, Result } from '@slipway/core';
import { join, posix } from 'node:path';

export const exampleMode: Mode = {
  name: 'example',
  // Keys that it adds to a build entry, each a JSON Schema.
  properties: { command: { type: 'array', items: { type: 'string' }, description: 'What a container of it starts.' } },
  claims: (source) => source.endsWith('.example.json'),
  inputs,
  build,
};

/** What decides the result, found without network, clock or tool: what is not named here is not seen to change. */
async function inputs(entry: BuildEntry, files: Files): Promise<Result<ModeInputs>> {
  const list = await readList(entry, files);
  if (!list.ok) return list;
  return ok({
    files: [entry.source, ...list.value.map(({ file }) => file)],
    packageIndexes: [],
    bases: [],
    platforms: [{ os: 'linux', architecture: 'amd64' }],
    packages: [],
    options: {},
  });
}

/** Leaves an OCI image layout in the task's own folder. Slipway pushes, scans, signs and tags. */
async function build(context: BuildContext): Promise<Result<Built>> {
  const files = folderFiles(context.files.root);
  const list = await readList(context.entry, files);
  if (!list.ok) return list;
  const members: LayerMember[] = [];
  for (const { path, file } of list.value) {
    const content = await files.read(file);
    if (!content.ok) return content;
    members.push({ type: 'file', path, content: Buffer.from(content.value) });
  }
  const { command } = context.entry.options;
  const settings = Array.isArray(command) ? { Cmd: command.map(String) } : {};
  const image = { layers: [members], settings };
  const [first, ...others] = context.platforms.map((platform) => ({ platform, ...image }));
  if (first === undefined) return fail(configFailure('there is no platform to build for', undefined, context.entry.at));
  const layout = join(context.files.work, 'layout');
  const written = await writeImageLayout(layout, [first, ...others]);
  return written.ok ? ok({ layout }) : written;
}

interface Item {
  /** In the image. */
  readonly path: string;
  /** Relative to the config's folder. */
  readonly file: string;
}

/** The source says path in the image → file beside the source. Read as if a stranger wrote it. */
async function readList(entry: BuildEntry, files: Files): Promise<Result<readonly Item[]>> {
  const text = await files.read(entry.source);
  if (!text.ok) return text;
  const wrong = (why: string) => fail(configFailure(`"${entry.source}" ${why}`, 'it maps paths to files', entry.at));
  let data: unknown;
  try {
    data = JSON.parse(text.value);
  } catch {
    return wrong('is not JSON');
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return wrong('is no JSON object');
  const items: Item[] = [];
  for (const [path, file] of Object.entries(data)) {
    if (typeof file !== 'string') return wrong(`names no file for "${path}"`);
    items.push({ path, file: posix.join(posix.dirname(entry.source), file) });
  }
  return ok(items);
}
