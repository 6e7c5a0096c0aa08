/** A `sync` item with `select`: which tags it means, and where they go. */
import { configFailure, fail, type ConfigFailure, type Result } from '../failure.ts';
import { formatRepository, parseTag, type Repository } from '../reference.ts';
import { compileExclude, compileExtract, compileRegex, RE2_HINT } from '../selection/patterns.ts';
import { isLiteral, sortOf } from '../selection/select-tags.ts';
import { parseRange } from '../selection/versions.ts';
import type { Path } from './document.ts';
import { count, fields, flag, items, text, texts, type Fields } from './fields.ts';
import type { DestinationTemplate, Select, Selection, TagSort } from './model.ts';
import { quote } from './quote.ts';
import type { Reading } from './reading.ts';
import { readSyncOptions } from './sync-options.ts';
import {
  isReferrersTag,
  parseDestination,
  parseFurtherTag,
  runValues,
  sourceValues,
  parseWholeRepository,
  splitTag,
  variablesIn,
} from './targets.ts';

/** A tag that any source may have, and no repository's name. */
const SAMPLE = '0-slipway-0';

/** Nobody has written the sample. */
function asWritten<T>(result: Result<T, ConfigFailure>): Result<T, ConfigFailure> {
  if (result.ok) return result;
  return fail({ ...result.failure, message: result.failure.message.replaceAll(SAMPLE, '{tag}') });
}

/** `undefined` once what is wrong is noted. The id is made unique by whoever knows the others. */
export function readSelection(item: Fields, path: Path, position: number, reading: Reading): Selection | undefined {
  const select = readSelect(fields(item['select']), [...path, 'select'], reading);
  const source = readSource(item, path, reading);
  const options = readSyncOptions(item, path, true, reading);
  const destination = text(item['destination']);
  if (source === undefined || !destination) return undefined;
  const values = { ...sourceValues(source), ...runValues(reading.context) };
  const [repository, tag = '{tag}'] = splitTag(destination);
  const own: DestinationTemplate = {
    text: `${repository}:${tag}`,
    at: reading.document.locate([...path, 'destination']),
  };
  // With a tag that any source may have: what is wrong with the template itself is said when it is read.
  const sample = reading.accept(asWritten(parseDestination(own.text, { ...values, tag: SAMPLE })), [
    ...path,
    'destination',
  ]);
  if (sample === undefined) return undefined;
  const written = formatRepository(sample.target.destination);
  const name = `${variablesIn(repository).includes('tag') ? written.replaceAll(SAMPLE, '{tag}') : written}:${tag}`;
  const further = items(item['tags']).flatMap((value, index) => {
    const template = text(value);
    const at: Path = [...path, 'tags', index];
    const checked = template
      ? reading.accept(asWritten(parseFurtherTag(template, sample.target.destination, { ...values, tag: SAMPLE })), at)
      : undefined;
    return template && checked !== undefined ? [{ text: template, at: reading.document.locate(at) }] : [];
  });
  if (!canDiffer(select, destination)) {
    const message = `every tag of this selection would go to ${quote(own.text)}`;
    const hint = 'put {tag} into the destination, or leave out its tag; or take one tag, with latest: 1';
    reading.accept(fail(configFailure(message, hint)), [...path, 'destination']);
  }
  return {
    id: `sync:${name}`,
    destination: name,
    at: reading.document.locate(path),
    source,
    select,
    destinations: [own, ...further],
    values,
    always: flag(item['always']) ?? false,
    position,
    ...options,
  };
}

function readSource(item: Fields, path: Path, { accept }: Reading): Repository | undefined {
  const source = text(item['source']);
  if (!source) return undefined;
  const hint = 'with select, source is a repository; name tags under select.tags';
  return accept(parseWholeRepository(source, hint), [...path, 'source']);
}

