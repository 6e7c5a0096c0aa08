const MAX_QUOTED = 80;

/** Text of the user's inside a sentence, at a length that a reader can take in. */
export function quote(text: string): string {
  return text.length > MAX_QUOTED ? `"${text.slice(0, MAX_QUOTED)}…"` : `"${text}"`;
}
