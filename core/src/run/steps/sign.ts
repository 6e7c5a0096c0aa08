/**
 * `statement.sign@1`: makes the statements that the image still lacks and has each signed. What is attached and verified
 * already is never signed again; a repair signs only what is missing.
 */
import PQueue from 'p-queue';
import type { BuildEntry, SyncEntry } from '../../config/model.ts';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import type { Signing } from '../../config/settings-model.ts';
import { mediaType } from '../../oci/model.ts';
import { formatReference, pin, type Digest } from '../../reference.ts';
import { candidateAnnotations } from '../../trust/accept.ts';
import { factsOf, isSigned, type Fact } from '../../trust/facts.ts';
import { predicateType as types, type Bundle } from '../../trust/model.ts';
import { believe } from '../believe.ts';
import type {
  BuildOutput,
  Image,
  ProbedBuild,
  ProbedSync,
  SbomOutput,
  SignedAttachment,
  SignOutput,
  StepContext,
} from '../engine.ts';
import { lacksSbom, type ScanOutput } from './scan.ts';
import { signOne } from './sign-one.ts';
import { copyOrigin, imageStatements, provenance, scanStatements, type WantedStatement } from './statements.ts';

export interface SignInput {
  readonly image: Image;
  readonly scan: ScanOutput;
  /** Absent when only scans are renewed. */
  readonly sbom?: SbomOutput;
}

export interface SignCopyInput extends SignInput {
  readonly probed: ProbedSync;
}

export interface SignBuildInput extends SignInput {
  readonly probed: ProbedBuild;
  readonly built: BuildOutput;
}

/** Signatures made at once for one image: each is a process that mostly waits. */
const AT_ONCE = 4;

export function signCopyStep(step: StepContext<SyncEntry>, input: SignCopyInput): Promise<Result<SignOutput>> {
  return signWanted(step, input, (present) => [...imageStatements(step, input), copyOrigin(step, input, present)]);
}

export function signBuildStep(step: StepContext<BuildEntry>, input: SignBuildInput): Promise<Result<SignOutput>> {
  return signWanted(step, input, (present) => [...imageStatements(step, input), ...provenance(step, input, present)]);
}

/** Of `slipway scan`. To consumers any statement of ours is a signature, and what a tag names may be anybody's. */
export function signScanStep(step: StepContext, input: SignInput): Promise<Result<SignOutput>> {
  return signWanted(step, input, (present) => (isSigned(present) ? scanStatements(input) : []));
}

/** `statementsFor`: given what is believed of the image itself. */
async function signWanted(
  step: StepContext,
  input: SignInput,
  statementsFor: (present: readonly Fact[]) => readonly WantedStatement[],
): Promise<Result<SignOutput>> {
  const { engine } = step;
  const { signing } = engine;
  if (signing === undefined) return ok({ attachments: [] });
  const present = await presentFacts(step, input.image, signing);
  if (!present.ok) return present;
  const lacking = lacksSbom(step, input, (child) => factsOf(present.value.get(child) ?? [], 'sbom').length > 0);
  if (lacking !== undefined) return fail(lacking);
  const wanted = statementsFor(present.value.get(input.image.digest) ?? []).filter(
    ({ subject, statement, renew }) =>
      // In the legacy format a signature is over another payload, and is made where it is attached.
      !(signing.format === 'legacy' && statement.predicateType === types.signature) &&
      (renew || !present.value.get(subject)?.some(({ predicateType }) => predicateType === statement.predicateType)),
  );
  if (wanted.length === 0) return ok({ attachments: [] });
  const queue = new PQueue({ concurrency: AT_ONCE });
  let failure: Failure | undefined;
  const signed = await Promise.all(
    wanted.map((one) =>
      queue.add(async (): Promise<SignedAttachment | undefined> => {
        if (failure !== undefined) return undefined;
        const made = await signOne(step, one.statement, signing);
        if (made.ok) return attachment(one, made.value, signing);
        failure ??= made.failure;
        return undefined;
      }),
    ),
  );
  if (failure !== undefined) return { ok: false, failure };
  step.log(`signed ${signed.length} statements for ${formatReference(input.image.subject)}`);
  return ok({ attachments: signed.filter((one) => one !== undefined) });
}

/** Subject → what is attached and believed. An image that this run sent may share a child with an older one. */
async function presentFacts(
  step: StepContext,
  image: Image,
  signing: Signing,
): Promise<Result<ReadonlyMap<Digest, readonly Fact[]>>> {
  const present = new Map<Digest, readonly Fact[]>();
  for (const digest of new Set([image.digest, ...image.children.map((child) => child.digest)])) {
    const believed = await believe(step, pin(image.subject, digest), signing);
    if (!believed.ok) return believed;
    present.set(digest, believed.value);
  }
  return ok(present);
}

function attachment(one: WantedStatement, bundle: Bundle, signing: Signing): SignedAttachment {
  const { predicateType } = one.statement;
  return {
    subject: one.subject,
    replaces: one.replaces,
    attachment: {
      artifactType: mediaType.bundle,
      annotations: candidateAnnotations(signing.signer, predicateType, one.extra),
      bytes: Buffer.from(bundle),
    },
  };
}
