/** What a page shows of data from outside: a page is text for a reader, and what no reader sees could reorder the words beside it. */
import { visible } from '../wording.ts';

/** The same data, each text {@link visible}. What has nothing to hide is not copied: most of a large report. */
export function seen<T>(data: T): T {
  return shown(data) as T;
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(shown);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const fields = Object.entries(value);
  const changed = fields.map(([name, field]) => [name, shown(field)] as const);
  return changed.some(([, field], index) => field !== fields[index]?.[1]) ? Object.fromEntries(changed) : value;
}
