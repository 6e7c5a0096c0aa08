/** The images that a build is made on: what their tags name now, and where their bytes are. */
import type { BuildEntry } from '../config/model.ts';
import { configFailure, fail, ok, type Failure, type Result } from '../failure.ts';
import type { ModeInputs } from '../plugin/api.ts';
import { parseLocation } from '../location.ts';
import { archiveScheme, formatReference, pin, type Digest, type Pinned, type Reference } from '../reference.ts';
import { mirrorLocations } from '../registry/mirrors.ts';
import type { Engine } from './engine.ts';
import { askedOnce } from './source-tags.ts';

type Base = ModeInputs['bases'][number];

/**
 * Text in the source → digest, of the bases that are no entry's image and that the source names by tag. Each is asked for once
 * a run, so that all images made on one tag are made on one digest.
 */
export async function outsideBases(
  engine: Engine,
  entry: BuildEntry,
  bases: readonly Base[],
  known: Readonly<Record<string, Digest>>,
): Promise<Result<Readonly<Record<string, Digest>>>> {
  const digests: Record<string, Digest> = {};
  const outside = bases.filter(({ text, reference }) => known[text] === undefined && reference.kind === 'tagged');
  const found = await Promise.all(
    outside.map(async ({ text, reference }) => [text, reference, await askedOnce(engine, reference)] as const),
  );
  for (const [text, reference, digest] of found) {
    if (!digest.ok) return fail(ofBase(digest.failure, text));
    if (digest.value === undefined) return fail(notFound(entry, text, reference));
    digests[text] = digest.value;
  }
  return ok(digests);
}

/** Its registry need not be one that the config names: a reader would look for it there. */
function ofBase(failure: Failure, text: string): Failure {
  return failure.reason === 'registry' ? { ...failure, message: `the base ${text}: ${failure.message}` } : failure;
}

function notFound({ source, at }: BuildEntry, text: string, { registry }: Reference): Failure {
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'source',
    host: registry,
    message: `${text}, which ${source} is built on, is not in its registry`,
    hint: 'check the name and the tag; a private repository also answers so to whoever may not read it',
    at,
  };
}

export interface PlacedBases {
  readonly named: readonly Base[];
  /** As the probe found them. */
  readonly digests: Readonly<Record<string, Digest>>;
  /** Text in the source → the entry's target that it names, as `--to` mapped it. */
  readonly images: Readonly<Record<string, string>>;
}

/** Text in the source → the image to use for it, in a place that has it: the entry's repository, a mirror, or the origin. */
export async function placeBases(
  engine: Engine,
  { named, digests, images }: PlacedBases,
): Promise<Result<Record<string, Pinned>>> {
  const bases: Record<string, Pinned> = {};
  for (const { text, reference } of named) {
    const image = images[text];
    const owned = image === undefined ? undefined : parseLocation(image);
    if (owned?.ok === false) return owned;
    const digest = digests[text] ?? (reference.kind === 'pinned' ? reference.digest : undefined);
    if (digest === undefined) continue;
    if (owned !== undefined && owned.value.registry === archiveScheme) return fail(inArchive(text, owned.value));
    bases[text] = owned === undefined ? await nearest(engine, pin(reference, digest)) : pin(owned.value, digest);
  }
  return ok(bases);
}

function inArchive(text: string, image: Reference): Failure {
  return configFailure(
    `${text} is in the archive ${formatReference(image)}, and no builder can build on an image in an archive`,
    'give its entry a layout in a folder as destination: oci:./folder',
  );
}

/** The first mirror that has it. Whatever is wrong with a mirror, the origin has the last word. */
async function nearest({ settings, registry }: Engine, image: Pinned): Promise<Pinned> {
  const mirrors = mirrorLocations(settings.mirrors, image).slice(0, -1);
  for (const place of mirrors) {
    const head = await registry.head(place, 'source');
    if (head.ok && head.value !== undefined) return place;
  }
  return image;
}
