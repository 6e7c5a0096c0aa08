/** `platforms:` of a sync: which digest they come to, and how its bytes come into the destination repository. */
import type { SyncEntry } from '../../config/model.ts';
import { fail, ok, type RegistryFailure, type Result } from '../../failure.ts';
import { placeName } from '../../location.ts';
import { formatPlatform, isImageConfig, type Platform } from '../../oci/model.ts';
import { subsetOf, type Found, type Lacking, type Subset, type SubsetReader } from '../../oci/subset.ts';
import { formatReference, parseDigest, pin, type Digest, type Pinned } from '../../reference.ts';
import { factsOf } from '../../trust/facts.ts';
import { isFrom } from '../../trust/predicates/copy.ts';
import { plainText } from '../../trust/strict.ts';
import { absent } from '../absent.ts';
import { believe } from '../believe.ts';
import type { ProbedSync, StepContext } from '../engine.ts';
import { configPlatform } from './image.ts';
import { originOf } from './origin.ts';

/** Platforms that a message lists. */
const MAX_NAMED = 40;

export type Wanted = Pick<ProbedSync, 'wanted' | 'subset'>;

/**
 * The digest that the tags are to name. For some platforms the source is read only when neither this machine's notes nor a believed attestation on
 * `published`, what the entry's own tag names now, says what it gives.
 */
export async function wantedOf(
  step: StepContext,
  entry: SyncEntry,
  source: Pinned,
  published: Digest | null,
): Promise<Result<Wanted>> {
  const { platforms } = entry;
  if (platforms === undefined) return ok({ wanted: source.digest });
  const { engine, planned } = step;
  const note = noteOf(entry, source);
  const noted = parseDigest(engine.notes.get(...note) ?? '');
  if (noted !== undefined) return ok({ wanted: noted });
  if (published !== null && planned.trust === 'full' && engine.signing !== undefined) {
    const believed = await believe(step, pin(entry.targets[0].destination, published), engine.signing);
    if (!believed.ok) return believed;
    const origin = originOf(entry, source.digest);
    if (factsOf(believed.value, 'copy').some(({ content }) => isFrom(content.copy, origin))) {
      await engine.notes.put(published, ...note);
      return ok({ wanted: published });
    }
  }
  const made = await readSubset(step, entry, source, platforms);
  return made.ok ? ok({ wanted: made.value.digest, subset: made.value }) : made;
}

/** What is left out where platforms may be missing is a failure where they may not. */
function noteOf({ platforms = [], missingPlatforms }: SyncEntry, { digest }: Pinned): readonly string[] {
  return ['subset', digest, ...platforms.map(formatPlatform), ...(missingPlatforms === undefined ? [] : ['skip'])];
}

/** Reads the source; a `source` failure that lists what there is when a platform is missing that may not be, or all of them are. */
export async function readSubset(
  { engine }: StepContext,
  entry: SyncEntry,
  source: Pinned,
  platforms: readonly Platform[],
): Promise<Result<Subset>> {
  const { registry } = engine;
  const root = await registry.manifest(pin(source, source.digest), 'source');
  if (!root.ok) return root;
  if (root.value === undefined) return fail(gone(entry, source, source.digest));
  const reader: SubsetReader = {
    async manifest({ digest }) {
      const child = await registry.manifest(pin(source, digest), 'source');
      if (!child.ok) return child;
      return child.value === undefined ? fail(gone(entry, source, digest)) : ok(child.value);
    },
    async platform({ value: { config } }) {
      return isImageConfig(config) ? configPlatform(registry, source, config, 'source') : ok(undefined);
    },
  };
  // What is no index has no platforms to choose from.
  const isWhole = entry.missingPlatforms === 'skip' && root.value.kind === 'manifest';
  const whole = { digest: source.digest, kept: [source.digest], indexes: [] };
  const found = isWhole ? ok({ found: true, subset: whole } as const) : await subsetOf(root.value, platforms, reader);
  if (!found.ok) return found;
  const chosen = chosenOf(found.value, entry, source);
  if (chosen.ok) await engine.notes.put(chosen.value.digest, ...noteOf(entry, source));
  return chosen;
}

function chosenOf(found: Found, entry: SyncEntry, source: Pinned): Result<Subset> {
  if (found.found) return ok(found.subset);
  const { rest } = found.lacking;
  const isEnough = entry.missingPlatforms === 'skip' && rest !== undefined;
  return isEnough ? ok(rest) : fail(lacking(entry, source, found.lacking));
}

function gone(entry: SyncEntry, source: Pinned, digest: Digest) {
  return absent(pin(source, digest), 'source', 'the image is incomplete where it comes from', entry.at);
}

function lacking(entry: SyncEntry, source: Pinned, { absent: missing, present }: Lacking): RegistryFailure {
  const name = formatReference(source);
  const named = present.slice(0, MAX_NAMED).map((platform) => plainText(platform));
  const there = present.length === 0 ? 'it is no image of any platform' : `it has ${named.join(', ')}`;
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'source',
    host: placeName(source),
    message: `${name} lacks ${missing.map(formatPlatform).join(', ')}: ${there}`,
    hint: 'change "platforms" of the entry',
    at: entry.at,
  };
}
