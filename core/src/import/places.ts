/** Where drafts take images from and where they put them, as far as that is known before anybody is asked. */
import type { Select as Wanted } from '../config/model.ts';
import { splitTag } from '../config/targets.ts';
import { parseLocation, parsePlace } from '../location.ts';
import { formatRepository, type Tag } from '../reference.ts';
import { isLiteral, selectTags } from '../selection/select-tags.ts';
import type { Draft, Image, Select } from './model.ts';

/** Tags of a repository. */
export interface Place {
  /** Under its full name. */
  readonly repository: string;
  /** Those that are known by their names. */
  readonly named: readonly string[];
  /** There may be others, which a pattern chooses. */
  readonly open: boolean;
  /** Whether it may have the tag. */
  readonly has: (tag: string) => boolean;
}

/** Undefined: the source is named by a digest, or is no reference. */
export function sourceOf({ item: { source, select } }: Draft): Place | undefined {
  if (select === undefined) return placeOf(source);
  const repository = fullName(source);
  if (repository === undefined) return undefined;
  const wanted = selectOf(select);
  return {
    repository,
    named: select.tags ?? [],
    open: !isLiteral(wanted),
    has: (tag) => selectTags(wanted, [tag as Tag]).tags.includes(tag as Tag),
  };
}

/** A destination with a selection is `repository:{tag}`, and perhaps more behind it. */
export function destinationOf(draft: Draft): Place | undefined {
  const { destination, select } = draft.item;
  if (select === undefined) return placeOf(destination);
  const [written, template = '{tag}'] = splitTag(destination);
  const repository = fullName(written);
  const source = sourceOf(draft);
  if (repository === undefined || source === undefined) return undefined;
  const suffix = template.slice('{tag}'.length);
  return {
    repository,
    named: source.named.map((name) => name + suffix),
    open: source.open,
    has: (tag) => tag.endsWith(suffix) && source.has(tag.slice(0, tag.length - suffix.length)),
  };
}

/** Whether some tag may be in both. Two patterns are always taken to have one in common. */
export function mayMeet(one: Place, other: Place): boolean {
  if (one.repository !== other.repository) return false;
  if (!one.open) return one.named.some(other.has);
  return other.open || other.named.some(one.has);
}

/** As the config that is written would be read. */
export function selectOf({ semver, exclude = [], tags = [], prerelease, ...rest }: Select): Wanted {
  return {
    ...rest,
    ...(semver === undefined ? {} : { semver: [semver].flat() }),
    exclude,
    prerelease: prerelease ?? false,
    tags: tags as readonly Tag[],
    allowEmpty: false,
  };
}

/**
 * Source, destination and options as one text, written for a single image (`one`) as for its repository: what has the same text may become
 * one entry.
 */
export function wayOf(image: Image, one: boolean): string {
  const { source, destination, ...options } = image;
  const [from, tag] = one ? splitTag(source) : [source];
  const [to, name = ''] = splitTag(destination);
  const template = tag !== undefined && name.startsWith(tag) ? `{tag}${name.slice(tag.length)}` : name;
  return JSON.stringify([fullName(from) ?? from, fullName(to) ?? to, template, options]);
}

function placeOf(reference: string): Place | undefined {
  const parsed = parseLocation(reference);
  if (!parsed.ok || parsed.value.kind !== 'tagged') return undefined;
  const { tag } = parsed.value;
  return { repository: formatRepository(parsed.value), named: [tag], open: false, has: (other) => other === tag };
}

/** `alpine` → `docker.io/library/alpine`. */
export function fullName(repository: string): string | undefined {
  const parsed = parsePlace(repository);
  return parsed.ok ? formatRepository(parsed.value) : undefined;
}
