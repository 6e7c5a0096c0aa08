/** The public keys that `verify` of sync items names, read before the items are: those are read without the file system. */
import { resolve } from 'node:path';
import { fields, items, text } from './fields.ts';
import { normalisePath } from './paths.ts';
import { readPublicKey } from './public-key.ts';
import type { Keys } from './reading.ts';

/** Paths that leave the folder are not read; that they are wrong is said where they stand. */
export async function readKeys(data: unknown, folder: string): Promise<Keys> {
  const named = items(fields(data)['sync']).flatMap((item) => {
    const verify = fields(fields(item)['verify']);
    return [verify, ...items(verify['anyOf']).map(fields)].flatMap(({ key }) => text(key) ?? []);
  });
  const keys = new Map<string, Awaited<ReturnType<typeof readPublicKey>>>();
  for (const name of new Set(named)) {
    const path = normalisePath(name);
    if (path.ok) keys.set(path.value, await readPublicKey(resolve(folder, path.value), name));
  }
  return keys;
}
