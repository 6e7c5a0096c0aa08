/**
 * `referrers:` of a sync: what upstream attached to its image travels along, unaltered. Here it is only a candidate as anything
 * else that lies beside an image: nothing of it counts as ours.
 */
import type { ReferrerFilter } from '../../config/model.ts';
import { fail, ok, type RegistryFailure, type Result } from '../../failure.ts';
import { placeName } from '../../location.ts';
import { mediaType, type Descriptor, type ManifestContent } from '../../oci/model.ts';
import { isManifestType } from '../../oci/parse.ts';
import { formatPinned, formatReference, formatRepository, pin, type Digest, type Pinned } from '../../reference.ts';
import { copy } from '../../registry/copy.ts';
import { trustedMirrors } from '../../registry/mirrors.ts';
import type { Referrer } from '../../registry/model.ts';
import { fallbackTag } from '../../registry/referrers.ts';
import { legacyTag } from '../../trust/legacy.ts';
import type { Engine, StepContext } from '../engine.ts';
import { passes, upstreamOf, type Ends } from './referrers-filter.ts';
import { carryLegacyTags, lacksSignature, upstreamSignature } from './referrers-legacy.ts';

/** Of one image, with all that refers to what refers to it; more is a flood. */
const MAX_REFERRERS = 1000;
const MAX_DEPTH = 8;

/**
 * How many upstream has attached to the image that the destination lacks; 0 when nothing was added. It costs the one list of
 * what refers to the image, where that is empty, or this machine remembers what was there when all of it was copied.
 */
export async function addedUpstream(
  { engine }: StepContext,
  filter: ReferrerFilter,
  { source, subject }: Ends,
): Promise<Result<number>> {
  const ends = { source: upstreamOf(filter, source), subject };
  const note = noteName(filter, ends);
  const before = engine.notes.get(...note);
  const upstream = await attachedTo(engine, filter, ends.source, before !== undefined && before !== NOTHING);
  if (!upstream.ok) return upstream;
  const { listed, signature } = upstream.value;
  const seen = textOf(upstream.value);
  if (before === seen || (before === undefined && seen === NOTHING)) return ok(0);
  const there = listed.length === 0 ? ok([]) : await engine.registry.referrers(ends.subject, 'destination');
  if (!there.ok) return there;
  const present = new Set(there.value.map(({ descriptor }) => descriptor.digest));
  const absent = listed.filter(({ descriptor }) => !present.has(descriptor.digest));
  if (absent.length > MAX_REFERRERS) return fail(tooMany(ends.source));
  const wanted = await filtered(engine, filter, ends.source, absent);
  if (!wanted.ok) return wanted;
  const lacking = signature === undefined ? ok(false) : await lacksSignature(engine, ends.subject, signature);
  if (!lacking.ok) return lacking;
  const added = wanted.value.length + (lacking.value ? 1 : 0);
  if (added === 0) await engine.notes.put(seen, ...note);
  return ok(added);
}

/** Copies what refers to the image and to what is in it, and what refers to that, as far as it passes the filter. */
export async function carryReferrers(
  step: StepContext,
  filter: ReferrerFilter,
  image: Pinned,
  subjects: readonly Pinned[],
): Promise<Result<void>> {
  const { engine } = step;
  const source = upstreamOf(filter, image);
  const state = { visited: new Set<Digest>(), copied: 0 };
  for (const subject of subjects) {
    const ends = { source: pin(source, subject.digest), subject };
    const listed = await listSource(engine, ends.source);
    if (!listed.ok) return listed;
    const carried = await carry(step, filter, ends, listed.value, state, 0);
    if (!carried.ok) return carried;
    const tags = await carryLegacyTags(step, filter, ends);
    if (!tags.ok) return tags;
    state.copied += tags.value;
    if (subject.digest !== source.digest) continue;
    const signature = await upstreamSignature(engine, filter, source);
    if (!signature.ok) return signature;
    await engine.notes.put(textOf({ listed: listed.value, signature: signature.value }), ...noteName(filter, ends));
  }
  if (state.copied > 0) step.log(`copied ${state.copied} of what upstream attached to ${formatReference(source)}`);
  return ok(undefined);
}

interface Carrying {
  /** A manifest may refer to one that refers to another and so on, but each is copied once. */
  readonly visited: Set<Digest>;
  copied: number;
}

