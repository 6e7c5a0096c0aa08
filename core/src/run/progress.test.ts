import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { tellProgress } from './progress.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

test('sums up, and tells twice a second at most; what is quick is not told', () => {
  const told: number[] = [];
  const progress = tellProgress((bytes) => told.push(bytes));
  for (let chunk = 0; chunk < 20; chunk += 1) {
    progress(10);
    vi.advanceTimersByTime(100);
  }
  expect(told).toEqual([60, 110, 160]);
});
