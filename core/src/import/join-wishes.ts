/** What several parts of a file ask for from one repository becomes one entry: two with the same destination would be an error. */
import { splitTag } from '../config/targets.ts';
import type { Draft, Item, Select, Wish } from './model.ts';
import { wayOf } from './places.ts';
import { unionOf } from './union.ts';

/** Joins wishes with the same source, destination and options, at the place of the first. */
export function joinWishes(wishes: readonly Wish[]): readonly Draft[] {
  const repositories = new Set(wishes.filter(({ sets }) => sets !== undefined).map(keyOf));
  const groups = new Map<string, Wish[]>();
  for (const wish of wishes) {
    const key = keyOf(wish);
    // Single images whose repository is not asked for as a whole stay entries of their own.
    const name = repositories.has(key) ? key : JSON.stringify(wish.item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [wish]);
    else group.push(wish);
  }
  return [...groups.values()].flatMap(draftsOf);
}

function draftsOf(group: readonly Wish[]): readonly Draft[] {
  const comments = [...new Set(group.flatMap((wish) => wish.comments))];
  const repository = group.find(({ sets }) => sets !== undefined);
  const [set, ...sets] = group.flatMap(setsOf);
  return group.slice(0, 1).flatMap(({ at, what, item }): readonly Draft[] => {
    if (repository === undefined || set === undefined) return [{ at, what, item, comments }];
    return unionOf([set, ...sets]).map((select, index) => ({
      at,
      what,
      item: itemOf(repository.item, select),
      comments: index === 0 ? comments : [],
    }));
  });
}

/** One tag is an image of its own. */
function itemOf({ source, destination, ...options }: Wish['item'], select: Select): Item {
  const { tags: [tag, ...more] = [], ...tests } = select;
  if (tag === undefined || more.length > 0 || Object.keys(tests).length > 0) {
    return { source, destination, select, ...options };
  }
  return { source: `${source}:${tag}`, destination: destination.replace('{tag}', tag), ...options };
}

function setsOf({ item, sets }: Wish): readonly Select[] {
  const [, tag] = splitTag(item.source);
  return sets ?? (tag === undefined ? [] : [{ tags: [tag] }]);
}

function keyOf({ item, sets }: Wish): string {
  return wayOf(item, sets === undefined);
}
