/**
 * One run of apko: a lock, and an image made of exactly what was locked. SOURCE_DATE_EPOCH is in nobody's allow-list and
 * must stay unset: the image's date is then its newest package's, while an empty value makes it 1970.
 */
import { apkArchitecture, configFailure, fail, formatPlatform, ok, readToolOutput } from '@slipway/core';
import type { BuildContext, Built, Failure, Result } from '@slipway/core';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { completeSbom } from './complete-sbom.ts';
import { materialsOf, parseLock, type ApkoLock } from './lock.ts';
import { makeWorkspace, packageKeys } from './workspace.ts';

/** Relative to the workspace, so that no path of this machine reaches the image. */
const LOCK = '../apko.lock.json';
const LAYOUT = '../layout';
const SBOMS = '../sboms';

interface Prepared {
  readonly workspace: string;
  /** What a lock and a build must be told alike. */
  readonly flags: readonly string[];
  readonly lock: ApkoLock;
}

/** Makes the workspace and the lock in the task's folder, or takes those that an earlier call of the same task made. */
export async function prepare(context: BuildContext): Promise<Result<Prepared>> {
  const architectures: string[] = [];
  for (const platform of context.platforms) {
    const architecture = apkArchitecture(platform);
    if (architecture === undefined) {
      return fail(
        configFailure(
          `apko cannot build ${context.entry.source} for ${formatPlatform(platform)}`,
          undefined,
          context.entry.at,
        ),
      );
    }
    architectures.push(architecture);
  }
  const keys = await packageKeys(context);
  if (!keys.ok) return keys;
  const keyring = keys.value.flatMap((key) => ['--keyring-append', key]);
  const flags = ['--arch', architectures.join(','), '--cache-dir', context.files.cache, ...keyring];
  const workspace = join(context.files.work, 'workspace');
  const lockFile = join(workspace, LOCK);
  if (!(await exists(lockFile))) {
    const made = await makeWorkspace(context, workspace);
    if (!made.ok) return made;
    const args = ['lock', ...flags, '--output', LOCK, '--', context.entry.source];
    const locked = await context.exec('apko', args, { cwd: workspace });
    if (!locked.ok) return fail(explain(locked.failure, context));
  }
  const written = await readToolOutput('apko', lockFile, String);
  if (!written.ok) return written;
  const lock = parseLock(written.value);
  return lock.ok ? ok({ workspace, flags, lock: lock.value }) : lock;
}

/** Builds an OCI image layout whose `index.json` is the image's index, and an SBOM for each platform. */
export async function build(context: BuildContext): Promise<Result<Built>> {
  const prepared = await prepare(context);
  if (!prepared.ok) return prepared;
  const { workspace, flags, lock } = prepared.value;
  // Folders that exist: into a missing one apko writes a tar instead of a layout, or fails after the image is made.
  const layout = join(workspace, LAYOUT);
  const sboms = join(workspace, SBOMS);
  await mkdir(layout);
  await mkdir(sboms);
  const given = [...flags, '--lockfile', LOCK, '--sbom-path', SBOMS, '--vcs=false'];
  const args = ['build', ...given, '--', context.entry.source, imageName(context), LAYOUT];
  const built = await context.exec('apko', args, { cwd: workspace });
  if (!built.ok) return fail(explain(built.failure, context));
  const documents = await readSboms(layout, sboms, lock, context);
  if (!documents.ok) return documents;
  return ok({ layout, sboms: documents.value, materials: materialsOf(lock) });
}

/** The last part of it stands in the SBOM. */
function imageName(context: BuildContext): string {
  const { path } = context.entry.targets[0].destination;
  return `slipway/${path.slice(path.lastIndexOf('/') + 1)}:build`;
}

/** apko names its documents by architecture; here they belong to the manifest of that platform. */
async function readSboms(
  layout: string,
  folder: string,
  lock: ApkoLock,
  context: BuildContext,
): Promise<Result<NonNullable<Built['sboms']>>> {
  const documents: { readonly digest: string; readonly spdx: unknown }[] = [];
  const index = await readToolOutput<unknown>('apko', join(layout, 'index.json'), JSON.parse);
  if (!index.ok) return index;
  const manifests = field(index.value, 'manifests');
  const images: readonly unknown[] = Array.isArray(manifests) ? manifests : [];
  for (const platform of context.platforms) {
    const architecture = apkArchitecture(platform);
    const manifest = images.find((item) => {
      const of = field(item, 'platform');
      const known = { os: String(field(of, 'os')), architecture: String(field(of, 'architecture')) };
      const variant = field(of, 'variant');
      return apkArchitecture(typeof variant === 'string' ? { ...known, variant } : known) === architecture;
    });
    const digest = field(manifest, 'digest');
    if (typeof digest !== 'string') {
      const message = `apko built no image for ${formatPlatform(platform)}`;
      return fail({ reason: 'tool', class: 'permanent', tool: 'apko', message });
    }
    const spdx = await readToolOutput<unknown>('apko', join(folder, `sbom-${architecture}.spdx.json`), JSON.parse);
    if (!spdx.ok) return spdx;
    const packages = lock.packages.filter((item) => item.architecture === architecture);
    documents.push({ digest, spdx: completeSbom(spdx.value, packages) });
  }
  return ok(documents);
}

function explain(failure: Failure, { entry }: BuildContext): Failure {
  if (failure.reason !== 'tool') return failure;
  const output = failure.output ?? '';
  const misread = /unmarshal errors:\s+(line \d+: .*)/.exec(output)?.[1];
  if (misread !== undefined) {
    const included = output.includes('failed to read include file');
    return {
      ...failure,
      class: 'permanent',
      message: `apko does not understand ${included ? `what ${entry.source} includes` : entry.source}: ${misread}`,
      hint: 'see https://github.com/chainguard-dev/apko/blob/main/docs/apko_file.md for what such a file may hold',
    };
  }
  if (output.includes('unable to lock packages to a consistent version')) {
    return {
      ...failure,
      class: 'permanent',
      hint: 'the architectures have different versions of a package: wait until the repository has caught up, pin a version, or build fewer platforms',
    };
  }
  if (/nothing provides|could not find package|solving .* constraint/i.test(output)) {
    return {
      ...failure,
      class: 'permanent',
      hint: 'check the names under contents.packages, and that a repository under contents.repositories has them for every architecture',
    };
  }
  if (/signature verification failed for repository index/.test(output)) {
    return {
      ...failure,
      class: 'permanent',
      hint: 'a repository is signed by another key than the one of that file name: give each key a name of its own, also the signingKey of build-melange',
    };
  }
  if (/signature|verifying/i.test(output) && output.includes('APKINDEX')) {
    return {
      ...failure,
      class: 'permanent',
      hint: 'contents.keyring must name the public key that signs the repository',
    };
  }
  return failure;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
