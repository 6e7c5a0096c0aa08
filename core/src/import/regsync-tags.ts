/** Which tags of a repository regsync copies: `tags` and `tagSets`, each a set that has to pass all of its tests. */
import type { Path } from '../config/document.ts';
import { isFields, text, type Fields } from '../config/fields.ts';
import { quote } from '../config/quote.ts';
import { compileRegex } from '../selection/patterns.ts';
import type { Select } from './model.ts';
import { rangeOfRegsync } from './ranges.ts';
import { isEmpty, listed } from './source-file.ts';
import { excludeOf, isLiteralTag, problemOfAnchored, wholeOfAnchored } from './tag-patterns.ts';
import { EVERY, type Sets } from './union.ts';

/** Makes a remark on a key, also as a comment above the entry. */
type Note = (path: Path, why: string) => void;

interface Notes {
  /** Of what the entry lacks, or has in another way. */
  readonly lost: Note;
  /** Of what is as regsync has it. */
  readonly kept: Note;
}

const TESTS = ['allow', 'deny', 'semverRange'];
/** `17.0.1_12` is a version to us and not to regsync, to which `17.0.1-jdk_12` is one. */
const BUILDS = '/[^-]*_.*/';

const DIGEST_TAGS = ['', '.sig'].map((end) => `sha256-${'0'.repeat(64)}${end}`);
const OTHER_TAGS = ['latest', '1.0.0'];

/** The sets whose union the step copies. Undefined, with the reason noted: it cannot be told what the file means. */
export function readTagSets(step: Fields, path: Path, notes: Notes): Sets | undefined {
  const written = [
    ...(isEmpty(step['tags']) ? [] : [{ value: step['tags'], at: [...path, 'tags'] }]),
    ...listed(step['tagSets']).map((value, index) => ({ value, at: [...path, 'tagSets', index] })),
  ];
  const sets = written.map(({ value, at }) => readSet(value, at, notes));
  if (sets.includes(undefined)) return undefined;
  const [first, ...others] = sets.flatMap((set) => (typeof set === 'object' ? [set] : []));
  return first === undefined && sets.includes('nothing') ? undefined : [first ?? EVERY, ...others];
}

/** The first pattern that was written for tags of signatures: it matches those, and not just any tag. */
export function patternOfDigestTags(step: Fields, path: Path): Path | undefined {
  const sets = [
    { set: step['tags'], at: [...path, 'tags'] },
    ...listed(step['tagSets']).map((set, index) => ({ set, at: [...path, 'tagSets', index] })),
  ];
  const patterns = sets.flatMap(({ set, at }) =>
    listed(isFields(set) ? set['allow'] : undefined).map((value, index) => ({ value, at: [...at, 'allow', index] })),
  );
  return patterns.find(({ value }) => {
    const matches = compileRegex(wholeOfAnchored(text(value) ?? ''));
    return typeof matches === 'function' && DIGEST_TAGS.some(matches) && !OTHER_TAGS.some(matches);
  })?.at;
}

/** `empty`: it has no test. `nothing`: no tag passes, and that was said. */
function readSet(set: unknown, at: Path, { lost, kept }: Notes): Select | 'empty' | 'nothing' | undefined {
  if (!isFields(set)) {
    lost(at, `it is no mapping with ${TESTS.join(', ')}, so the step was left out: tags by name stand under "allow"`);
    return undefined;
  }
  const given = Object.keys(set).filter((key) => listed(set[key]).length > 0);
  const known = given.filter((key) => TESTS.includes(key));
  const leftOut =
    given.length > 0 && known.length === 0 ? ', and nothing else chooses tags, so the step was left out' : '';
  for (const key of given) {
    if (!TESTS.includes(key))
      lost([...at, key], `regsync has no such test of tags: there are ${TESTS.join(', ')}${leftOut}`);
  }
  if (known.length === 0) return leftOut === '' ? 'empty' : undefined;
  const [allow, deny] = [patterns('allow'), patterns('deny')];
  const semver = ranges();
  if (allow === undefined || deny === undefined || semver === undefined) return undefined;
  if (allow.length === 0 && known.includes('allow')) {
    lost([...at, 'allow'], 'it has empty items alone, which match no tag');
    return 'nothing';
  }
  const builds = semver.length === 0 ? [] : [BUILDS];
  const exclude = [...deny.flatMap((pattern) => excludeOf(wholeOfAnchored(pattern))), ...builds];
  if (allow.length > 0 && known.length === 1 && allow.every(isLiteralTag)) return { tags: allow };
  const versions =
    semver.length === 0 ? {} : { semver: semver.length === 1 ? (semver[0] ?? '') : semver, prerelease: true as const };
  const regex = allow.length > 0 ? allow.map(wholeOfAnchored).join('|') : semver.length === 0 ? '.*' : undefined;
  return {
    ...versions,
    ...(regex === undefined ? {} : { regex }),
    ...(exclude.length === 0 ? {} : { exclude }),
  };

  /** A pattern that regsync does not take ends its whole step. */
  function patterns(key: string): readonly string[] | undefined {
    const values = written(key);
    const problems = values.map(({ value }) => (text(value) ? problemOfAnchored(text(value) ?? '') : 'is no pattern'));
    for (const [index, problem] of problems.entries()) {
      const { at: place, value } = values[index] ?? { at, value: '' };
      if (problem !== undefined) lost(place, `${quote(text(value) ?? '')} ${problem}, so the step was left out`);
    }
    return problems.every((problem) => problem === undefined)
      ? values.flatMap(({ value }) => text(value) ?? [])
      : undefined;
  }

  /** Without empty items, which match nothing. */
  function written(key: string): readonly { readonly value: unknown; readonly at: Path }[] {
    return listed(isFields(set) ? set[key] : undefined).flatMap((value, index) => {
      const place = [...at, key, index];
      if (!isEmpty(value)) return [{ value, at: place }];
      kept(place, 'an empty item, left out: regsync finds nothing with it either');
      return [];
    });
  }

  /** Without its only range the set would let every version pass. */
  function ranges(): readonly string[] | undefined {
    const values = written('semverRange');
    const found = values.flatMap(({ value, at: place }) => {
      const range = text(value) ?? '';
      const imported = rangeOfRegsync(range);
      if (imported === undefined) lost(place, `${quote(range)} is not a range that "select.semver" reads`);
      return imported?.range ?? [];
    });
    return values.length > 0 && found.length === 0 ? undefined : found;
  }
}
