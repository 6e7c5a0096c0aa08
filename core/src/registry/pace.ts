/**
 * How far apart requests begin at a host that says 429 and not when to come back: what it limits is most likely how many come in
 * a second, which fewer at once do not keep to. Learnt as the window is, on the host's own word, and slowly forgotten. Pure.
 */

/** Milliseconds between two requests after the first refusal; twice as many after each further one, until it is nearly right. */
const FIRST = 10;
const LONGEST = 2000;
/** Milliseconds: what is less is no pace. */
const LEAST = 4;
/** Good answers since the last refusal that make a pace nearly right. */
const NEARLY = 10;
/** What a refusal makes of a gap that was nearly right, and a good answer of any. */
const MORE = 1.25;
const LESS = 0.995;

export interface Pace {
  /** Milliseconds from the beginning of one request to that of the next; 0 where none was ever refused. */
  readonly gap: number;
  answered(): void;
  refused(): void;
}

export function createPace(): Pace {
  let gap = 0;
  let answers = 0;
  return {
    get gap() {
      return gap;
    },
    answered() {
      if (gap === 0) return;
      answers += 1;
      gap *= LESS;
      if (gap < LEAST) gap = 0;
    },
    refused() {
      gap = gap === 0 ? FIRST : Math.min(LONGEST, gap * (answers < NEARLY ? 2 : MORE));
      answers = 0;
    },
  };
}
