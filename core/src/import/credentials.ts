/** `creds` of regsync: registries, and names of its own for mirrors, which it finds under `hostname/pathPrefix`. */
import { fields, items, text, type Fields } from '../config/fields.ts';
import { parsePrefix } from '../config/hosts.ts';
import type { Expanded } from './go-template.ts';
import { listed } from './source-file.ts';

export interface Credential {
  readonly fields: Fields;
  /** With its variables filled in, where all of them are set. */
  readonly name: string;
  /** Variables in its name and address that are not set. */
  readonly unset: readonly string[];
  /** What settings call it: `docker.io`, or a part of it; absent: nothing says where it is. */
  readonly place?: string;
  /** Where `hostname` and `pathPrefix` stand in it, as for a mirror. */
  readonly moved: boolean;
  readonly mirrors: readonly { readonly name: string; readonly place?: string }[];
}

/** In their order. `expand`: fills the variables of a name in. */
export function readCredentials(root: Fields, expand: (written: string) => Expanded): readonly Credential[] {
  const nameOf = (written: string): string => {
    const expanded = expand(written);
    return expanded.ok ? expanded.text : written;
  };
  const all = listed(root['creds'])
    .map(fields)
    .map((each) => ({ each, name: nameOf(text(each['registry']) ?? '') }));
  const mirrorsOf = (each: Fields): readonly string[] =>
    items(each['mirrors']).flatMap((mirror) => (typeof mirror === 'string' ? [nameOf(mirror)] : []));
  const mirrors = new Set(all.flatMap(({ each }) => mirrorsOf(each)));
  // The last of one name counts.
  const reached = new Map(all.map(({ each, name }) => [name, reachedAt(name, each)]));
  return all.map(({ each, name }) => {
    const place = placeOf(name) ?? reached.get(name);
    return {
      fields: each,
      name,
      unset: ['registry', 'hostname', 'pathPrefix'].flatMap((key) => {
        const expanded = expand(text(each[key]) ?? '');
        return expanded.ok ? [] : expanded.unset;
      }),
      ...(place === undefined ? {} : { place }),
      moved: mirrors.has(name) || placeOf(name) === undefined,
      mirrors: mirrorsOf(each).map((mirror) => {
        const found = reached.has(mirror) ? reached.get(mirror) : placeOf(mirror);
        return { name: mirror, ...(found === undefined ? {} : { place: found }) };
      }),
    };
  });

  function reachedAt(name: string, each: Fields): string | undefined {
    const [host, prefix] = ['hostname', 'pathPrefix'].map((key) => nameOf(text(each[key]) ?? ''));
    return placeOf([host || name, ...(prefix ? [prefix.replace(/^\/+/, '')] : [])].join('/'));
  }
}

function placeOf(name: string): string | undefined {
  const prefix = parsePrefix(name);
  return prefix.ok ? prefix.value : undefined;
}
