/** Manifests: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
import { fail, ok, type Result } from '../failure.ts';
import { digestLike, sha256 } from '../oci/digest.ts';
import { mediaType, type ManifestContent } from '../oci/model.ts';
import { isSchema1, MAX_MANIFEST, parseManifest } from '../oci/parse.ts';
import { formatRepository, parseDigest, type Digest, type Repository, type Tag } from '../reference.ts';
import type { HttpResponse } from './http.ts';
import type { Head, Side } from './model.ts';
import { lied, pageHint, refusal, registryFailure, storedOther, type Asked } from './refusal.ts';
import type { Attempt } from './retry.ts';
import type { Call, Wire } from './wire.ts';

/**
 * One comma list, the same for every request: some servers read only the first header line, and some choose by it which
 * of several manifests a tag names.
 */
const ACCEPT = [mediaType.ociIndex, mediaType.ociManifest, mediaType.dockerList, mediaType.dockerManifest].join(', ');

/** Statuses of servers, or of what stands before them, that know no HEAD. */
export const NO_HEAD: ReadonlySet<number> = new Set([405, 501]);

/** Statuses of servers that mean "created". */
const ALMOST_STORED: ReadonlySet<number> = new Set([200, 202]);

/** A manifest's name in its repository. */
export type ManifestName = { readonly digest: Digest } | { readonly tag: Tag };

export interface Where extends Repository {
  readonly side: Side;
}

/** What a HEAD says; where it says too little, the manifest is read and hashed. Undefined: not there. */
export async function headManifest(wire: Wire, where: Where, name: ManifestName): Promise<Result<Head | undefined>> {
  const said = await askHead(wire, where, name);
  if (!said.ok) return said;
  return said.value === 'unsaid' ? headOf(await getManifest(wire, where, name)) : ok(said.value);
}

/** `unsaid`: the manifest has to be read to know. */
export async function askHead(
  wire: Wire,
  where: Where,
  name: ManifestName,
): Promise<Result<Head | 'unsaid' | undefined>> {
  const call = callFor(where, name, 'HEAD');
  const response = await wire.call(call);
  if (!response.ok) return response;
  const { status, header } = response.value;
  if (status !== 200 && !NO_HEAD.has(status)) return absentOr(call, response.value);
  await response.value.drain();
  if (status !== 200) return ok('unsaid');
  const type = header('content-type')?.split(';')[0]?.trim();
  if (isSchema1(type)) return fail(schema1(call));
  const digest = parseDigest(header('docker-content-digest') ?? '');
  if (digest === undefined || type === undefined) return ok('unsaid');
  if ('digest' in name) {
    if (contradicts(name.digest, digest)) return fail(lied(call, `its digest is said to be ${digest}`));
    return ok({ digest: name.digest, mediaType: type });
  }
  return ok({ digest, mediaType: type });
}

/** What a HEAD would have said of a manifest that was read. */
export function headOf(read: Result<ManifestContent | undefined>): Result<Head | undefined> {
  if (!read.ok) return read;
  if (read.value === undefined) return ok(undefined);
  const { digest, mediaType: type } = read.value.descriptor;
  return ok({ digest, mediaType: type });
}

/** Reads and hashes a manifest; undefined: not there. `shared` as for {@link parseManifest}. */
export async function getManifest(
  wire: Wire,
  where: Where,
  name: ManifestName,
  options = { shared: false },
): Promise<Result<ManifestContent | undefined>> {
  const call = callFor(where, name, 'GET');
  const read = async (): Promise<Attempt<ManifestContent | undefined>> => {
    const { result: response, retryAfter } = await wire.attempt(call);
    if (!response.ok) return { result: response, ...(retryAfter === undefined ? {} : { retryAfter }) };
    if (response.value.status !== 200) return { result: await absentOr(call, response.value) };
    return { result: await readManifest(call, response.value, name, options) };
  };
  return wire.retry(where.registry, read, call);
}

async function readManifest(
  call: Call,
  response: HttpResponse,
  name: ManifestName,
  options: { readonly shared: boolean },
): Promise<Result<ManifestContent | undefined>> {
  const type = response.header('content-type');
  if (isSchema1(type)) {
    await response.drain();
    return fail(schema1(call));
  }
  const bytes = await response.bytes(MAX_MANIFEST);
  if (!bytes.ok) return bytes;
  const told = parseDigest(response.header('docker-content-digest') ?? '');
  const asked = 'digest' in name ? name.digest : (told ?? sha256(bytes.value));
  const digest = digestLike(asked, bytes.value);
  if (digest !== asked) return fail(lied(call, `they hash to ${digest}`));
  const parsed = parseManifest(bytes.value, digest, type, options);
  if (parsed.ok) return ok(parsed.value);
  return fail(
    registryFailure(call, 'permanent', `${call.what} ${parsed.problem}`, {
      hint: pageHint(type, call.registry) ?? 'it must be an OCI or Docker schema 2 manifest',
    }),
  );
}

/**
 * Puts the exact bytes, by digest with a tag if one is given beside the name. `subject` is the registry's `OCI-Subject`: it lists
 * the manifest among its subject's referrers; `tagged` is its `OCI-Tag`.
 */
