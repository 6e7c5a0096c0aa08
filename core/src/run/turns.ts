/**
 * Chains about one subject run one after the other, so that the later ones find attached what the first made. Nobody waits
 * for a later one: what an entry needs of other entries, its probe has waited for.
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
