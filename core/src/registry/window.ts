/**
 * How many requests may be under way to a host at once: few at first, more while it answers well, half as many once it
 * says that it is too much. As TCP does it: https://www.rfc-editor.org/rfc/rfc5681 Pure: time comes as a parameter.
 */

/** Requests at once before anything is known of a host. Starting with more earns refusals from registries that are strict. */
const START = 2;
/** How much each good answer adds until the first refusal: the window grows by half in the time of one exchange. */
const QUICK = 0.5;
/** Milliseconds within which refusals count once: they answer requests that were sent together. */
const TOGETHER = 500;

export interface Window {
  /** A whole number, one at least. */
  readonly size: number;
  /** A good answer came while so many requests, itself included, were under way. */
  answered(busy: number): void;
  /** The host said that it is too much. `now` in milliseconds. */
  refused(now: number): void;
}

/** `cap`: never more than that. Without `rampUp` it starts there, and comes back there slowly after a refusal. */
export function createWindow(cap: number, rampUp: boolean): Window {
  let width = rampUp ? Math.min(START, cap) : cap;
  /** Up to here the window grows quickly. */
  let threshold = cap;
  let halved = Number.NEGATIVE_INFINITY;
  return {
    get size() {
      return Math.floor(width);
    },
    answered(busy) {
      // A window that is not full says nothing about a larger one.
      if (width >= cap || busy < Math.floor(width)) return;
      width = Math.min(cap, width + (width < threshold ? QUICK : 1 / width));
    },
    refused(now) {
      if (now - halved < TOGETHER) return;
      halved = now;
      width = Math.max(1, width / 2);
      threshold = width;
    },
  };
}
