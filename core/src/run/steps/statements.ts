/** Which statements an image needs, children first; made from what the chain's earlier steps found. */
import type { BuildEntry, SyncEntry } from '../../config/model.ts';
import { formatPlatform } from '../../oci/model.ts';
import { formatReference, formatRepository, type Digest } from '../../reference.ts';
import type { Extra } from '../../trust/accept.ts';
import { predicateType, type BuildKeys, type Statement } from '../../trust/model.ts';
import { copyPredicate, MAX_TARGETS, type Copy } from '../../trust/predicates/copy.ts';
import { provenancePredicate } from '../../trust/predicates/provenance.ts';
import { indexSbom, sbomPredicate } from '../../trust/predicates/sbom.ts';
import { scanPredicate } from '../../trust/predicates/scan.ts';
import { signaturePredicate } from '../../trust/predicates/signature.ts';
import { factsOf, type Fact, type FactOf } from '../../trust/facts.ts';
import { earlierProvenance, newestProvenance } from '../../trust/required.ts';
import { makeStatement } from '../../trust/statement.ts';
import { scanOf, summariseScan } from '../../trust/summary.ts';
import type { BuildOutput, ProbedSync, StepContext } from '../engine.ts';
import type { Before } from '../targets.ts';
import { originOf, sameOrigin, saysOrigin } from './origin.ts';
import type { SignBuildInput, SignCopyInput, SignInput } from './sign.ts';

export interface WantedStatement {
  readonly subject: Digest;
  readonly statement: Statement;
  readonly extra: Extra;
  /** True when it is to be made although one of its type is attached: a new scan, new build keys. */
  readonly renew: boolean;
  /** Attached statements that it says again, with more. */
  readonly replaces: readonly Digest[];
}

/** Of every image that is published: all but where it comes from. */
export function imageStatements(step: StepContext, input: SignInput): readonly WantedStatement[] {
  const { digest } = input.image;
  const sbom = ownSbom(step, input);
  return [
    ...ofChildren(input),
    wanted(digest, predicateType.signature, signaturePredicate()),
    ownScan(input),
    ...(sbom === undefined ? [] : [wanted(digest, predicateType.sbom, sbom)]),
  ];
}

/** Where only the scan is renewed. */
export function scanStatements(input: SignInput): readonly WantedStatement[] {
  return [...ofChildren(input), ownScan(input)];
}

function ofChildren(input: SignInput): readonly WantedStatement[] {
  const { digest: own, children } = input.image;
  return children.filter(({ digest }) => digest !== own).flatMap(({ digest }) => childStatements(digest, input));
}

function ownScan({ image, scan: { scan, attested } }: SignInput): WantedStatement {
  const summary = scanPredicate(summariseScan(scan));
  return wanted(image.digest, predicateType.scan, summary, { created: scan.finishedAt }, !attested);
}

function childStatements(child: Digest, { scan, sbom }: SignInput): readonly WantedStatement[] {
  const statements: WantedStatement[] = [];
  const document = sbom?.documents.find(({ digest }) => digest === child);
  if (document !== undefined) statements.push(wanted(child, predicateType.sbom, sbomPredicate(document.spdx)));
  const part = scanOf(scan.scan, child);
  if (part.platforms.length > 0) {
    statements.push(
      wanted(child, predicateType.scan, scanPredicate(part), { created: scan.scan.finishedAt }, !scan.attested),
    );
  }
  return statements;
}

/** An index's SBOM lists its children; a single manifest's is the document itself. */
function ownSbom({ engine }: StepContext, { image, sbom, scan }: SignInput): unknown {
  const own = sbom?.documents.find(({ digest }) => digest === image.digest);
  if (own !== undefined) return sbomPredicate(own.spdx);
  if (image.shape === 'manifest' || sbom?.attested === true) return undefined;
  const created = wholeSeconds(scan.scan.startedAt, engine.now());
  return indexSbom({ subject: image.digest, children: image.children, name: formatRepository(image.subject), created });
}

