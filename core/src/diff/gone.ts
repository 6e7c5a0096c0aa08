/** Tags that a selection once brought, and that its source has no more. */
import type { Config, Selection } from '../config/model.ts';
import { fillIn, splitTag } from '../config/targets.ts';
import { formatReference, parseTag, type Repository, type Tag } from '../reference.ts';
import { parsePlace } from '../location.ts';
import { isLiteral, selectTags } from '../selection/select-tags.ts';

/** Where a selection's tags go, if all go to one repository and the name of each says which tag it came from. */
export interface Home {
  readonly repository: Repository;
  /** The source's tag of a tag there; `undefined`: it is none of this selection's. */
  readonly tagOf: (there: Tag) => Tag | undefined;
}

export function homeOf({ destinations: [own], values, select, backup }: Selection): Home | undefined {
  const [place, template = '{tag}'] = splitTag(own.text);
  const named = fillIn(place, values, ['registry', 'path', 'name']);
  const repository = named.ok ? parsePlace(named.value) : named;
  if (!repository.ok || isLiteral(select)) return undefined;
  const [before, after, ...more] = template.split('{tag}');
  // With a date or a commit in it, the tags of earlier days are none that are missed.
  if (before === undefined || after === undefined || more.length > 0 || /[{}]/.test(before + after)) return undefined;
  const isBackup = backup === undefined ? () => false : backupPattern(backup.template);
  // How many are taken, and of which, changes; which tests a tag passes by itself does not.
  const { latest: _, minimum: __, ...tests } = select;
  return {
    repository: repository.value,
    tagOf(there) {
      if (!there.startsWith(before) || !there.endsWith(after) || isBackup(there)) return undefined;
      const tag = parseTag(there.slice(before.length, there.length - after.length));
      return tag !== undefined && selectTags(tests, [tag]).tags.includes(tag) ? tag : undefined;
    },
  };
}

const VARIABLES: Readonly<Record<string, string>> = { tag: '.+', date: '\\d{4}-\\d{2}-\\d{2}', sha: '[0-9a-f]+' };

function backupPattern(template: string): (tag: string) => boolean {
  const parts = template
    .split(/\{(tag|date|sha)\}/)
    .map((part, index) => (index % 2 === 1 ? VARIABLES[part] : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  const pattern = new RegExp(`^${parts.join('')}(?:-\\d{1,3})?$`);
  return (tag) => pattern.test(tag);
}

/** Of the tags at the destination, those that came from a tag that the source has no more, and that no entry publishes. */
export function goneTags(
  home: Home,
  {
    there,
    source,
    config,
  }: { readonly there: readonly Tag[]; readonly source: readonly Tag[]; readonly config: Config },
): readonly { readonly tag: Tag; readonly from: Tag }[] {
  const offered = new Set(source);
  const published = new Set(
    config.entries.flatMap(({ targets }) => targets.map(({ destination }) => formatReference(destination))),
  );
  return there.flatMap((tag) => {
    const from = home.tagOf(tag);
    if (from === undefined || offered.has(from)) return [];
    return published.has(formatReference({ kind: 'tagged', ...home.repository, tag })) ? [] : [{ tag, from }];
  });
}