function readSelect(item: Fields, path: Path, { accept }: Reading): Select {
  const refuse = (part: string | Path, message: string, hint: string): void =>
    void accept(fail(configFailure(message, hint)), [...path, ...[part].flat()]);
  const tags = items(item['tags']).flatMap((value, index) => {
    const name = text(value);
    if (!name) return [];
    const tag = parseTag(name);
    const at = [...path, 'tags', index];
    if (tag !== undefined && !isReferrersTag(tag)) return [tag];
    const hint = 'patterns are semver and regex; a tag is up to 128 letters, digits, "_", "." and "-"';
    accept(fail(configFailure(`${quote(name)} is not a tag of an image`, hint)), at);
    return [];
  });
  const ranges = typeof item['semver'] === 'string' ? [item['semver']] : texts(item['semver']);
  for (const [index, value] of [item['semver'] ?? []].flat().entries()) {
    const range = text(value);
    const at: Path = Array.isArray(item['semver']) ? ['semver', index] : ['semver'];
    if (range !== undefined && parseRange(range) === undefined) {
      refuse(at, `${quote(range)} is not a range of versions`, "for example '>=1.2 <2'");
    }
  }
  const regex = text(item['regex']);
  const wrong = regex === undefined ? undefined : compileRegex(regex);
  if (typeof wrong === 'object') refuse('regex', `${quote(regex ?? '')} ${wrong.problem}`, RE2_HINT);
  for (const [index, value] of items(item['exclude']).entries()) {
    const pattern = text(value) ?? '';
    const unfit = compileExclude(pattern);
    const hint = pattern.startsWith('/') ? RE2_HINT : EXCLUDE_HINT;
    if (typeof unfit === 'object') refuse(['exclude', index], `${quote(pattern)} ${unfit.problem}`, hint);
  }
  const extract = text(item['extract']);
  const unusable = extract === undefined ? undefined : compileExtract(extract);
  if (typeof unusable === 'object') refuse('extract', `${quote(extract ?? '')} ${unusable.problem}`, EXTRACT_HINT);
  const sort = readSort(item['sort']);
  const latest = count(item['latest']);
  const minimum = count(item['minimum']);
  const select: Select = {
    tags: [...new Set(tags)],
    ...(ranges.length === 0 ? {} : { semver: ranges }),
    ...(regex === undefined ? {} : { regex }),
    exclude: texts(item['exclude']),
    ...(extract === undefined ? {} : { extract }),
    ...(sort === undefined ? {} : { sort }),
    ...(latest === undefined ? {} : { latest }),
    prerelease: flag(item['prerelease']) ?? false,
    ...(minimum === undefined ? {} : { minimum }),
    allowEmpty: flag(item['allowEmpty']) ?? false,
  };
  if (latest !== undefined && sortOf(select) === undefined && !isWrong(item['sort'])) {
    refuse('latest', '"latest" does not say what makes a tag newer', 'add sort: semver, numeric or alphabetical');
  }
  const most = isLiteral(select) ? select.tags.length : latest === undefined ? undefined : latest + select.tags.length;
  if (minimum !== undefined && most !== undefined && minimum > most) {
    refuse('minimum', `there can never be ${minimum} tags here`, `at most ${most} are taken`);
  }
  return select;
}

const EXCLUDE_HINT = `globs have *, ? and {a,b}; a regular expression for the whole tag stands between slashes, as '/.*-rc[0-9]+/'`;
const EXTRACT_HINT = "put the part to compare into a group, as '([0-9.]+)-alpine'";

function readSort(value: unknown): TagSort | undefined {
  return value === 'semver' || value === 'numeric' || value === 'alphabetical' ? value : undefined;
}

/** The schema has said so already. */
function isWrong(sort: unknown): boolean {
  return sort !== undefined && readSort(sort) === undefined;
}

/** Whether two tags of the source can have two destinations, where there can be two. */
function canDiffer(select: Select, destination: string): boolean {
  const [repository, tag = '{tag}'] = splitTag(destination);
  const most = isLiteral(select) ? select.tags.length : select.tags.length + (select.latest ?? 2);
  return most <= 1 || [...variablesIn(repository), ...variablesIn(tag)].includes('tag');
}
