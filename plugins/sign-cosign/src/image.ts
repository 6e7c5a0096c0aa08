/**
 * Whether an image at its source was signed by who a config asks for, as cosign judges it: bundles and the older tags, keys and
 * identities. Cosign does not print who signed a bundle and when, so that is read from the very bundle, which is verified again.
 * https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md
 */
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, type TrustMaterial } from '@sigstore/verify';
import { fail, formatPinned, keyHash, matchesIdentity, ok, parseReference, pin, type Pinned } from '@slipway/core';
import type { Accept, ContractInput, ContractOutput, Descriptor, Failure, Result, TaskContext } from '@slipway/core';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publicGood } from './services.ts';
import { trustFor, type Identity } from './identity.ts';
import { explainVerification } from './verification-failure.ts';
import { verifyIdentity } from './verify.ts';

type Output = ContractOutput<'image.verify@1'>;
type Key = Extract<Accept, { kind: 'key' }>;

const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle/;
/**
 * Statements that count as a signature: cosign's own, and the provenance of who built it. Cosign counts every statement about the
 * image, also one that says that it has failed a test.
 */
const SIGNS = /^https:\/\/(?:sigstore\.dev\/cosign\/sign|slsa\.dev\/provenance)\/v\d/;
/** What the older payload is called in place of a statement's type. */
const OLDER_TYPE = 'cosign container image signature';
const EMPTY = 'application/vnd.oci.empty.v1+json';
const PREDICATE = 'dev.sigstore.bundle.predicateType';
const MAX_BUNDLES = 64;
const MAX_BUNDLE = 4 * 1024 * 1024;

/** A `trust` failure names what cosign found with the last of the accepted signers. */
export async function verifyImage(
  { image, accept, trustedRoot }: ContractInput<'image.verify@1'>,
  context: TaskContext,
): Promise<Result<Output>> {
  // Whoever calls may have made the names up; only what is a reference may become an argument.
  const named = parseReference(formatPinned(image));
  if (!named.ok) return named;
  let last: Failure | undefined;
  for (const one of accept) {
    const verified = await verifyAs(image, one, trustedRoot, context);
    if (verified.ok || verified.failure.reason !== 'trust') return verified;
    last = verified.failure;
  }
  if (last === undefined) throw new Error('image.verify@1 was called without a signer to accept');
  return fail(last);
}

async function verifyAs(
  image: Pinned,
  accept: Accept,
  trustedRoot: string | undefined,
  context: TaskContext,
): Promise<Result<Output>> {
  if (accept.kind === 'key') return verifyKey(image, accept, context);
  const flags = await identityFlags(accept, trustedRoot, context);
  if (!flags.ok) return flags;
  const { args, trust, logs } = flags.value;
  const verify = cosignFor(image, args, context);
  const signs = await signing(image, verify);
  if (!signs.ok && signs.failure.reason !== 'trust') return signs;
  // Cosign prints of a bundle what its signer wrote, who that is included: it is read from the bundle itself.
  const signer = signs.ok ? await bundleSigner(image, accept, trust, context) : undefined;
  if (signer !== undefined) return ok(signer);
  const older = await olderSigner(image, verify, accept, logs);
  if (older.ok || older.failure.reason !== 'trust') return older;
  if (!signs.ok) return signs;
  const asked = asAsked(accept);
  return asked === undefined ? fail(nameless(image)) : ok(asked);
}

/** A key's signature proves itself: no log is asked. */
async function verifyKey(image: Pinned, key: Key, context: TaskContext): Promise<Result<Output>> {
  const file = join(context.files.work, 'upstream.pub');
  await writeFile(file, key.publicKey);
  let first: Failure | undefined;
  // Cosign 3 signs with the hash of the curve, earlier ones with sha256, and all verify with that unless told.
  for (const hash of new Set([keyHash(key), 'sha256'])) {
    const told = hash === 'sha256' ? [] : [`--signature-digest-algorithm=${hash}`];
    const verify = cosignFor(image, [`--key=${file}`, '--insecure-ignore-tlog=true', ...told], context);
    const signs = await signing(image, verify);
    const found = signs.ok || signs.failure.reason !== 'trust' ? signs : await verify(OLDER);
    if (found.ok) return ok({ signer: key.fingerprint });
    if (found.failure.reason !== 'trust') return found;
    first ??= signs.ok ? found.failure : signs.failure;
  }
  if (first === undefined) throw new Error('a key has a hash');
  return fail(first);
}

