/** The programs that are compared, built from the pinned modules when they are missing. */
import type { ToolFinder } from '@slipway/core';
import { prepare } from '../../demo/world/prepare.ts';

export type Paths = Readonly<Record<string, string>>;

/** Name → absolute path. The first time this takes minutes, and says so. */
export async function toolPaths(names: readonly string[], packages: readonly string[] = []): Promise<Paths> {
  return (await findTools(names, packages)).paths;
}

/** The same, with the finder for what finds more by itself. */
export async function findTools(
  names: readonly string[],
  packages: readonly string[],
): Promise<{ readonly finder: ToolFinder; readonly paths: Paths }> {
  const signal = new AbortController().signal;
  const finder = await prepare({ packages, tools: names, log: (line) => console.error(line), signal });
  const paths: Record<string, string> = {};
  for (const name of names) {
    const found = await finder.find({ name, range: '*' });
    if (!found.ok) throw new Error(found.failure.message);
    paths[name] = found.value.path;
  }
  return { finder, paths };
}
