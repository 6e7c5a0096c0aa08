/** The file of another tool as data: scalars are text as it is written. */
import type { Document, Path } from '../config/document.ts';
import type { Loaded } from '../config/loaded.ts';
import { parseYaml } from '../config/yaml.ts';

export function parseSourceFile(text: string, file: string): Loaded<Document> {
  return parseYaml(text, file, 'failsafe');
}

/** Nothing, as YAML's readers have it: an empty value, `~` or `null`. */
export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === '~' || value === 'null';
}

/** `true` as YAML 1.1 and 1.2 write it; `undefined` for what is neither. */
export function truth(value: unknown): boolean | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^(?:true|yes|on)$/i.test(value)) return true;
  return /^(?:false|no|off)$/i.test(value) ? false : undefined;
}

/** One item where a list was meant. */
export function listed(value: unknown): readonly unknown[] {
  if (isEmpty(value)) return [];
  return Array.isArray(value) ? value : [value];
}

/** `sync[2].tags.allow`. */
export function pathText(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}