interface Flags {
  readonly args: readonly string[];
  readonly trust: TrustMaterial;
  /** A log must have the signature. */
  readonly logs: boolean;
}

/** What the trusted root names no log of cannot be asked for: a private instance may have none. */
async function identityFlags(
  { issuer, subject }: Identity,
  trustedRoot: string | undefined,
  context: TaskContext,
): Promise<Result<Flags>> {
  const root = trustedRoot === undefined ? await publicGood('trusted-root', context) : ok(trustedRoot);
  if (!root.ok) return root;
  const trust = await trustFor(root.value, context);
  if (!trust.ok) return trust;
  const { tlogs, ctlogs, timestampAuthorities } = trust.value;
  return ok({
    trust: trust.value,
    logs: tlogs.length > 0,
    args: [
      'exact' in subject
        ? `--certificate-identity=${subject.exact}`
        : `--certificate-identity-regexp=${subject.pattern}`,
      'exact' in issuer
        ? `--certificate-oidc-issuer=${issuer.exact}`
        : `--certificate-oidc-issuer-regexp=${issuer.pattern}`,
      `--trusted-root=${root.value}`,
      ...(tlogs.length > 0 ? [] : ['--insecure-ignore-tlog=true']),
      ...(ctlogs.length > 0 ? [] : ['--insecure-ignore-sct=true']),
      ...(tlogs.length > 0 || timestampAuthorities.length === 0 ? [] : ['--use-signed-timestamps=true']),
    ],
  });
}

type Cosign = (...format: readonly string[]) => Promise<Result<string>>;

/** Told so, cosign looks at the older tag alone; else there only where it finds no bundle. */
const OLDER = '--new-bundle-format=false';

/** What cosign prints. */
function cosignFor(image: Pinned, flags: readonly string[], context: TaskContext): Cosign {
  const plain = context.plainHttp(image.registry) ? ['--allow-http-registry=true'] : [];
  return async (...format) => {
    const args = ['verify', '--output=json', ...flags, ...plain, ...format, formatPinned(image)];
    const done = await context.exec('cosign', args, { hosts: [image.registry] });
    return done.ok ? ok(done.value.stdout) : fail(explainVerification(done.failure, image));
  };
}

/** Of what cosign verifies, something must be a signature. */
async function signing(image: Pinned, verify: Cosign): Promise<Result<void>> {
  const verified = await verify();
  if (!verified.ok) return verified;
  const types = recordsOf(verified.value)
    .map((record) => property(property(record, 'critical'), 'type'))
    .filter((type): type is string => typeof type === 'string' && type !== '');
  if (types.some((type) => SIGNS.test(type) || type === OLDER_TYPE)) return ok(undefined);
  return fail({
    reason: 'trust',
    class: 'permanent',
    message: `all that was attested of ${formatPinned(image)} is ${[...new Set(types)].join(', ')}, and that is no signature`,
    hint: 'it must be signed, or have provenance',
  });
}

/**
 * Who signed in the older format. Cosign prints the time that stands beside the signature: it is proved only where nothing else
 * was to prove it, and not where a log was asked.
 */
async function olderSigner(image: Pinned, verify: Cosign, accept: Identity, logs: boolean): Promise<Result<Output>> {
  const proved = logs ? await verify(OLDER, '--offline=true') : undefined;
  const found = proved?.ok === true ? proved : await verify(OLDER);
  if (!found.ok) return found;
  const signer = said(found.value, accept, proved?.ok === true) ?? asAsked(accept);
  return signer === undefined ? fail(nameless(image)) : ok(signer);
}