async function carry(
  step: StepContext,
  filter: ReferrerFilter,
  ends: Ends,
  listed: readonly Referrer[],
  state: Carrying,
  depth: number,
): Promise<Result<void>> {
  const { engine, signal } = step;
  const open = listed.filter(({ descriptor }) => !state.visited.has(descriptor.digest));
  if (open.length === 0) return ok(undefined);
  for (const { descriptor } of open) state.visited.add(descriptor.digest);
  if (state.visited.size > MAX_REFERRERS || depth > MAX_DEPTH) return fail(tooMany(ends.source));
  for (const { descriptor } of open) {
    if (!isManifestType(descriptor.mediaType))
      step.log(`${descriptor.digest} is left out: it has the media type ${descriptor.mediaType}`);
  }
  const wanted = await filtered(engine, filter, ends.source, open);
  if (!wanted.ok) return wanted;
  const there = wanted.value.length === 0 ? ok([]) : await engine.registry.referrers(ends.subject, 'destination');
  if (!there.ok) return there;
  const present = new Set(there.value.map(({ descriptor }) => descriptor.digest));
  const lacking = wanted.value.filter(({ digest }) => !present.has(digest));
  const [from, to] = [
    engine.registry.content(ends.source, 'source'),
    engine.registry.content(ends.subject, 'destination'),
  ];
  for (const { digest } of lacking) {
    const copied = await copy(from, to, digest, { source: placeName(ends.source), signal });
    if (!copied.ok) return copied;
  }
  const listing = lacking.length === 0 ? ok(undefined) : await engine.registry.list(ends.subject, lacking);
  if (!listing.ok) return listing;
  state.copied += lacking.length;
  for (const { digest } of wanted.value) {
    const inner = { source: pin(ends.source, digest), subject: pin(ends.subject, digest) };
    const further = await listSource(engine, inner.source);
    if (!further.ok) return further;
    const done = await carry(step, filter, inner, further.value, state, depth + 1);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

/**
 * Those that pass, as the destination is to list them. A list may leave out the type, say that of the config in its place, or
 * name what refers to something else: what decides is the manifest.
 */
async function filtered(
  { registry }: Engine,
  filter: ReferrerFilter,
  subject: Pinned,
  listed: readonly Referrer[],
): Promise<Result<readonly Descriptor[]>> {
  const pass = passes(filter);
  const wanted: Descriptor[] = [];
  for (const { descriptor } of listed) {
    const { artifactType, mediaType: type } = descriptor;
    // What OCI 1.1 gave up before it was finished, registries of today do not take.
    if (!isManifestType(type)) continue;
    if (artifactType !== undefined && artifactType !== mediaType.empty && !pass(artifactType)) continue;
    const content = await registry.manifest(pin(subject, descriptor.digest), 'source');
    if (!content.ok) return content;
    // A list may still name what was deleted.
    if (content.value?.value.subject?.digest !== subject.digest) continue;
    if (pass(typeOf(content.value))) wanted.push(listedAs(content.value));
  }
  return ok(wanted);
}

/**
 * Makes an image that names a subject itself count among what refers to that one. Where the registry does not list referrers,
 * whoever pushes such an image has to: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
export async function listAsReferrer({ engine }: StepContext, copied: Pinned): Promise<Result<void>> {
  const content = await engine.registry.manifest(copied, 'destination');
  if (!content.ok) return content;
  const subject = content.value?.value.subject;
  if (content.value === undefined || subject === undefined) return ok(undefined);
  return engine.registry.list(pin(copied, subject.digest), [listedAs(content.value)]);
}

function listedAs(content: ManifestContent): Descriptor {
  const artifactType = typeOf(content);
  const { annotations } = content.value;
  return {
    ...content.descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers */
function typeOf(content: ManifestContent): string | undefined {
  return content.value.artifactType ?? (content.kind === 'manifest' ? content.value.config.mediaType : undefined);
}

/** A mirror that decides tags decides this too. The others serve bytes only. */
async function listSource({ registry, settings }: Engine, source: Pinned): Promise<Result<readonly Referrer[]>> {
  for (const place of trustedMirrors(settings.mirrors, source)) {
    const listed = await registry.referrers(pin(place, source.digest), 'source');
    if (listed.ok) return listed;
  }
  return registry.referrers(pin(source, source.digest), 'source');
}

/** What upstream attaches to an image: what refers to it, and the `.sig` tag. */
interface Attached {
  readonly listed: readonly Referrer[];
  readonly signature: Digest | undefined;
}

/**
 * Where both lie under tags, the list of tags says for all images of a repository which have none. `some`: there was something,
 * and so a list without it may be of a registry that does not show such tags.
 */
async function attachedTo(
  engine: Engine,
  filter: ReferrerFilter,
  source: Pinned,
  some: boolean,
): Promise<Result<Attached>> {
  const { registry, settings, tagLists } = engine;
  const byTags = registry.referrersApi(source) === false && trustedMirrors(settings.mirrors, source).length === 0;
  const tags = byTags ? await tagLists.fewOf(source) : undefined;
  const [list, sig] = [fallbackTag(source.digest), legacyTag(source.digest, 'sig')];
  const shown = some && tags?.has(list) === false && !tags.has(sig) ? undefined : tags;
  const listed = shown?.has(list) === false ? ok([]) : await listSource(engine, source);
  if (!listed.ok) return listed;
  const signature = shown?.has(sig) === false ? ok(undefined) : await upstreamSignature(engine, filter, source);
  return signature.ok ? ok({ listed: listed.value, signature: signature.value }) : signature;
}

function textOf({ listed, signature }: Attached): string {
  return JSON.stringify([listed.map(({ descriptor }) => descriptor.digest).sort(), signature ?? null]);
}

const NOTHING = textOf({ listed: [], signature: undefined });

function noteName({ types }: ReferrerFilter, { source, subject }: Ends): readonly string[] {
  return ['referrers', formatRepository(source), formatPinned(subject), JSON.stringify(types ?? null)];
}

function tooMany(subject: Pinned): RegistryFailure {
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'source',
    host: placeName(subject),
    message: `more refers to ${formatPinned(subject)} than can be copied (${MAX_REFERRERS}, ${MAX_DEPTH} deep)`,
    hint: 'choose with "types" of "referrers" which are wanted',
  };
}
