/** One image and everything attached to it, for `slipway show`. */
import type { Signing } from '../config/settings-model.ts';
import { fail, ok, type Result, type TrustFailure } from '../failure.ts';
import { formatPlatform } from '../oci/model.ts';
import { formatPinned, formatReference, pin, type Digest, type Pinned, type Reference } from '../reference.ts';
import { annotation } from '../trust/accept.ts';
import { bundleStatement } from '../trust/bundle.ts';
import { predicateType } from '../trust/model.ts';
import { outline } from '../trust/spdx.ts';
import { absent } from './absent.ts';
import { believe, lookTask, readBundle } from './believe.ts';
import type { Engine, Image } from './engine.ts';
import type { Session } from './session.ts';
import { readImage } from './steps/image.ts';

export interface ShownReferrer {
  readonly digest: Digest;
  readonly type: string;
  /** What its annotations claim; nothing is proved by them. */
  readonly claims: string | null;
  /** It verified against the accepted signers; `null` when no signer is configured. */
  readonly verified: boolean | null;
}

export interface ShownSubject {
  readonly digest: Digest;
  /** `linux/amd64`; `null` for an index. */
  readonly platform: string | null;
  readonly referrers: readonly ShownReferrer[];
}

export interface ShownImage {
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of all configs and layers. */
  readonly size: number;
  readonly subjects: readonly ShownSubject[];
  /** The attested SBOM, readable, when it was asked for. */
  readonly sbom?: string;
}

export interface ShowRequest {
  readonly sbom: boolean;
  readonly platform?: string;
}

export async function showImage(
  { engine }: Session,
  reference: Reference,
  signing: Signing | undefined,
  request: ShowRequest,
): Promise<Result<ShownImage>> {
  const head = await engine.registry.head(reference, 'destination');
  if (!head.ok) return head;
  if (head.value === undefined) {
    const hint = 'check the name; a private repository also answers so to whoever may not read it';
    return fail(absent(reference, 'destination', hint));
  }
  const image = await readImage(engine.registry, pin(reference, head.value.digest));
  if (!image.ok) return image;
  const subjects: ShownSubject[] = [];
  for (const { digest, platform } of subjectsOf(image.value)) {
    const referrers = await referrersOf(engine, pin(reference, digest), signing);
    if (!referrers.ok) return referrers;
    subjects.push({ digest, platform, referrers: referrers.value });
  }
  const { mediaType, digest, size } = image.value;
  const shown: ShownImage = { reference: formatReference(reference), digest, mediaType, size, subjects };
  if (!request.sbom) return ok(shown);
  const sbom = await sbomOf(engine, reference, subjects, request.platform, signing);
  return sbom.ok ? ok({ ...shown, sbom: sbom.value }) : sbom;
}

function subjectsOf(image: Image): readonly Pick<ShownSubject, 'digest' | 'platform'>[] {
  const children = image.children.map(({ digest, platform }) => ({ digest, platform: formatPlatform(platform) }));
  return image.shape === 'index'
    ? [{ digest: image.digest, platform: null }, ...children]
    : children.length > 0
      ? children
      : [{ digest: image.digest, platform: null }];
}

async function referrersOf(
  engine: Engine,
  subject: Pinned,
  signing: Signing | undefined,
): Promise<Result<readonly ShownReferrer[]>> {
  const listed = await engine.registry.referrers(subject, 'destination');
  if (!listed.ok) return listed;
  const looking = { engine, task: lookTask('show'), signal: new AbortController().signal };
  const believed = await believe(looking, subject, signing);
  if (!believed.ok) return believed;
  const ours = new Set(believed.value.map(({ referrer }) => referrer));
  return ok(
    listed.value.map(({ descriptor }) => ({
      digest: descriptor.digest,
      type: descriptor.annotations?.[annotation.predicateType] ?? descriptor.artifactType ?? descriptor.mediaType,
      claims: descriptor.annotations?.[annotation.signer] ?? null,
      verified: signing === undefined ? null : ours.has(descriptor.digest),
    })),
  );
}

/** A verified SBOM if there is one; with no accepted signer any, which the caller said nothing about. */
async function sbomOf(
  engine: Engine,
  reference: Reference,
  subjects: readonly ShownSubject[],
  platform: string | undefined,
  signing: Signing | undefined,
): Promise<Result<string>> {
  const wanted = platform === undefined ? subjects[0] : subjects.find((subject) => subject.platform === platform);
  if (wanted === undefined) return fail(noSbom(`${formatReference(reference)} has no platform ${platform}`));
  const found = wanted.referrers.find(({ type, verified }) => type === predicateType.sbom && (verified ?? true));
  if (found === undefined) {
    return fail(
      noSbom(
        `${formatPinned(pin(reference, wanted.digest))} has no ${signing === undefined ? '' : 'verified '}SBOM attached`,
      ),
    );
  }
  const bundle = await readBundle(engine, pin(reference, wanted.digest), found.digest);
  if (!bundle.ok) return bundle;
  if (bundle.value === undefined) return fail(noSbom('the SBOM attestation could not be read'));
  const statement = bundleStatement(bundle.value.text);
  return statement.ok ? ok(outline(statement.value.predicate)) : statement;
}

function noSbom(message: string): TrustFailure {
  return { reason: 'trust', class: 'permanent', message, hint: 'slipway show without --sbom lists what is attached' };
}
