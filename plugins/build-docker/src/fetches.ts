/** Whether what a Dockerfile makes can change while everything that is known of it stays the same. Pure. */
import { readInstructions, unquote } from './instructions.ts';

/** URLs, and remote Git repositories, also as `git@host:path`: https://docs.docker.com/reference/dockerfile/#add */
const REMOTE = /^(?:https?|git|ssh):\/\/|^git@/i;

/** A step with a network may fetch anything; what `ADD` fetches is known only with its checksum. */
export function mayFetch(text: string): boolean {
  const { escape, instructions } = readInstructions(text);
  return instructions.some(({ keyword, flags, words }) => {
    const plain = flags.map(({ raw }) => unquote(raw, escape));
    if (keyword === 'RUN') return !plain.includes('--network=none');
    if (keyword !== 'ADD' || plain.some((flag) => flag.startsWith('--checksum='))) return false;
    // `ADD ["https://…", "/to"]` is the same in JSON. A variable can hold a URL.
    return words
      .map(({ raw }) => raw.replaceAll(/[[\]",']/g, ''))
      .some((word) => REMOTE.test(word) || word.startsWith('$'));
  });
}
