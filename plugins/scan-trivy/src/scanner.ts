/** One pull of each platform serves the scan and the SBOM. */
import {
  fail,
  formatPlatform,
  formatPinned,
  mediaType,
  ok,
  parseReference,
  pin,
  readToolOutput,
  stableSpdx,
} from '@slipway/core';
import type {
  Child,
  ContractOutput,
  Failure,
  Pinned,
  PlatformScan,
  Result,
  Scan,
  ScanInput,
  TaskContext,
} from '@slipway/core';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { databaseTime, ensureDatabase, type Kind } from './database.ts';
import { neutral } from './neutral.ts';
import { hostOf, type TrivyOptions } from './options.ts';
import { createdOf, platformScan, unscanned, writtenAt } from './report.ts';

export interface Scanner {
  readonly scan: (input: ScanInput, context: TaskContext) => Promise<Result<Scan>>;
  readonly sbom: (input: ScanInput, context: TaskContext) => Promise<Result<ContractOutput<'sbom.make@1'>>>;
}

/** A report on disk, or why there is none. */
type Read = { readonly file: string; readonly report: unknown } | { readonly why: string };

/** Keeps, for the run, what was fetched and which reports exist. */
export function createScanner(options: TrivyOptions): Scanner {
  const pending = new Map<string, Promise<Result<unknown>>>();

  /** Runs `make` once for each key, also when asked twice at once; a failure is forgotten, so that a retry can succeed. */
  const once = async <T>(key: string, make: () => Promise<Result<T>>): Promise<Result<T>> => {
    const running = (pending.get(key) as Promise<Result<T>> | undefined) ?? make();
    pending.set(key, running);
    const result = await running;
    if (!result.ok) pending.delete(key);
    return result;
  };

  const database = (kind: Kind, context: TaskContext): Promise<Result<void>> => {
    const repositories = kind === 'db' ? options.databaseRepositories : options.javaDatabaseRepositories;
    return once(`${context.files.shared}\n${kind}`, () =>
      ensureDatabase(kind, repositories, trivyFolder(context), context),
    );
  };

  const read = async (input: ScanInput, child: Child, context: TaskContext): Promise<Result<Read>> => {
    const image = pin(input.subject, child.digest);
    // Whoever calls us may have made the names up; only what is a reference may become a URL or an argument.
    const named = parseReference(formatPinned(image));
    if (!named.ok) return named;
    const content = await context.registry.manifest(image, 'destination');
    if (!content.ok) return content;
    if (content.value === undefined) return fail(missing(input, image));
    if (content.value.kind !== 'manifest') return ok({ why: 'it is not an image manifest' });
    const { config } = content.value.value;
    if (config.mediaType !== mediaType.ociConfig && config.mediaType !== mediaType.dockerConfig) {
      return ok({ why: `it is not a container image (${config.mediaType})` });
    }
    const file = join(context.files.shared, 'reports', `${child.digest.replace(':', '-')}.json`);
    const made = await once(`${context.files.shared}\n${formatPinned(image)}`, () =>
      makeReport(formatPinned(image), child, file, context),
    );
    if (!made.ok) return made;
    const report = await readToolOutput<unknown>('trivy', file, JSON.parse);
    return report.ok ? ok({ file, report: report.value }) : report;
  };

  const makeReport = async (image: string, child: Child, file: string, context: TaskContext): Promise<Result<void>> => {
    const fetched = await database('db', context);
    if (!fetched.ok) return fetched;
    const scanned = await runTrivy(image, child, file, context);
    if (scanned.ok || !asksForJava(scanned.failure)) return scanned;
    // A Java archive can only be named by its own, large index, which most runs never need.
    const java = await database('java-db', context);
    return java.ok ? runTrivy(image, child, file, context) : java;
  };

  return {
    scan: async (input, context) => {
      const started = Date.now();
      const version = await context.toolVersion('trivy');
      if (!version.ok) return version;
      const platforms: PlatformScan[] = [];
      const written: number[] = [];
      for (const child of input.children) {
        const found = await read(input, child, context);
        if (!found.ok) return found;
        if ('report' in found.value) written.push(writtenAt(found.value.report) ?? Date.now());
        platforms.push(
          'why' in found.value ? unscanned(child, found.value.why) : platformScan(found.value.report, child),
        );
      }
      const made = await databaseTime(trivyFolder(context));
      return ok({
        scanner: { name: 'trivy', version: version.value, uri: `pkg:github/aquasecurity/trivy@v${version.value}` },
        ...(made === undefined ? {} : { database: made }),
        ...timesOf(started, written),
        platforms,
      });
    },
    sbom: async (input, context) => {
      const documents: { readonly digest: string; readonly spdx: unknown }[] = [];
      for (const child of input.children) {
        const found = await read(input, child, context);
        if (!found.ok) return found;
        if ('why' in found.value || platformScan(found.value.report, child).status === 'unscanned') continue;
        const converted = await convert(found.value.file, child, context);
        if (!converted.ok) return converted;
        documents.push({
          digest: child.digest,
          spdx: stableSpdx(converted.value, child.digest, createdOf(found.value.report)),
        });
      }
      return ok({ documents });
    },
  };
}