/** SPDX allows no fractions of a second. */
function wholeSeconds(time: string, now: Date): string {
  const at = Number.isNaN(Date.parse(time)) ? now : new Date(time);
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** `present`: what is believed of the image itself. */
export function copyOrigin(
  { engine, entry }: StepContext<SyncEntry>,
  { probed, image }: SignCopyInput,
  present: readonly Fact[],
): WantedStatement {
  const { verified } = probed;
  const sourceDigest = probed.source.digest;
  const time = engine.now().toISOString();
  const earlier = sameOrigin(present, entry, sourceDigest);
  const moved = movedBy(probed, image.digest);
  const targets = entry.targets.map(({ destination }) => formatReference(destination));
  const predicate = copyPredicate({
    source: formatReference(entry.source),
    ...originOf(entry, sourceDigest),
    ...(verified === undefined ? {} : { verified }),
    // One for all tags of one origin, however many entries they are in.
    targets: [...new Set([...targets, ...earlier.flatMap(({ content }) => content.copy.targets)])].slice(
      0,
      MAX_TARGETS,
    ),
    previous: previousOf(earlier, moved),
    time,
  });
  // Also where a tag comes back to the image: what it names until then is what a rollback puts back.
  const renew = !saysOrigin(present, entry, sourceDigest) || !saysPrevious(present, moved);
  const statement = wanted(image.digest, predicateType.copy, predicate, { created: time }, renew);
  return { ...statement, replaces: earlier.map(({ referrer }) => referrer) };
}

function previousOf(earlier: readonly FactOf<'copy'>[], moved: Copy['previous']): Copy['previous'] {
  const all = [...earlier.map(({ content }) => content.copy.previous), moved];
  return Object.fromEntries(all.flatMap((previous) => Object.entries(previous)));
}

/** Whether the newest that is attested of each tag is what it is moved from. One that is new has nothing to go back to. */
function saysPrevious(present: readonly Fact[], moved: Copy['previous']): boolean {
  const copies = factsOf(present, 'copy').map(({ content }) => content.copy);
  const byAge = copies.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  const told = Object.assign({}, ...byAge.map(({ previous }) => previous)) as Copy['previous'];
  return Object.entries(moved).every(([tag, named]) => named === null || told[tag] === named);
}

/** What the tags named that are about to name `digest`; of one that names it already an earlier attestation knows. */
function movedBy({ before }: ProbedSync, digest: Digest): Before {
  return Object.fromEntries(Object.entries(before).filter(([, named]) => named !== digest));
}

/** New provenance for what was built, and for what would be built the same from inputs that changed. */
export function provenance(
  { engine, entry, planned }: StepContext<BuildEntry>,
  { built, probed, image }: SignBuildInput,
  present: readonly Fact[],
): readonly WantedStatement[] {
  const named = (templated: boolean): readonly string[] =>
    entry.targets.filter((one) => one.templated === templated).map(({ destination }) => formatReference(destination));
  const lasting = named(false);
  // By the first one the next provenance of this entry takes the place of this: a template's tag is another each day or commit.
  const targets = [...lasting, ...named(true)];
  const earlier = newestProvenance(probed.facts, formatReference(entry.targets[0].destination))?.content.provenance;
  const isNamed = lasting.every((target) => earlier?.targets.includes(target));
  if (built.kind === 'reused' && earlier?.keys.input === built.keys.input && isNamed) return [];
  const now = engine.now().toISOString();
  const made = built.kind === 'built' ? built : undefined;
  const finishedOn = made?.finishedAt ?? now;
  const predicate = provenancePredicate({
    mode: planned.mode ?? '',
    source: entry.source,
    options: { dockerOptions: entry.dockerOptions, melangeConfigs: entry.melangeConfigs, ...entry.options },
    platforms: image.children.map(({ platform }) => formatPlatform(platform)),
    keys: built.keys,
    targets,
    previous: probed.before,
    materials: made?.built.materials ?? earlier?.materials ?? [],
    builder: {
      id: engine.builder,
      version: made === undefined ? (earlier?.builder.version ?? {}) : toolVersions(made),
    },
    invocationId: engine.run,
    startedOn: made?.startedAt ?? now,
    finishedOn,
  });
  const extra = { created: finishedOn, ...keyNames(built.keys) };
  const statement = wanted(image.digest, predicateType.provenance, predicate, extra, true);
  return [{ ...statement, replaces: earlierProvenance(present, { targets, finishedOn }, engine.now()) }];
}

function keyNames({ input, resolved }: BuildKeys): Extra {
  return { inputKey: input, ...(resolved === undefined ? {} : { resolvedKey: resolved }) };
}

function toolVersions({ tools }: Extract<BuildOutput, { readonly kind: 'built' }>): Record<string, string> {
  return Object.fromEntries(tools.map(({ name, version }) => [name, version]));
}

function wanted(subject: Digest, type: string, predicate: unknown, extra: Extra = {}, renew = false): WantedStatement {
  return { subject, statement: makeStatement({ digest: subject }, type, predicate), extra, renew, replaces: [] };
}
