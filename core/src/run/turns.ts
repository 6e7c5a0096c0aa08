/**
 * Entries whose chains work on the same image take turns: what the first attaches, the later ones then find. This cannot deadlock. An
 * entry asks for its turn only after its probe, which has waited for all that it needs of other entries, so no entry that has its turn
 * waits for one that is still in the queue.
 */

export interface Turns {
  /** Calls `begin` at once, or when every entry that came before with this subject has given its turn. */
  take(entry: string, subject: string | undefined, begin: () => void): void;
  /** The entry has ended; nothing happens when it had no turn. */
  give(entry: string): void;
}

export function createTurns(): Turns {
  /** Subject → who waits for it; the entry at work is not among them. */
  const waiting = new Map<string, (() => void)[]>();
  /** Entry at work → its subject. */
  const holders = new Map<string, string>();
  return {
    take(entry, subject, begin) {
      if (subject === undefined) return begin();
      const start = (): void => {
        holders.set(entry, subject);
        begin();
      };
      const queue = waiting.get(subject);
      if (queue !== undefined) return void queue.push(start);
      waiting.set(subject, []);
      start();
    },
    give(entry) {
      const subject = holders.get(entry);
      if (subject === undefined) return;
      holders.delete(entry);
      const next = waiting.get(subject)?.shift();
      if (next === undefined) waiting.delete(subject);
      else next();
    },
  };
}
