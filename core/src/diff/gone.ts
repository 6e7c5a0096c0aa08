/** Tags that a selection once brought, and that its source no longer has. */
import type { Selection } from '../config/model.ts';
import { fillIn, splitTag } from '../config/targets.ts';
import { formatReference, parseTag, type Repository, type Tag } from '../reference.ts';
import { parsePlace } from '../location.ts';
import { isLiteral, selectTags } from '../selection/select-tags.ts';

/** A tag at the destination, and the source's tag that it was copied from. */
export interface Copied {
  readonly tag: Tag;
  readonly from: Tag;
}

/** Where a selection's tags go, if all go to one repository and the name of each says which tag it came from. */
export interface Home {
  readonly repository: Repository;
  /** Those of the tags there that this selection may have brought. */
  readonly copied: (there: readonly Tag[]) => readonly Copied[];
}

export function homeOf({ destinations: [own], values, select, backup }: Selection): Home | undefined {
  const [place, template = '{tag}'] = splitTag(own.text);
  const named = fillIn(place, values, ['registry', 'path', 'name']);
  const repository = named.ok ? parsePlace(named.value) : named;
  if (!repository.ok || isLiteral(select)) return undefined;
  const [before, after, ...more] = template.split('{tag}');
  // With a date or a commit in the name, tags of earlier days are not missing from anything.
  if (before === undefined || after === undefined || more.length > 0 || /[{}]/.test(before + after)) return undefined;
  const isBackup = backup === undefined ? () => false : backupPattern(backup.template);
  // `latest` and `minimum` depend on which other tags there are; the other tests look at one tag alone.
  const { latest: _, minimum: __, ...tests } = select;
  return {
    repository: repository.value,
    copied(there) {
      const named = there.flatMap((tag): readonly Copied[] => {
        if (!tag.startsWith(before) || !tag.endsWith(after) || isBackup(tag)) return [];
        const from = parseTag(tag.slice(before.length, tag.length - after.length));
        return from === undefined ? [] : [{ tag, from }];
      });
      const selected = new Set(
        selectTags(
          tests,
          named.map(({ from }) => from),
        ).tags,
      );
      return named.filter(({ from }) => selected.has(from));
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

/** Tags at the destination whose tag the source no longer has, and that no entry publishes. */
export function goneTags(
  { repository, copied }: Home,
  there: readonly Tag[],
  source: readonly Tag[],
  published: ReadonlySet<string>,
): readonly Copied[] {
  const offered = new Set(source);
  const isPublished = (tag: Tag): boolean => published.has(formatReference({ kind: 'tagged', ...repository, tag }));
  return copied(there).filter(({ tag, from }) => !offered.has(from) && !isPublished(tag));
}
