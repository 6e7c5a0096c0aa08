/** What a published image is made of: its user by its config, its packages by the SBOM that is attested to it. */
import type { Entry } from '../config/model.ts';
import type { Signing } from '../config/settings-model.ts';
import { ok, type Result } from '../failure.ts';
import { formatPlatform } from '../oci/model.ts';
import { pin, type Pinned } from '../reference.ts';
import { believe, lookTask, readBundle } from '../run/believe.ts';
import { legacyAttestations } from '../run/believe-legacy.ts';
import { readImage } from '../run/steps/image.ts';
import type { Looking } from '../run/engine.ts';
import { bundleStatement } from '../trust/bundle.ts';
import type { Fact } from '../trust/facts.ts';
import { predicateType, type Bundle } from '../trust/model.ts';
import { newestScan } from '../trust/required.ts';
import { installedPackages, spdxPackages } from '../trust/spdx.ts';
import { asRecord, asText, readJson } from '../trust/strict.ts';
import type { Online } from './model.ts';

export interface Inspected {
  /** As `linux/amd64`. */
  readonly platform: string;
  /** As the image config has it; empty when it has none. */
  readonly user: string;
  /** Names, from the attested SBOM; `undefined` when it does not say what is installed. */
  readonly packages: readonly string[] | undefined;
}

const MAX_CONFIG = 1024 * 1024;

/** Three rules ask the same of each entry. */
const asked = new WeakMap<Online, Map<string, Promise<Result<readonly Inspected[]>>>>();

/** Every platform of what the entry's own tag names now; none when there is no such tag. */
export function inspect(context: Online, entry: Entry): Promise<Result<readonly Inspected[]>> {
  const known = asked.get(context) ?? new Map<string, Promise<Result<readonly Inspected[]>>>();
  asked.set(context, known);
  const before = known.get(entry.id);
  if (before !== undefined) return before;
  const looking = look(context, entry);
  known.set(entry.id, looking);
  return looking;
}

async function look(context: Online, entry: Entry): Promise<Result<readonly Inspected[]>> {
  const { registry } = context.engine;
  const [{ destination }] = entry.targets;
  const head = await registry.head(destination, 'destination');
  if (!head.ok) return head;
  if (head.value === undefined) return ok([]);
  const image = await readImage(registry, pin(destination, head.value.digest));
  if (!image.ok) return image;
  const found: Inspected[] = [];
  for (const { digest, platform } of image.value.children) {
    const subject = pin(destination, digest);
    const user = await userOf(context, subject);
    if (!user.ok) return user;
    const packages = await packagesOf(context, subject, entry);
    if (!packages.ok) return packages;
    found.push({ platform: formatPlatform(platform), user: user.value, packages: packages.value });
  }
  return ok(found);
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties */
async function userOf({ engine }: Online, subject: Pinned): Promise<Result<string>> {
  const manifest = await engine.registry.manifest(subject, 'destination');
  if (!manifest.ok) return manifest;
  if (manifest.value?.kind !== 'manifest') return ok('');
  const bytes = await engine.registry.readBlob(subject, manifest.value.value.config, 'destination', MAX_CONFIG);
  if (!bytes.ok) return bytes;
  const json = readJson(bytes.value, MAX_CONFIG, 'the image config');
  const config = json.ok ? asRecord(asRecord(json.value)?.['config']) : undefined;
  return ok(asText(config?.['User']) ?? '');
}

/**
 * Names in the attested SBOM. One without any is believed only when the scan found no package either: some builders list
 * nothing of what they install, and that must not pass for an image with nothing in it.
 */
async function packagesOf(
  context: Online,
  subject: Pinned,
  entry: Entry,
): Promise<Result<readonly string[] | undefined>> {
  const { engine, signal } = context;
  const { signing } = engine;
  if (signing === undefined) return ok(undefined);
  const step = { engine, task: lookTask(`${entry.id}#check`, entry.id), signal };
  const believed = await believe(step, subject, signing);
  if (!believed.ok) return believed;
  const facts = believed.value;
  const bundle = await sbomBundle(step, subject, signing, facts);
  if (!bundle.ok) return bundle;
  const statement = bundle.value === undefined ? undefined : bundleStatement(bundle.value);
  const names =
    statement?.ok === true ? spdxPackages(statement.value.predicate).flatMap(({ name }) => asText(name) ?? []) : [];
  const scanned = newestScan(facts)?.content.scan.platforms.find(({ digest }) => digest === subject.digest);
  const listed = statement?.ok === true ? installedPackages(statement.value.predicate).length : 0;
  return ok(listed > 0 || scanned?.packages === 0 ? names : undefined);
}

/** The bundle of an SBOM whose signature holds; anybody can push one that does not. */
async function sbomBundle(
  step: Looking,
  subject: Pinned,
  signing: Signing,
  facts: readonly Fact[],
): Promise<Result<Bundle | undefined>> {
  if (signing.format === 'legacy') {
    const attested = await legacyAttestations(step, subject, signing);
    return attested.ok
      ? ok(attested.value.find(({ fact }) => fact.predicateType === predicateType.sbom)?.bundle)
      : attested;
  }
  const fact = facts.find((one) => one.predicateType === predicateType.sbom);
  if (fact === undefined) return ok(undefined);
  const bundle = await readBundle(step.engine, subject, fact.referrer);
  return bundle.ok ? ok(bundle.value?.text) : bundle;
}
