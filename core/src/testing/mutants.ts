/** Hostile inputs: valid by the contract's schema, with one text replaced by something that must not work. */
import { writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';

const HOSTILE: readonly string[] = [
  '--help',
  '-',
  '$(id)',
  '../../../../etc/passwd',
  // What the schemas of references let pass, too: nobody listens, nobody has it, nobody expects that much.
  '127.0.0.1:1',
  `sha256:${'0'.repeat(64)}`,
  `${'a/'.repeat(100)}a`,
  'a\u0000b',
  '\u202e\ud83d\ude00',
];

/** At most `limit` copies of `input`, each with one string replaced, of those that `allowed` lets pass. */
export function mutantsOf(input: unknown, allowed: (mutant: unknown) => boolean, limit: number): readonly unknown[] {
  const all = HOSTILE.flatMap((text) => replacements(input, text)).filter(allowed);
  // Spread over all places and texts, not just the first place.
  const step = Math.max(1, Math.ceil(all.length / limit));
  return all.filter((_, index) => index % step === 0);
}

function replacements(value: unknown, text: string): readonly unknown[] {
  if (typeof value === 'string') {
    return [text];
  }
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.flatMap((item, index) => replacements(item, text).map((other) => items.with(index, other)));
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, item]) =>
    replacements(item, text).map((other) => ({ ...value, [key]: other })),
  );
}

/** What no source is, whatever a mode reads: nothing, half of something, another kind of data, no text. */
const BROKEN: readonly (string | Uint8Array)[] = [
  '',
  '{',
  'null\n',
  '[1, [null]]\n',
  '"text"\n',
  Buffer.from([0xff, 0, 0xfe]),
];

/** Files beside `source`, whose names end as its does; relative to `root`. One more name is of no file. */
export async function brokenSources(root: string, source: string): Promise<readonly string[]> {
  const paths = [...BROKEN, undefined].map((_, index) =>
    posix.join(posix.dirname(source), `broken-${index}-${posix.basename(source)}`),
  );
  for (const [index, content] of BROKEN.entries()) await writeFile(join(root, paths[index] ?? ''), content);
  return paths;
}
