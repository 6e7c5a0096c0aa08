/** Which tags of a repository regsync copies: `tags` and `tagSets`, each a set that has to pass all of its tests. */
import type { Path } from '../config/document.ts';
import { fields, items, text, type Fields } from '../config/fields.ts';
import { quote } from '../config/quote.ts';
import type { Item } from './model.ts';
import { rangeOfRegsync } from './ranges.ts';
import { isEmpty, listed } from './source-file.ts';
import { globsOf, isLiteralTag, wholeOfAnchored } from './tag-patterns.ts';

type Select = NonNullable<Item['select']>;
type Refuse = (path: Path, why: string) => void;

const EVERY: Select = { regex: '.*' };

/** `undefined`, and the reason noted: there are no words for it. What cannot be denied is noted, and not denied. */
export function readTagSets(step: Fields, path: Path, refuse: Refuse): Select | undefined {
  const sets = [
    ...(isEmpty(step['tags']) ? [] : [{ set: fields(step['tags']), at: [...path, 'tags'] }]),
    ...items(step['tagSets']).map((set, index) => ({ set: fields(set), at: [...path, 'tagSets', index] })),
  ].filter(({ set }) => Object.values(set).some((value) => listed(value).length > 0));
  const selects = sets.map(({ set, at }) => readSet(set, at, refuse));
  if (selects.includes(undefined)) return undefined;
  const [first = EVERY, ...others] = selects.filter((select) => select !== undefined);
  if (others.length === 0) return first;
  const together = union([first, ...others]);
  if (together === undefined) {
    refuse([...path, 'tagSets'], 'one entry has one set of tests: only the first set was taken over');
  }
  return together ?? first;
}

function readSet(set: Fields, at: Path, refuse: Refuse): Select | undefined {
  const allow = patterns('allow');
  const deny = patterns('deny');
  const ranges = patterns('semverRange').map((range) => ({ range, imported: rangeOfRegsync(range) }));
  for (const [index, { range, imported }] of ranges.entries()) {
    if (imported === undefined)
      refuse([...at, 'semverRange', index], `${quote(range)} is not a range that "select.semver" reads`);
  }
  const semver = ranges.flatMap(({ imported }) => imported?.range ?? []);
  // Without its only range the set would let every version pass.
  if (ranges.length > 0 && semver.length === 0) return undefined;
  const exclude = deny.flatMap((pattern, index) => {
    const globs = globsOf(wholeOfAnchored(pattern));
    if (globs === undefined) {
      refuse(
        [...at, 'deny', index],
        `"select.exclude" has globs, and none is the same as ${quote(pattern)}: these tags are not left out`,
      );
    }
    return globs ?? [];
  });
  if (allow.length > 0 && deny.length === 0 && ranges.length === 0 && allow.every(isLiteralTag)) return { tags: allow };
  const versions =
    semver.length === 0 ? {} : { semver: semver.length === 1 ? (semver[0] ?? '') : semver, prerelease: true as const };
  const regex = allow.length > 0 ? allow.map(wholeOfAnchored).join('|') : semver.length === 0 ? '.*' : undefined;
  return {
    ...versions,
    ...(regex === undefined ? {} : { regex }),
    ...(exclude.length === 0 ? {} : { exclude }),
  };

  function patterns(key: string): readonly string[] {
    return listed(set[key]).flatMap((value) => {
      const pattern = text(value);
      return pattern === undefined || pattern === '' ? [] : [pattern];
    });
  }
}

/** Several sets as one, where that leaves nothing out and lets nothing more in. */
function union(sets: readonly Select[]): Select | undefined {
  if (sets.some(({ regex, exclude }) => regex === '.*' && exclude === undefined)) return EVERY;
  const keys = new Set(sets.flatMap((set) => Object.keys(set)));
  if ([...keys].every((key) => key === 'tags')) return { tags: [...new Set(sets.flatMap(({ tags = [] }) => tags))] };
  if ([...keys].every((key) => key === 'semver' || key === 'prerelease')) {
    return { semver: sets.flatMap(({ semver = [] }) => semver), prerelease: true };
  }
  // Names join what passes the tests of one other set: those are taken as they are.
  const tests = sets.filter(({ tags }) => tags === undefined);
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return { tags: sets.flatMap(({ tags = [] }) => tags), ...only };
  if (tests.every(({ semver, exclude }) => semver === undefined && exclude === undefined)) {
    const tags = sets.flatMap(({ tags: names = [] }) => names);
    return { ...(tags.length === 0 ? {} : { tags }), regex: tests.flatMap(({ regex = [] }) => regex).join('|') };
  }
  return undefined;
}
