/** The programs that are compared, built from the pinned modules when they are missing. */
import { prepare } from '../../demo/world/prepare.ts';

export type Paths = Readonly<Record<string, string>>;

/** Name → absolute path. The first time this takes minutes, and says so. */
export async function toolPaths(names: readonly string[], packages: readonly string[] = []): Promise<Paths> {
  const signal = new AbortController().signal;
  const finder = await prepare({ packages, tools: names, log: (line) => console.error(line), signal });
  const paths: Record<string, string> = {};
  for (const name of names) {
    const found = await finder.find({ name, range: '*' });
    if (!found.ok) throw new Error(found.failure.message);
    paths[name] = found.value.path;
  }
  return paths;
}
