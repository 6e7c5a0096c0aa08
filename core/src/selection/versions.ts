/** Tags as versions and numbers, so that they can be compared. */
import { Range, compareBuild, parse, satisfies, type Comparator, type SemVer } from 'semver';

export interface Version {
  /** Made of the first three numbers, none larger than ranges can hold, and what follows the numbers. */
  readonly semver: SemVer;
  /** All its numbers: some versions have a fourth, as `3.8.1.1` or `10.0.17763.2114`. */
  readonly numbers: readonly [bigint, bigint, bigint, bigint];
}

/** The largest number that the semver package reads; times as 20240108120000123 are larger. */
const MAX_NUMBER = BigInt(Number.MAX_SAFE_INTEGER);

/** As registries have them: `v1.2.3`, `1.2`, `20`, `22.04`, `1.2.3.4`, `1.2.3-rc.1`, `1.2.3_rc1` (Alpine), `1.2.3_build` (Helm writes `_` for `+`). */
const VERSION =
  /^v?(?<major>\d{1,18})(?:\.(?<minor>\d{1,18})(?:\.(?<patch>\d{1,18})(?:\.(?<fourth>\d{1,18}))?)?)?(?:(?:-|_(?=(?:alpha|beta|pre|rc)\d*$))(?<pre>[0-9A-Za-z.-]+))?(?:[_+](?<build>[0-9A-Za-z.-]+))?$/;

/** What is missing counts as 0; `undefined`: it is no version. */
export function parseVersion(text: string): Version | undefined {
  const { major, minor = '0', patch = '0', fourth = '0', pre, build } = VERSION.exec(text)?.groups ?? {};
  if (major === undefined) return undefined;
  const numbers = [BigInt(major), BigInt(minor), BigInt(patch), BigInt(fourth)] as const;
  const core = numbers
    .slice(0, 3)
    .map((number) => (number > MAX_NUMBER ? MAX_NUMBER : number))
    .join('.');
  const semver = parse(`${core}${pre === undefined ? '' : `-${pre}`}${build === undefined ? '' : `+${build}`}`, {
    loose: true,
  });
  return semver === null ? undefined : { semver, numbers };
}

export function isPrerelease({ semver }: Version): boolean {
  return semver.prerelease.length > 0;
}

/** Zeros before a number, as in `22.04`. */
const PADDING = /(?<=^|[^0-9A-Za-z]|\bv)0+(?=\d)/g;
/** `>=1.28-0`: a version that is not complete, and a prerelease of it. */
const EARLY = /(?<=[<>]=?\s*v?)(\d+)(?:\.(\d+))?-(?=0(?![.\w])|[A-Za-z])/g;

/** As `>=1.2 <2`, `^20`, `1.x || 3.x`; commas between comparisons are taken too, as Go's tools have them. */
export function parseRange(text: string): Range | undefined {
  const written = text
    .replaceAll(',', ' ')
    .replaceAll(PADDING, '')
    .replaceAll(EARLY, (_, major: string, minor = '0') => `${major}.${minor}.0-`);
  try {
    return new Range(written);
  } catch {
    return undefined;
  }
}

/** Prereleases are in a range only with `prerelease`. */
export function inRange(version: Version, ranges: readonly Range[], prerelease: boolean): boolean {
  if (version.numbers[3] === 0n) {
    return ranges.some((range) => satisfies(version.semver, range, { includePrerelease: prerelease }));
  }
  if (isPrerelease(version) && !prerelease) return false;
  return ranges.some(({ set }) => set.some((comparators) => comparators.every((each) => passes(version, each))));
}

/** Ranges know only three numbers: 1.2.3.4 counts as later than 1.2.3 and earlier than 1.2.4. */
function passes({ semver }: Version, comparator: Comparator): boolean {
  const isAny = comparator.value === '';
  if (isAny || semver.compareMain(comparator.semver) !== 0) return isAny || comparator.test(semver);
  return comparator.operator.startsWith('>');
}

export function compareVersions(a: Version, b: Version): number {
  return compareNumbers(a.numbers, b.numbers) || compareBuild(a.semver, b.semver);
}

/** `20231123`, `2023-11-23`, `v12.4`: its numbers, first to last; `undefined` when there is anything else. */
export function parseNumbers(text: string): readonly bigint[] | undefined {
  const numbers = /^v?(\d+(?:[._-]\d+)*)$/.exec(text)?.[1];
  return numbers?.split(/[._-]/).map(BigInt);
}

export function compareNumbers(a: readonly bigint[], b: readonly bigint[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [x, y] = [a[i] ?? -1n, b[i] ?? -1n];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
