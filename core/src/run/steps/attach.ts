/** `core.attach@1`: pushes bundles as referrers, children before the index, so that the index's referrers stand for all. */
import { fail, ok, type Result } from '../../failure.ts';
import { formatRepository, pin, type Digest, type Pinned } from '../../reference.ts';
import type { Attachment } from '../../registry/model.ts';
import { mediaType, type Descriptor } from '../../oci/model.ts';
import type { Bundle } from '../../trust/model.ts';
import { outdatedBy, superseded } from '../../trust/required.ts';
import { believe, readBundle } from '../believe.ts';
import { legacyAttestations } from '../believe-legacy.ts';
import type { Image, ProbedSync, SignedAttachment, SignOutput, StepContext } from '../engine.ts';
import { attachLegacy } from './legacy.ts';

export interface AttachInput {
  readonly image: Image;
  readonly sign: SignOutput;
}

export interface AttachOutput {
  readonly attached: number;
}

export async function attachStep(step: StepContext, { image, sign }: AttachInput): Promise<Result<AttachOutput>> {
  return attachAll(step, image, (digest) => sign.attachments.filter(({ subject }) => subject === digest));
}

/** A retag into another repository: the very bundles that are attached at the source travel along. */
export interface CarryInput {
  readonly image: Image;
  readonly probed: ProbedSync;
}

export async function carryStep(step: StepContext, { image, probed }: CarryInput): Promise<Result<AttachOutput>> {
  const carried = new Map<Digest, readonly Attachment[]>();
  for (const { digest } of subjects(image)) {
    const bundles = await ourBundles(step, pin(probed.source, digest));
    if (!bundles.ok) return bundles;
    carried.set(digest, bundles.value);
  }
  return attachAll(step, image, (digest) =>
    (carried.get(digest) ?? []).map((attachment) => ({ attachment, replaces: [] })),
  );
}

async function attachAll(
  step: StepContext,
  image: Image,
  of: (subject: Digest) => readonly Pick<SignedAttachment, 'attachment' | 'replaces'>[],
): Promise<Result<AttachOutput>> {
  const { engine } = step;
  const { signing } = engine;
  const format = signing?.format ?? 'bundle';
  let attached = 0;
  for (const subject of subjects(image)) {
    const signed = of(subject.digest);
    const attachments = signed.map(({ attachment }) => attachment);
    const replaced = new Set(signed.flatMap(({ replaces }) => replaces));
    // A scan signs no image that it has nothing to say of.
    if (engine.purpose === 'scan' && attachments.length === 0) continue;
    const at = pin(image.subject, subject.digest);
    if (attachments.length > 0 && format !== 'legacy') {
      const outdated = await outdatedOn(step, at, attachments);
      if (!outdated.ok) return outdated;
      const done = await engine.registry.attach(
        { ...subject, repository: image.subject },
        attachments,
        new Set([...outdated.value, ...replaced]),
      );
      if (!done.ok) return done;
    }
    if (signing !== undefined && format !== 'bundle') {
      // What is attached as bundles from before goes there too: the format may have been set since.
      const earlier = format === 'both' ? await ourBundles(step, at) : ok([]);
      if (!earlier.ok) return earlier;
      const done = await attachLegacy(step, at, [...earlier.value, ...attachments], { signing, replaced });
      if (!done.ok) return done;
    }
    attached += attachments.length;
  }
  return ok({ attached });
}

/** Children first. A single manifest is its own child. */
function subjects(image: Image): readonly Descriptor[] {
  const own: Descriptor = { mediaType: image.mediaType, digest: image.digest, size: image.manifestSize };
  const children = image.children.filter(({ digest }) => digest !== image.digest);
  return [...children.map(({ mediaType: type, digest, size }) => ({ mediaType: type, digest, size })), own];
}

/** Older attestations of ours that a new one of the same type replaces: they leave the fallback index. */
async function outdatedOn(
  step: StepContext,
  subject: Pinned,
  attachments: readonly Attachment[],
): Promise<Result<ReadonlySet<Digest>>> {
  const believed = await believe(step, subject, step.engine.signing);
  if (!believed.ok) return believed;
  const annotations = attachments.map((attachment) => attachment.annotations);
  return ok(outdatedBy(annotations, believed.value, step.engine.now()));
}

async function ourBundles(step: StepContext, subject: Pinned): Promise<Result<readonly Attachment[]>> {
  const { engine } = step;
  if (engine.signing === undefined) return ok([]);
  if (engine.signing.format === 'legacy') {
    const found = await legacyAttestations(step, subject, engine.signing);
    return found.ok ? ok(found.value.map(({ bundle, annotations }) => bundleAttachment(bundle, annotations))) : found;
  }
  const believed = await believe(step, subject, engine.signing);
  if (!believed.ok) return believed;
  const old = new Set(superseded(believed.value));
  const attachments: Attachment[] = [];
  // From one list: by a second one, a scan that somebody renews in between would be neither the old nor the new.
  for (const { referrer } of believed.value) {
    if (old.has(referrer)) continue;
    const bundle = await readBundle(engine, subject, referrer);
    if (!bundle.ok) return bundle;
    if (bundle.value === undefined) {
      return fail({
        reason: 'trust',
        class: 'permanent',
        message: `a referrer of ${formatRepository(subject)}@${subject.digest} changed while it was read`,
      });
    }
    attachments.push(bundleAttachment(bundle.value.text, bundle.value.annotations ?? {}));
  }
  return ok(attachments);
}

function bundleAttachment(bundle: Bundle, annotations: Attachment['annotations']): Attachment {
  return { artifactType: mediaType.bundle, annotations, bytes: Buffer.from(bundle) };
}