export async function putManifest(
  wire: Wire,
  where: Where,
  name: ManifestName,
  content: Pick<ManifestContent, 'bytes' | 'descriptor'>,
  tag?: Tag,
): Promise<Result<{ readonly subject: string | undefined; readonly tagged: string | undefined }>> {
  const named = callFor(where, name, 'PUT');
  const call: Call = {
    ...named,
    ...(tag === undefined ? {} : { url: `${String(named.url)}?tag=${tag}` }),
    scopes: [{ path: where.path, actions: 'pull,push' }],
    headers: { 'content-type': content.descriptor.mediaType },
    body: content.bytes,
  };
  const response = await wire.call(call);
  if (!response.ok) return response;
  const isStored = await storedBy(wire, where, content.descriptor.digest, response.value.status);
  if (!isStored.ok) return isStored;
  if (!isStored.value) return fail((await refusal(call, response.value)).failure);
  await response.value.drain();
  const other = otherStored(response.value, content.descriptor.digest);
  if (other !== undefined) return fail(storedOther(call, content.descriptor.digest, other));
  return ok({ subject: response.value.header('oci-subject'), tagged: response.value.header('oci-tag') });
}

/** Some say it otherwise than the specification: then what counts is whether it is there. */
async function storedBy(wire: Wire, where: Where, digest: Digest, status: number): Promise<Result<boolean>> {
  if (!ALMOST_STORED.has(status)) return ok(status === 201);
  const there = await headManifest(wire, where, { digest });
  return there.ok ? ok(there.value !== undefined) : there;
}

/**
 * Makes the tag name the manifest by this very digest. A registry gives a manifest that is put under a tag its sha256 digest; with another
 * algorithm it is put under its digest, and the tag is a parameter, which only newer registries know:
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
 */
export async function tagManifest(
  wire: Wire,
  where: Where,
  tag: Tag,
  content: Pick<ManifestContent, 'bytes' | 'descriptor'>,
): Promise<Result<void>> {
  const { digest } = content.descriptor;
  const usual = digest.startsWith('sha256:');
  const put = await (usual
    ? putManifest(wire, where, { tag }, content)
    : putManifest(wire, where, { digest }, content, tag));
  if (!put.ok) return put;
  if (usual || put.value.tagged?.split(',').some((name) => name.trim() === tag) === true) return ok(undefined);
  const message = `${where.registry} cannot give ${formatRepository(where)}@${digest} the tag ${tag}: its tags name manifests by sha256 alone`;
  return fail(registryFailure(asking(where), 'permanent', message, { hint: 'sync an image whose digest is sha256' }));
}

/**
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#deleting-tags: by the tag's name, never by a digest that
 * other tags may share.
 */
export async function deleteTag(wire: Wire, where: Where, tag: Tag): Promise<Result<void>> {
  const call: Call = {
    ...callFor(where, { tag }, 'DELETE'),
    scopes: [{ path: where.path, actions: 'pull,delete' }],
    what: `to delete the tag ${formatRepository(where)}:${tag}`,
  };
  const response = await wire.call(call);
  if (!response.ok) return response;
  const { status } = response.value;
  if (status === 202 || status === 200 || status === 204) {
    await response.value.drain();
    return ok(undefined);
  }
  const { absent, failure } = await refusal(call, response.value);
  if (absent) return ok(undefined);
  const unsupported = status === 405 || status === 501 || status === 400;
  const hint = `${where.registry} does not delete tags by this request: allow it there, or delete the tag by its own means`;
  return fail(unsupported ? { ...failure, hint } : failure);
}

function callFor(where: Where, name: ManifestName, method: Call['method']): Call {
  const text = 'digest' in name ? name.digest : name.tag;
  return {
    ...asking(where),
    method,
    url: `/v2/${where.path}/manifests/${text}`,
    scopes: [{ path: where.path, actions: 'pull' }],
    headers: { accept: ACCEPT },
    what: `${method === 'PUT' ? 'to store ' : ''}the manifest ${formatRepository(where)}${'digest' in name ? '@' : ':'}${text}`,
  };
}

function asking(where: Where): Pick<Asked, 'side' | 'registry'> {
  return { side: where.side, registry: where.registry };
}

async function absentOr(call: Call, response: HttpResponse): Promise<Result<undefined>> {
  const { absent, failure } = await refusal(call, response);
  return absent ? ok(undefined) : fail(failure);
}

/** A registry may call the same bytes by another algorithm; only two digests of one algorithm can be compared. */
function contradicts(asked: Digest, told: Digest): boolean {
  return asked.split(':')[0] === told.split(':')[0] && asked !== told;
}

/** What a registry says that it has stored in place of what it was given; undefined where it does not say so. */
export function otherStored({ header }: HttpResponse, given: Digest): Digest | undefined {
  const told = parseDigest(header('docker-content-digest') ?? '');
  return told !== undefined && contradicts(given, told) ? told : undefined;
}

function schema1(call: Asked) {
  return registryFailure(call, 'permanent', `${call.what} has Docker's schema 1, which is obsolete and not supported`, {
    hint: 'push the image again with a current tool, which writes schema 2 or OCI',
  });
}
