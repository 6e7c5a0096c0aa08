/** The file of another tool as data: scalars are text as it is written. */
import type { Document, Path } from '../config/document.ts';
import { failed, type Loaded } from '../config/loaded.ts';
import { isFields } from '../config/fields.ts';
import { parseYaml } from '../config/yaml.ts';
import { configFailure } from '../failure.ts';
import type { ImportKind, Remark } from './model.ts';

/** Keys that stand there twice go to `notes`, where the tool takes the last of them; otherwise they are failures. */
export function parseSourceFile(kind: ImportKind, text: string, file: string, notes: Remark[]): Loaded<Document> {
  // Other objects often stand behind it in the file, which is then none that is read at all.
  const map = /^kind:\s*["']?ConfigMap\b/m.exec(text);
  if (map !== null) {
    const at = { file, line: text.slice(0, map.index).split('\n').length, column: 1 };
    const hint = 'take out what stands under "data", and import that';
    return failed([configFailure(`the file is a ConfigMap of Kubernetes, and not what ${kind} reads`, hint, at)]);
  }
  const onRepeated = (key: string, at: Remark['at'], line: number): void => {
    notes.push({
      at,
      what: key,
      why: `it is in line ${line} already: regsync takes the last, and so did the import`,
    });
  };
  const document = parseYaml(text, file, { schema: 'failsafe', ...(kind === 'regsync' ? { onRepeated } : {}) });
  if (!document.ok) return document;
  const { data, locate } = document.value;
  if (!isFields(data)) {
    return failed([configFailure('the file holds no mapping', `is it the file that ${kind} reads?`, locate([]))]);
  }
  return document;
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
