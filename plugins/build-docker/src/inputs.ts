/** What decides the result of a Dockerfile: its context, its bases, its arguments. */
import { configFailure, fail, formatPlatform, formatReference, ok } from '@slipway/core';
import type { BuildContext, BuildEntry, Files, ModeInputs, Platform, Result } from '@slipway/core';
import { posix } from 'node:path';
import { imagesOf } from './dockerfile.ts';
import { frontendOf } from './frontend.ts';
import { mayFetch } from './fetches.ts';
import { parseIgnore, type Ignored } from './ignore.ts';
import { decisive, type DockerOptions } from './options.ts';

/** The machine's own platform would make the result depend on where it is built. */
const DEFAULT_PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

export async function findInputs(entry: BuildEntry, files: Files, options: DockerOptions): Promise<Result<ModeInputs>> {
  const text = await files.read(entry.source);
  if (!text.ok) return text;
  const platforms =
    entry.platforms === undefined || entry.platforms.length === 0 ? [DEFAULT_PLATFORM] : entry.platforms;
  const { endpoints } = options;
  const without = platforms.map(formatPlatform).filter((platform) => endpoints && !Object.hasOwn(endpoints, platform));
  if (without.length > 0) {
    const message = `no builder is named for ${without.join(', ')}`;
    return fail(configFailure(message, 'add it to "endpoints" in the options of the plugin build-docker', entry.at));
  }
  const bases = new Map<string, ModeInputs['bases'][number]>();
  for (const platform of platforms) {
    const named = imagesOf(text.value, { file: entry.source, args: options.buildArgs, platform });
    if (!named.ok) return named;
    for (const { text: name, reference, needed } of named.value) if (needed) bases.set(name, { text: name, reference });
  }
  const frontend = frontendOf(text.value, { file: entry.source, args: options.buildArgs });
  if (!frontend.ok) return frontend;
  if (frontend.value !== undefined) {
    const { text: name, reference } = frontend.value;
    bases.set(name, { text: name, reference });
  }
  const context = contextFolder(entry);
  const read = await readIgnore(entry, files);
  if (!read.ok) return read;
  const { ignored, file } = read.value;
  const start = context === '.' ? 0 : context.length + 1;
  const listed = await files.list(context, { links: true, skip: (path) => ignored.folder(path.slice(start)) });
  if (!listed.ok) return fail({ ...listed.failure, at: entry.at });
  const sent = listed.value.filter((path) => !ignored.file(path.slice(start)));
  return ok({
    files: [...new Set([...sent, entry.source, ...(file === undefined ? [] : [file])])].sort(),
    packageIndexes: [],
    bases: [...bases.values()],
    platforms,
    packages: [],
    options: decisive(options),
    ...(mayFetch(text.value) ? { maxAge: options.maxAge } : {}),
  });
}

export interface NamedContexts {
  /** Texts of images that the builder takes. */
  readonly needed: ReadonlySet<string>;
  /** Texts of images that only stages have which the builder leaves out; none that is needed under another text. */
  readonly spare: readonly string[];
}

/** What the stages of a Dockerfile that was read before name, on any platform; its frontend is none of them. */
export function namedContexts(
  text: string,
  { entry, platforms, inputs }: Pick<BuildContext, 'entry' | 'platforms' | 'inputs'>,
  { buildArgs: args }: DockerOptions,
): NamedContexts {
  const taken = new Set(inputs.bases.map(({ reference }) => formatReference(reference)));
  const images = platforms.flatMap((platform) => {
    const named = imagesOf(text, { file: entry.source, args, platform });
    return named.ok ? named.value : [];
  });
  const spare = images.filter(({ needed, reference }) => !needed && !taken.has(formatReference(reference)));
  return {
    needed: new Set(images.filter((image) => image.needed).map((image) => image.text)),
    spare: [...new Set(spare.map((image) => image.text))],
  };
}

/** Relative to the root: as the entry says, else the folder of the Dockerfile. `.` is the root itself. */
export function contextFolder(entry: BuildEntry): string {
  return posix.normalize(entry.dockerOptions.context ?? posix.dirname(entry.source)).replace(/(?<=.)\/$/, '');
}

interface IgnoreRules {
  readonly ignored: Ignored;
  /** The file they come from, relative to the root, and what it says; absent when there is none. */
  readonly file?: string;
  readonly text?: string;
}

/**
 * The Dockerfile's own ignore file stands in for that of the context, as in BuildKit. One that is there and cannot be read is a failure:
 * what it keeps out would be sent.
 */
export async function readIgnore(entry: BuildEntry, files: Files): Promise<Result<IgnoreRules>> {
  for (const file of [`${entry.source}.dockerignore`, posix.join(contextFolder(entry), '.dockerignore')]) {
    const text = await files.read(file);
    if (text.ok) return ok({ ignored: parseIgnore(text.value), file, text: text.value });
    if (await isFile(posix.normalize(file), files)) return fail({ ...text.failure, at: entry.at });
  }
  return ok({ ignored: parseIgnore('') });
}

/** Neither a folder nor a link that leads to nothing: with such BuildKit does as if it were not there. */
async function isFile(path: string, files: Files): Promise<boolean> {
  const listed = await files.list(posix.dirname(path), { skip: () => true });
  return listed.ok && listed.value.includes(path);
}