/** Of those who are accepted, who signed first. */
function said(stdout: string, accept: Identity, timed: boolean): Output | undefined {
  const signers = recordsOf(stdout).flatMap((record): readonly Output[] => {
    const optional = property(record, 'optional');
    const [subject, issuer] = [property(optional, 'Subject'), property(optional, 'Issuer')];
    if (typeof subject !== 'string' || typeof issuer !== 'string') return [];
    if (!matchesIdentity(accept.subject, subject) || !matchesIdentity(accept.issuer, issuer)) return [];
    const seconds = property(property(property(optional, 'Bundle'), 'Payload'), 'integratedTime');
    const known = timed && typeof seconds === 'number' && seconds > 0;
    return [{ signer: subject, issuer, ...(known ? { signedAt: new Date(seconds * 1000).toISOString() } : {}) }];
  });
  return earliest(signers);
}

/** An image is as old as its first signature: some are signed again every night. */
function earliest(signers: readonly Output[]): Output | undefined {
  return signers.toSorted((a, b) => timeFrom(a) - timeFrom(b))[0];
}

function timeFrom({ signedAt }: Output): number {
  return signedAt === undefined ? Number.MAX_VALUE : Date.parse(signedAt);
}

/** Who signed first, of those whose bundles say so of this image. */
async function bundleSigner(
  image: Pinned,
  accept: Identity,
  trust: TrustMaterial,
  { registry }: TaskContext,
): Promise<Output | undefined> {
  const listed = await registry.referrers(image, 'source');
  if (!listed.ok) return undefined;
  const signers: Output[] = [];
  for (const { descriptor } of listed.value.filter(({ descriptor }) => maySign(descriptor)).slice(0, MAX_BUNDLES)) {
    const manifest = await registry.manifest(pin(image, descriptor.digest), 'source');
    const layer = manifest.ok && manifest.value?.kind === 'manifest' ? manifest.value.value.layers[0] : undefined;
    if (layer === undefined || !BUNDLE.test(layer.mediaType)) continue;
    const bytes = await registry.readBlob(image, layer, 'source', MAX_BUNDLE);
    if (!bytes.ok) continue;
    const text = Buffer.from(bytes.value).toString('utf8');
    const verified = verifyIdentity(text, accept, trust);
    if (!verified.ok || !SIGNS.test(verified.value.statement.predicateType)) continue;
    const [algorithm = '', hex] = image.digest.split(':');
    if (verified.value.statement.subject[0].digest[algorithm] !== hex) continue;
    const { issuer, subject } = verified.value.by;
    signers.push({ signer: subject, issuer, ...timeOf(text) });
  }
  return earliest(signers);
}

/** Whether it is worth reading. Some registries list the type of the config in place of that of the artifact. */
function maySign({ artifactType, annotations }: Descriptor): boolean {
  const type = annotations?.[PREDICATE];
  const isBundle = artifactType === undefined || artifactType === EMPTY || BUNDLE.test(artifactType);
  return isBundle && (type === undefined || SIGNS.test(type));
}

/** Of a bundle that was verified: the last of the times that were proved with it. */
function timeOf(bundle: string): { readonly signedAt?: string } {
  const { timestamps } = toSignedEntity(bundleFromJSON(JSON.parse(bundle)));
  const times = timestamps.flatMap((timestamp) => {
    if (timestamp.$case === 'timestamp-authority') return timestamp.timestamp.signingTime.getTime();
    // Without the log's promise nobody has signed this time.
    const { inclusionPromise, integratedTime } = timestamp.tlogEntry;
    return inclusionPromise === undefined ? [] : Number(integratedTime) * 1000;
  });
  return times.length === 0 ? {} : { signedAt: new Date(Math.max(...times)).toISOString() };
}

/** Cosign has verified it, but what it verified cannot be read here: only of one identity it is known all the same who it was. */
function asAsked({ issuer, subject }: Identity): Output | undefined {
  return 'exact' in subject && 'exact' in issuer ? { signer: subject.exact, issuer: issuer.exact } : undefined;
}

function nameless(image: Pinned): Failure {
  return {
    reason: 'trust',
    class: 'permanent',
    message: `cosign verifies ${formatPinned(image)}, but who of those that a pattern accepts has signed it cannot be read`,
    hint: 'give issuer and subject as they are, in place of patterns',
  };
}

function recordsOf(stdout: string): readonly unknown[] {
  try {
    const records: unknown = JSON.parse(stdout);
    return Array.isArray(records) ? records : [];
  } catch {
    return [];
  }
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