/** By the reports themselves: how old a scan is decides whether it is made again, and our clock may have jumped since. */
function timesOf(started: number, written: readonly number[]): Pick<Scan, 'startedAt' | 'finishedAt'> {
  const finished = written.length === 0 ? Date.now() : Math.max(...written);
  const iso = (at: number): string => new Date(at).toISOString();
  return { startedAt: iso(Math.min(started, finished)), finishedAt: iso(finished) };
}

/** Trivy's cache folder of this run: the databases only, for scans keep theirs in memory and so never wait for a lock. */
function trivyFolder(context: TaskContext): string {
  return join(context.files.shared, 'trivy');
}

async function runTrivy(image: string, child: Child, file: string, context: TaskContext): Promise<Result<void>> {
  const host = hostOf(image);
  // In the task's own folder: images in two repositories may share a platform, and be scanned at the same time.
  const unfinished = join(context.files.work, `${basename(file)}.part`);
  await mkdir(dirname(file), { recursive: true });
  const args = [
    ...['image', ...(await neutral(context)), '--no-progress', '--disable-telemetry', '--skip-version-check'],
    // Any other source could be a local image that only has the same name.
    ...['--image-src', 'remote', '--platform', formatPlatform(child.platform)],
    ...['--format', 'json', '--list-all-pkgs', '--scanners', 'vuln', '--exit-code', '0', '--output', unfinished],
    ...['--cache-dir', trivyFolder(context), '--cache-backend', 'memory', '--offline-scan'],
    ...['--skip-db-update', '--skip-java-db-update', '--skip-check-update'],
    ...(context.plainHttp(host) ? ['--insecure'] : []),
    ...['--', image],
  ];
  const done = await context.exec('trivy', args, { hosts: [host] });
  if (!done.ok) return fail(explain(done.failure, image));
  // Whoever reads it tells of a trivy that wrote nothing.
  if (existsSync(unfinished)) await rename(unfinished, file);
  return ok(undefined);
}

async function convert(file: string, child: Child, context: TaskContext): Promise<Result<unknown>> {
  const output = join(context.files.work, `${child.digest.replace(':', '-')}.spdx.json`);
  const args = ['convert', ...(await neutral(context)), '--format', 'spdx-json', '--output', output, '--', file];
  const done = await context.exec('trivy', args);
  return done.ok ? readToolOutput<unknown>('trivy', output, JSON.parse) : done;
}

function missing({ subject }: ScanInput, image: Pinned): Failure {
  const hint = 'was it deleted since it was copied? Run again';
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'destination',
    host: subject.registry,
    status: 404,
    message: `${formatPinned(image)} is not there`,
    hint,
  };
}

function asksForJava(failure: Failure): boolean {
  return failure.reason === 'tool' && (failure.output ?? '').includes('--skip-java-db-update');
}

/** Trivy logs a lot before it says why it failed. */
function explain(failure: Failure, image: string): Failure {
  if (failure.reason !== 'tool') return failure;
  const output = failure.output ?? '';
  if (/UNAUTHORIZED|DENIED|401 Unauthorized|403 Forbidden/.test(output)) {
    return {
      ...failure,
      class: 'permanent',
      message: `trivy may not read ${image}`,
      hint: 'log in to the registry with an account that may read the repository',
    };
  }
  const hint =
    failure.class === 'transient'
      ? 'trivy could not reach the registry; try again later'
      : 'the lines of trivy above say why';
  return { ...failure, message: `trivy could not scan ${image}: ${failure.message}`, hint };
}
