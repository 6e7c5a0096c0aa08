/** Which tags of a repository a selection means, and why it does not mean the others. */
import type { Select, TagSort } from '../config/model.ts';
import { isReferrersTag } from '../config/targets.ts';
import type { Tag } from '../reference.ts';
import { compileExclude, compileExtract, compileRegex } from './patterns.ts';
import {
  compareNumbers,
  compareVersions,
  inRange,
  isPrerelease,
  parseNumbers,
  parseRange,
  parseVersion,
} from './versions.ts';

/** The stages in their order; a tag is dropped at the first that it does not pass. `sort`: it cannot be compared. */
export const stages = ['regex', 'exclude', 'extract', 'prerelease', 'semver', 'sort', 'latest'] as const;
export type Stage = (typeof stages)[number];

export interface Selected {
  /** Literal tags first, as the config has them; then the others, the newest first, or in the order of the alphabet. */
  readonly tags: readonly Tag[];
  /** How many tags there were, those of signatures and attestations left out. */
  readonly seen: number;
  /** How many tags each stage dropped, where it dropped any. */
  readonly dropped: Readonly<Partial<Record<Stage, number>>>;
}

/** Whether the selection only names tags, so that nothing has to be looked up. */
export function isLiteral({ semver, regex, exclude, extract, sort, latest, tags }: Select): boolean {
  return (
    tags.length > 0 &&
    exclude.length === 0 &&
    [semver, regex, extract, sort, latest].every((test) => test === undefined)
  );
}

/** What decides the order: what the config says, or the version where versions are asked for. */
export function sortOf({ sort, semver }: Pick<Select, 'sort' | 'semver'>): TagSort | undefined {
  return sort ?? (semver === undefined ? undefined : 'semver');
}

interface Candidate {
  readonly tag: Tag;
  /** The part of it that versions and order look at. */
  readonly key: string;
}

/** Pure: the same tags in any order give the same answer. Patterns that do not compile match nothing; the loader refuses them. */
export function selectTags(select: Select, tags: readonly Tag[]): Selected {
  const distinct = [...new Set(tags)].filter((tag) => !isReferrersTag(tag)).sort();
  if (isLiteral(select)) return { tags: select.tags, seen: distinct.length, dropped: {} };
  const literal = new Set<Tag>(select.tags);
  const dropped: Partial<Record<Stage, number>> = {};
  let left: readonly Candidate[] = distinct.filter((tag) => !literal.has(tag)).map((tag) => ({ tag, key: tag }));
  const seen = distinct.length;
  const pass = (stage: Stage, next: readonly Candidate[]): void => {
    if (next.length < left.length) dropped[stage] = left.length - next.length;
    left = next;
  };

  const { regex, exclude, extract, prerelease, semver, latest } = select;
  if (regex !== undefined) {
    const matches = compileRegex(regex);
    pass('regex', 'problem' in matches ? [] : left.filter(({ tag }) => matches(tag)));
  }
  if (exclude.length > 0) {
    const patterns = exclude.map(compileExclude);
    const excluded = (tag: Tag): boolean => patterns.some((matches) => typeof matches === 'function' && matches(tag));
    pass(
      'exclude',
      left.filter(({ tag }) => !excluded(tag)),
    );
  }
  if (extract !== undefined) pass('extract', extracted(left, extract));
  const order = sortOf(select);
  if (order === 'semver' && !prerelease) {
    pass(
      'prerelease',
      left.filter(({ key }) => {
        const version = parseVersion(key);
        return version === undefined || !isPrerelease(version);
      }),
    );
  }
  if (semver !== undefined) {
    const ranges = semver.map(parseRange).filter((range) => range !== undefined);
    const inside = ({ key }: Candidate): boolean => {
      const version = parseVersion(key);
      return version !== undefined && inRange(version, ranges, prerelease);
    };
    pass('semver', left.filter(inside));
  }
  if (order !== undefined) pass('sort', newestFirst(left, order));
  if (latest !== undefined) pass('latest', left.slice(0, latest));
  return { tags: [...literal, ...left.map(({ tag }) => tag)], seen, dropped };
}

function extracted(candidates: readonly Candidate[], regex: string): readonly Candidate[] {
  const extract = compileExtract(regex);
  if ('problem' in extract) return [];
  return candidates.flatMap(({ tag }) => {
    const key = extract(tag);
    return key === undefined ? [] : [{ tag, key }];
  });
}

/** Those that can be compared. Where two are equal, the longer name says more (`1.2.0` before `1.2`), then the alphabet decides. */
function newestFirst(candidates: readonly Candidate[], order: TagSort): readonly Candidate[] {
  switch (order) {
    case 'semver':
      return sorted(candidates, parseVersion, compareVersions);
    case 'numeric':
      return sorted(candidates, parseNumbers, compareNumbers);
    case 'alphabetical':
      return sorted(candidates, (key) => key, compareText);
  }
}

function sorted<T>(
  candidates: readonly Candidate[],
  read: (key: string) => T | undefined,
  compare: (a: T, b: T) => number,
): readonly Candidate[] {
  const comparable = candidates.flatMap(({ tag, key }) => {
    const value = read(key);
    return value === undefined ? [] : [{ tag, key, value }];
  });
  return comparable.sort(
    (a, b) => compare(b.value, a.value) || b.tag.length - a.tag.length || compareText(a.tag, b.tag),
  );
}

/** By code units: the same on every machine, whatever its language. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
