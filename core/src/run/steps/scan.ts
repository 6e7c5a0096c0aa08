/**
 * `image.scan@1` and `sbom.make@1`: every platform of the image. What an earlier run attested is taken over, unless the entry
 * is `always` or the command is `scan`: a scan's key holds the subject only.
 */
import { fail, ok, type PluginFailure, type Result } from '../../failure.ts';
import { pluginFailure } from '../../plugin/answer.ts';
import type { ContractName } from '../../plugin/contract-api.ts';
import { ownerName } from '../../plugin/host.ts';
import { staleDatabase } from '../../policy/stale.ts';
import { pin, type Digest } from '../../reference.ts';
import { factsOf, isSigned } from '../../trust/facts.ts';
import { isTooOld, missingOnChild, newestScan } from '../../trust/required.ts';
import { formatPlatform } from '../../oci/model.ts';
import type { Child, PlatformScan, Scan } from '../../trust/model.ts';
import { believe } from '../believe.ts';
import type { BuildOutput, Engine, Image, SbomOutput, StepContext } from '../engine.ts';
import { oncePer } from '../once-per.ts';
import { readableChildren } from './image.ts';
import { trySigningOf } from './sign-one.ts';

export interface ScanOutput {
  readonly scan: Scan;
  /** Taken from an attestation that is there already. */
  readonly attested: boolean;
}

export interface ScanInput {
  readonly image: Image;
}

export async function scanStep(step: StepContext, { image }: ScanInput): Promise<Result<ScanOutput>> {
  const { engine, entry, task, signal } = step;
  const facts = await believe(step, image.subject, engine.signing);
  if (!facts.ok) return facts;
  const earlier = newestScan(facts.value)?.content.scan;
  if (
    earlier !== undefined &&
    engine.purpose !== 'scan' &&
    !entry.always &&
    !isTooOld(earlier.finishedAt, engine.settings.policy.scanMaxAge, engine.now())
  ) {
    step.log(`taken from the scan of ${earlier.finishedAt}`);
    return ok({ scan: earlier, attested: true });
  }
  const [readable, opaque] = [readableChildren(image), image.children.filter((child) => child.opaque).map(unread)];
  if (readable.length === 0) {
    return ok({ scan: { ...emptyScan(engine.now()), platforms: opaque }, attested: false });
  }
  if (engine.purpose !== 'scan' || isSigned(facts.value)) {
    const able = await trySigningOf(step);
    if (!able.ok) return able;
  }
  await using context = await engine.context(task, 'image.scan@1', signal);
  const scanned = await engine.host.call('image.scan@1', { subject: image.subject, children: readable }, context);
  if (!scanned.ok) return scanned;
  const astray =
    elsewhere(step, 'image.scan@1', readable, scanned.value.platforms) ?? silentOn(step, readable, scanned.value);
  if (astray !== undefined) return fail(astray);
  warnOnce(engine, staleDatabase(scanned.value));
  return ok({ scan: { ...scanned.value, platforms: [...scanned.value.platforms, ...opaque] }, attested: false });
}

/** Of each run: all its images are scanned with one database. */
const toldIn = oncePer<Engine, Set<string>>(() => new Set());

function warnOnce(engine: Engine, message: string | undefined): void {
  const told = toldIn(engine);
  if (message === undefined || told.has(message)) return;
  told.add(message);
  engine.emit({ type: 'warning', message });
}

function unread({ digest, platform }: Image['children'][number]): PlatformScan {
  const why = 'its config is not that of an image, so that nothing says what is in it';
  return { digest, platform: formatPlatform(platform), status: 'unscanned', why, packages: 0, findings: [] };
}

/** An artifact without an image config: nothing to read, so nothing that could be called clean. */
function emptyScan(now: Date): Scan {
  const at = now.toISOString();
  return { scanner: { name: 'none', version: '0', uri: '' }, startedAt: at, finishedAt: at, platforms: [] };
}

