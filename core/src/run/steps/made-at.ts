/** When a source image was made, by its own account. */
import type { SyncEntry } from '../../config/model.ts';
import { ok, type Result } from '../../failure.ts';
import { isImageConfig, isUnknownPlatform, type ManifestContent } from '../../oci/model.ts';
import { isManifestType, MAX_INDEX_DEPTH } from '../../oci/parse.ts';
import { pin, type Digest, type Pinned } from '../../reference.ts';
import { asRecord, asTime, readJson } from '../../trust/strict.ts';
import type { Engine } from '../engine.ts';

const MAX_CONFIG = 4 * 1024 * 1024;
/** Milliseconds: builds that are the same each time say 1970. */
const DAY = 24 * 3600 * 1000;

/**
 * Milliseconds since 1970 of the newest platform image; undefined when one of those that count does not say. Noted by digest, as it
 * never changes.
 */
export async function madeAt(
  engine: Engine,
  source: Pinned,
  platforms: SyncEntry['platforms'],
): Promise<Result<number | undefined>> {
  const names = (platforms ?? []).map(({ os, architecture }) => `${os}/${architecture}`);
  const noted = engine.notes.get('made', source.digest, ...names);
  if (noted !== undefined) return ok(noted === '' ? undefined : Date.parse(noted));
  const counts = new Set(names);
  const times = await timesOf(engine.registry, source, counts, MAX_INDEX_DEPTH, new Set());
  if (!times.ok) return times;
  const known = times.value.filter((time) => time !== undefined);
  const made =
    known.length === times.value.length && known.length > 0 ? known.reduce((a, b) => Math.max(a, b)) : undefined;
  await engine.notes.put(made === undefined ? '' : new Date(made).toISOString(), 'made', source.digest, ...names);
  return ok(made);
}

/** `seen`: indexes that name each other a thousand times would else be opened a billion times. */
async function timesOf(
  registry: Engine['registry'],
  image: Pinned,
  counts: ReadonlySet<string>,
  depth: number,
  seen: Set<Digest>,
): Promise<Result<readonly (number | undefined)[]>> {
  if (seen.has(image.digest)) return ok([]);
  seen.add(image.digest);
  const content = await registry.manifest(pin(image, image.digest), 'source');
  if (!content.ok) return content;
  if (content.value === undefined || depth === 0) return ok([undefined]);
  if (content.value.kind === 'manifest') return timeOf(registry, image, content.value);
  const times: (number | undefined)[] = [];
  for (const { digest, platform, mediaType: type } of content.value.value.manifests) {
    if (!isManifestType(type)) continue;
    const name = `${platform?.os}/${platform?.architecture}`;
    if (isUnknownPlatform(platform) || (platform !== undefined && counts.size > 0 && !counts.has(name))) continue;
    const inner = await timesOf(registry, pin(image, digest), counts, depth - 1, seen);
    if (!inner.ok) return inner;
    for (const time of inner.value) times.push(time);
  }
  return ok(times);
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties */
async function timeOf(
  registry: Engine['registry'],
  image: Pinned,
  { value: { config } }: Extract<ManifestContent, { readonly kind: 'manifest' }>,
): Promise<Result<readonly (number | undefined)[]>> {
  if (!isImageConfig(config)) return ok([undefined]);
  const bytes = await registry.readBlob(image, config, 'source', MAX_CONFIG);
  if (!bytes.ok) return bytes;
  const json = readJson(bytes.value, MAX_CONFIG, 'the config');
  const created = asTime(json.ok ? asRecord(json.value)?.['created'] : undefined);
  const time = created === undefined ? 0 : Date.parse(created);
  return ok([time < DAY ? undefined : time]);
}
