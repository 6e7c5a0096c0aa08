/** How far a task has come, told now and then. */

/** Milliseconds between two words; what takes less is not told at all. */
const PACE = 500;

/** Sums up; `tell` gets the sum. */
export function tellProgress(tell: (bytes: number) => void): (bytes: number) => void {
  let sum = 0;
  let told = performance.now();
  return (bytes) => {
    sum += bytes;
    const now = performance.now();
    if (now - told < PACE) return;
    told = now;
    tell(sum);
  };
}
