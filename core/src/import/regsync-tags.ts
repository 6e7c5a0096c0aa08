/** Which tags of a repository regsync copies: `tags` and `tagSets`, each a set that has to pass all of its tests. */
import type { Path } from '../config/document.ts';
import { fields, items, text, type Fields } from '../config/fields.ts';
import { quote } from '../config/quote.ts';
import { rangeOfRegsync } from './ranges.ts';
import { isEmpty, listed } from './source-file.ts';
import { excludeOf, isLiteralTag, wholeOfAnchored } from './tag-patterns.ts';
import { EVERY, unionOf, type Select } from './union.ts';

type Refuse = (path: Path, why: string) => void;

/**
 * One selection or several that share no tag; none, and the reason noted: there are no words for it. What cannot be said is
 * noted as well.
 */
export function readTagSets(step: Fields, path: Path, refuse: Refuse): readonly Select[] {
  const sets = [
    ...(isEmpty(step['tags']) ? [] : [{ set: fields(step['tags']), at: [...path, 'tags'] }]),
    ...items(step['tagSets']).map((set, index) => ({ set: fields(set), at: [...path, 'tagSets', index] })),
  ].filter(({ set }) => Object.values(set).some((value) => listed(value).length > 0));
  const [first, ...others] = sets.map(({ set, at }) => readSet(set, at, refuse));
  if (sets.length === 0) return [EVERY];
  if (first === undefined || others.includes(undefined)) return [];
  const { selects, left } = unionOf([first, ...others.filter((select) => select !== undefined)]);
  if (left.length > 0)
    refuse(
      [...path, 'tagSets'],
      `sets that differ in more than their versions: ${left.length} of them ${left.length === 1 ? 'was' : 'were'} not taken over`,
    );
  return selects;
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
  const exclude = deny.flatMap((pattern) => excludeOf(wholeOfAnchored(pattern)));
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
