import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createWindow } from './window.ts';

/** Good answers to a window that is always full. */
function answer(window: ReturnType<typeof createWindow>, times: number): number {
  for (let time = 0; time < times; time += 1) window.answered(window.size);
  return window.size;
}

test('it starts small and reaches its cap in a few round trips', () => {
  const window = createWindow(64, true);
  const sizes = [window.size];
  while (window.size < 64) sizes.push(answer(window, window.size));
  expect(sizes).toEqual([2, 3, 4, 6, 9, 14, 21, 31, 47, 64]);
});

test('without ramp-up it starts at its cap', () => {
  expect(createWindow(64, false).size).toBe(64);
  expect(createWindow(1, true).size).toBe(1);
});

test('a refusal halves it, once for all that were sent together, and it grows slowly from there', () => {
  const window = createWindow(16, false);
  for (const now of [1000, 1001, 1400]) window.refused(now);
  expect(window.size).toBe(8);
  expect(answer(window, 8)).toBe(8);
  expect(answer(window, 1)).toBe(9);
  window.refused(1501);
  expect(window.size).toBe(4);
});

test('it does not grow while it is not full', () => {
  const window = createWindow(16, true);
  for (let time = 0; time < 100; time += 1) window.answered(1);
  expect(window.size).toBe(2);
});

test('whatever happens, at least one and at most the cap may be under way', () => {
  const steps = fc.array(fc.oneof(fc.constant('answered' as const), fc.constant('refused' as const)), {
    maxLength: 500,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 256 }), fc.boolean(), steps, (cap, rampUp, all) => {
      const window = createWindow(cap, rampUp);
      for (const [index, step] of all.entries()) {
        if (step === 'answered') window.answered(window.size);
        else window.refused(index * 1000);
        expect(window.size).toBeGreaterThanOrEqual(1);
        expect(window.size).toBeLessThanOrEqual(cap);
        expect(Number.isInteger(window.size)).toBe(true);
      }
    }),
  );
});
