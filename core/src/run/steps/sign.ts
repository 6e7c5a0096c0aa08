/**
 * `statement.sign@1`: makes the statements that the image still lacks and has each signed. What is attached and verified
 * already is never signed again; a repair signs only what is missing.
 */
import PQueue from 'p-queue';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import type { Signing } from '../../config/settings-model.ts';
import { mediaType } from '../../oci/model.ts';
import { ownerName } from '../../plugin/host.ts';
import { formatReference, pin, type Digest } from '../../reference.ts';
import { byAnother, candidateAnnotations } from '../../trust/accept.ts';
import { factsOf, isSigned, type Fact } from '../../trust/facts.ts';
import { predicateType as types, type Bundle } from '../../trust/model.ts';
import { canonicalJson, statementSubject } from '../../trust/statement.ts';
import { believe } from '../believe.ts';
import type { BuildOutput, Image, Probed, SbomOutput, SignedAttachment, SignOutput, StepContext } from '../engine.ts';
import { prove } from '../prove.ts';
import { lacksSbom, type ScanOutput } from './scan.ts';
import { signingInput } from './signing-input.ts';
import { statementsFor, type WantedStatement } from './statements.ts';

export interface SignInput {
  readonly probed: Probed;
  readonly image: Image;
  readonly scan: ScanOutput;
  /** Absent when only scans are renewed. */
  readonly sbom?: SbomOutput;
  readonly built?: BuildOutput;
}

/** Signatures made at once for one image: each is a process that mostly waits. */
const AT_ONCE = 4;

export async function signStep(step: StepContext, input: SignInput): Promise<Result<SignOutput>> {
  const { engine, task, signal } = step;
  const { signing } = engine;
  if (signing === undefined) return ok({ attachments: [] });
  const present = await presentFacts(step, input.image, signing);
  if (!present.ok) return present;
  const lacking = lacksSbom(step, input, (child) => factsOf(present.value.get(child) ?? [], 'sbom').length > 0);
  if (lacking !== undefined) return fail(lacking);
  const own = present.value.get(input.image.digest) ?? [];
  // To consumers any statement of ours is a signature, and what a tag names may be anybody's.
  if (engine.purpose === 'scan' && !isSigned(own)) return ok({ attachments: [] });
  const wanted = statementsFor(step, input, own).filter(
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
        // One context a statement: signers write files, and these run at the same time.
        await using context = await engine.context(task, 'statement.sign@1', signal);
        const made = await engine.host.call(
          'statement.sign@1',
          { statement: one.statement, signing: signingInput(signing) },
          context,
        );
        const proof = made.ok ? await checkSigned(step, one, made.value.bundle, signing) : made;
        if (made.ok && proof.ok) return attachment(one, made.value.bundle, signing);
        if (!proof.ok) failure ??= proof.failure;
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

/**
 * What comes back must be about what was given, and by who the settings say: a mixed-up bundle would vouch for another image,
 * and one by another key would be attached for nothing, since nobody here would believe it.
 */
async function checkSigned(
  step: StepContext,
  { statement }: WantedStatement,
  bundle: Bundle,
  signing: Signing,
): Promise<Result<void>> {
  const proved = await prove(step, bundle, signing.signer, signing);
  if (!proved.ok) return proved.failure.reason === 'trust' ? fail(byAnother(signing.signer, proved.failure)) : proved;
  if (canonicalJson(proved.value.statement) === canonicalJson(statement)) return ok(undefined);
  const signer = ownerName(step.engine.host, 'statement.sign@1');
  return fail({
    reason: 'trust',
    class: 'permanent',
    message: `plugin ${signer} returned a bundle for another statement than ${statement.predicateType} of ${statementSubject(statement) ?? 'nothing'}`,
    hint: `use another plugin for statement.sign, or report it to the author of plugin ${signer}`,
  });
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
