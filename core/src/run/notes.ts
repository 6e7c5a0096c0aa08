/**
 * What syncs found out and would otherwise ask again: which subset a source gives, what upstream had attached, who signed it.
 * Losing it costs requests, never correctness; see {@link openLines} for whose file is believed.
 */
import { createHash } from 'node:crypto';
import { openLines } from '../state-lines.ts';

export interface Notes {
  /** What was noted under a name made of parts; the first says what it is about. */
  get(...name: readonly string[]): string | undefined;
  put(text: string, ...name: readonly string[]): Promise<void>;
}

export async function openNotes(folder: string, mark: string | undefined): Promise<Notes> {
  const lines = await openLines(folder, { name: 'syncs.ndjson', field: 'text', mark });
  return {
    get: (...name) => lines.get(keyOf(name)),
    async put(text, ...name) {
      const key = keyOf(name);
      // What is known is not written once more, or the file would grow with every run.
      if (lines.get(key) !== text) await lines.put(key, text);
    },
  };
}

/** Keeps nothing: every question is asked anew. */
export const noNotes: Notes = { get: () => undefined, put: async () => {} };

function keyOf(name: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(name)).digest('hex');
}
