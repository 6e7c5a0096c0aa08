/**
 * Whether an image at its source was signed by who a config asks for, as cosign judges it: bundles and the older tags, keys and
 * identities. Cosign does not print who signed a bundle and when, so that is read from the very bundle, which is verified again.
 * https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md
 */
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, type TrustMaterial } from '@sigstore/verify';
import { fail, formatPinned, ok, parseReference, pin, type Pinned } from '@slipway/core';
import type { Accept, ContractInput, ContractOutput, Failure, Result, TaskContext } from '@slipway/core';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publicGood } from './services.ts';
import { trustFor, type Identity } from './identity.ts';
import { explainVerification } from './verification-failure.ts';
import { verifyIdentity } from './verify.ts';

type Output = ContractOutput<'image.verify@1'>;

const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle/;
const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1';
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
  const flags =
    accept.kind === 'key'
      ? await keyFlags(accept.publicKey, context)
      : await identityFlags(accept, trustedRoot, context);
  if (!flags.ok) return flags;
  const { args, trust } = flags.value;
  const found = await cosign(image, args, context);
  if (!found.ok) return found;
  if (accept.kind === 'key') return ok({ signer: accept.fingerprint });
  const signer = said(found.value, accept) ?? (await bundleSigner(image, accept, trust, context)) ?? asAsked(accept);
  return signer === undefined ? fail(nameless(image)) : ok(signer);
}

interface Flags {
  readonly args: readonly string[];
  readonly trust?: TrustMaterial;
}

/** A key's signature proves itself: no log is asked. */
async function keyFlags(publicKey: string, context: TaskContext): Promise<Result<Flags>> {
  const file = join(context.files.work, 'upstream.pub');
  await writeFile(file, publicKey);
  return ok({ args: [`--key=${file}`, '--insecure-ignore-tlog=true'] });
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

/** What cosign prints. An image with bundles may have its signature in the older tag: cosign looks there only when told. */
async function cosign(image: Pinned, flags: readonly string[], context: TaskContext): Promise<Result<string>> {
  const plain = context.plainHttp(image.registry) ? ['--allow-http-registry=true'] : [];
  const run = async (...format: readonly string[]): Promise<Result<string>> => {
    const args = ['verify', '--output=json', ...flags, ...plain, ...format, formatPinned(image)];
    const done = await context.exec('cosign', args, { hosts: [image.registry] });
    return done.ok ? ok(done.value.stdout) : fail(explainVerification(done.failure, image));
  };
  const first = await run();
  if (first.ok || first.failure.reason !== 'trust') return first;
  const older = await run('--new-bundle-format=false');
  return older.ok || older.failure.reason !== 'trust' ? older : first;
}

/** The older format's signer, and the time by the log, if cosign has asked for the log. */
function said(stdout: string, accept: Identity): Output | undefined {
  const records = jsonOf(stdout);
  for (const record of Array.isArray(records) ? (records as readonly unknown[]) : []) {
    const optional = property(record, 'optional');
    const [subject, issuer] = [property(optional, 'Subject'), property(optional, 'Issuer')];
    if (typeof subject !== 'string' || typeof issuer !== 'string') continue;
    if ('exact' in accept.subject && accept.subject.exact !== subject) continue;
    const seconds = property(property(property(optional, 'Bundle'), 'Payload'), 'integratedTime');
    const signedAt =
      typeof seconds === 'number' && seconds > 0 ? { signedAt: new Date(seconds * 1000).toISOString() } : {};
    return { signer: subject, issuer, ...signedAt };
  }
  return undefined;
}

/** The signer of the bundle that cosign went by: the first that says so of this image. */
async function bundleSigner(
  image: Pinned,
  accept: Identity,
  trust: TrustMaterial | undefined,
  { registry }: TaskContext,
): Promise<Output | undefined> {
  const listed = trust === undefined ? undefined : await registry.referrers(image, 'source');
  if (trust === undefined || listed?.ok !== true) return undefined;
  for (const { descriptor } of listed.value.slice(0, MAX_BUNDLES)) {
    if (descriptor.artifactType !== undefined && !BUNDLE.test(descriptor.artifactType)) continue;
    const manifest = await registry.manifest(pin(image, descriptor.digest), 'source');
    const layer = manifest.ok && manifest.value?.kind === 'manifest' ? manifest.value.value.layers[0] : undefined;
    if (layer === undefined || !BUNDLE.test(layer.mediaType)) continue;
    const bytes = await registry.readBlob(image, layer, 'source', MAX_BUNDLE);
    if (!bytes.ok) continue;
    const text = Buffer.from(bytes.value).toString('utf8');
    const verified = verifyIdentity(text, accept, trust);
    if (!verified.ok || verified.value.statement.predicateType !== SIGNATURE) continue;
    const [algorithm = '', hex] = image.digest.split(':');
    if (verified.value.statement.subject[0].digest[algorithm] !== hex) continue;
    const [issuer = '', ...subject] = verified.value.signer.split(' ');
    return { signer: subject.join(' '), issuer, ...timeOf(text) };
  }
  return undefined;
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

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
