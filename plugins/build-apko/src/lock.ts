/** apko's lock file: the exact packages of a build. */
import { fail, ok, type Material, type Result, type ToolFailure } from '@slipway/core';

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly url: string;
  /** Alpine's own, as `Q1…`: a SHA-1 of the control segment. */
  readonly checksum: string;
  /** SHA-256 of the data segment, hex, when the lock has it. */
  readonly dataSha256?: string;
}

export interface ApkoLock {
  readonly packages: readonly LockedPackage[];
  /** URLs of the repositories' indexes. */
  readonly repositories: readonly string[];
}

export function parseLock(text: string): Result<ApkoLock, ToolFailure> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return fail(unreadable('it is not JSON'));
  }
  const contents = record(record(data)['contents']);
  const packages: LockedPackage[] = [];
  for (const item of list(contents['packages'])) {
    const { name, version, architecture, url, checksum, data: segment } = record(item);
    if (typeof name !== 'string' || typeof version !== 'string' || typeof architecture !== 'string') {
      return fail(unreadable('a package has no name, version or architecture'));
    }
    const dataSha256 = hexOf(record(segment)['checksum']);
    packages.push({
      name,
      version,
      architecture,
      url: typeof url === 'string' ? url : '',
      checksum: typeof checksum === 'string' ? checksum : '',
      ...(dataSha256 === undefined ? {} : { dataSha256 }),
    });
  }
  const repositories = ['repositories', 'build_repositories'].flatMap((key) =>
    list(contents[key]).flatMap((item) => {
      const { url } = record(item);
      return typeof url === 'string' ? [url] : [];
    }),
  );
  return ok({ packages, repositories: [...new Set(repositories)].sort() });
}

/** `x86_64/hello` → `1.0.0-r0 Q1…`. */
export function resolvedPackages(lock: ApkoLock): Readonly<Record<string, string>> {
  const entries = lock.packages.map((item): [string, string] => [
    `${item.architecture}/${item.name}`,
    `${item.version} ${item.checksum}`,
  ]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** https://github.com/package-url/purl-spec/blob/main/types-doc/apk-definition.md */
export function purlOf({ name, version, architecture, url }: LockedPackage): string {
  return `pkg:apk/${distribution(url)}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
}

/** Packages as purls, and the repositories they came from. */
export function materialsOf(lock: ApkoLock): readonly Material[] {
  const packages = lock.packages.map((item): Material => {
    const sha1 = item.checksum.startsWith('Q1') ? Buffer.from(item.checksum.slice(2), 'base64').toString('hex') : '';
    // The checksums are of a package's segments, not of its file, and must not pass for the file's.
    const digest = {
      ...(sha1 === '' ? {} : { apkControlSha1: sha1 }),
      ...(item.dataSha256 === undefined ? {} : { apkDataSha256: item.dataSha256 }),
    };
    return { uri: purlOf(item), name: item.name, digest };
  });
  const repositories = lock.repositories.map((url): Material => ({ uri: url }));
  return [...packages, ...repositories].sort((a, b) => (a.uri < b.uri ? -1 : 1));
}

function distribution(url: string): string {
  const host = URL.parse(url)?.hostname ?? '';
  if (host.endsWith('wolfi.dev')) return 'wolfi';
  return host.endsWith('cgr.dev') ? 'chainguard' : 'alpine';
}

function hexOf(checksum: unknown): string | undefined {
  if (typeof checksum !== 'string' || !checksum.startsWith('sha256-')) return undefined;
  return Buffer.from(checksum.slice('sha256-'.length), 'base64').toString('hex');
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function unreadable(why: string): ToolFailure {
  return {
    reason: 'tool',
    class: 'permanent',
    tool: 'apko',
    message: `the lock that apko wrote cannot be read: ${why}`,
  };
}