export interface SbomInput {
  readonly image: Image;
  readonly built?: BuildOutput;
}

/** SPDX documents of the children: the build's own where it made them, else the plugin's. */
export async function sbomStep(step: StepContext, { image, built }: SbomInput): Promise<Result<SbomOutput>> {
  const { engine, task, signal } = step;
  const facts = await believe(step, image.subject, engine.signing);
  if (!facts.ok) return facts;
  const attested = factsOf(facts.value, 'sbom').length > 0;
  const lacking = attested ? await childrenWithoutSbom(step, image) : ok(readableChildren(image));
  if (!lacking.ok) return lacking;
  const own = built?.kind === 'built' ? (built.built.sboms ?? []) : [];
  const wanted = new Set<string>(lacking.value.map(({ digest }) => digest));
  const documents = own.filter(({ digest }) => wanted.has(digest));
  const left = lacking.value.filter(({ digest }) => !documents.some((document) => document.digest === digest));
  if (left.length === 0) return ok({ documents, attested });
  await using context = await engine.context(task, 'sbom.make@1', signal);
  const made = await engine.host.call('sbom.make@1', { subject: image.subject, children: left }, context);
  if (!made.ok) return made;
  const astray = elsewhere(step, 'sbom.make@1', left, made.value.documents);
  return astray === undefined ? ok({ documents: [...documents, ...made.value.documents], attested }) : fail(astray);
}

/** What is said of another image would be signed, and the registry be blamed for what is then not found. */
function elsewhere(
  step: StepContext,
  contract: ContractName,
  asked: readonly Child[],
  given: readonly { readonly digest: string }[],
): PluginFailure | undefined {
  const known = new Set<string>(asked.map(({ digest }) => digest));
  const stray = given.find(({ digest }) => !known.has(digest));
  return stray && failureOf(step, contract, `gave an answer for ${stray.digest}, of which it was not asked`);
}

function silentOn(step: StepContext, asked: readonly Child[], { platforms }: Scan): PluginFailure | undefined {
  const silent = asked.find((child) => platforms.every(({ digest }) => digest !== child.digest));
  if (silent === undefined) return undefined;
  const name = formatPlatform(silent.platform);
  return failureOf(step, 'image.scan@1', `did not say whether ${name} (${silent.digest}) could be read`);
}

/** Only with the scan it is known of which platforms there is something to list. `attested`: which have an SBOM already. */
export function lacksSbom(
  step: StepContext,
  { image, scan, sbom }: { readonly image: Image; readonly scan: ScanOutput; readonly sbom?: SbomOutput },
  attested: (digest: Digest) => boolean,
): PluginFailure | undefined {
  if (sbom === undefined) return undefined;
  const listed = new Set<string>(sbom.documents.map(({ digest }) => digest));
  const scanned = new Set<string>(
    scan.scan.platforms.flatMap(({ digest, status }) => (status === 'scanned' ? [digest] : [])),
  );
  const silent = readableChildren(image).find(
    ({ digest }) => scanned.has(digest) && !listed.has(digest) && !attested(digest),
  );
  if (silent === undefined) return undefined;
  return failureOf(step, 'sbom.make@1', `gave none for ${formatPlatform(silent.platform)} (${silent.digest})`);
}

function failureOf({ engine }: StepContext, hook: ContractName, what: string): PluginFailure {
  return pluginFailure({ plugin: ownerName(engine.host, hook), hook }, what);
}

/** Somebody may have removed what was attached to one platform; the index still has its own list. */
async function childrenWithoutSbom(step: StepContext, image: Image): Promise<Result<readonly Child[]>> {
  const lacking: Child[] = [];
  for (const child of readableChildren(image)) {
    if (child.digest === image.digest) continue;
    const facts = await believe(step, pin(image.subject, child.digest), step.engine.signing);
    if (!facts.ok) return facts;
    if (missingOnChild(facts.value).includes('sbom')) lacking.push(child);
  }
  return ok(lacking);
}
