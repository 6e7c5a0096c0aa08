/** Hostile inputs: valid by the contract's schema, with one text replaced by something that must not work. */

const HOSTILE: readonly string[] = [
  '--help',
  '-',
  '$(id)',
  '../../../../etc/passwd',
  // Made of letters that names may have, so that they pass the schemas of references.
  'a/../../etc/passwd',
  'a..b:99999',
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
