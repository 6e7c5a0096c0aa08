/** The tags of selections' sources, from their registries. */
import type { Result } from '../failure.ts';
import { formatRepository, type Tag } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import type { FindTags } from '../selection/expand.ts';

/** Each repository is listed once, however many selections are made of it. */
export function tagsFromRegistry(registry: Pick<Registry, 'tags'>): FindTags {
  const listed = new Map<string, Promise<Result<readonly Tag[]>>>();
  return ({ source }) => {
    const name = formatRepository(source);
    const found = listed.get(name) ?? registry.tags(source, 'source');
    listed.set(name, found);
    return found;
  };
}
