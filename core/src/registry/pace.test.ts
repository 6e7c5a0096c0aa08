import { expect, test } from 'vitest';
import { createPace } from './pace.ts';

function answered(pace: ReturnType<typeof createPace>, times: number): number {
  for (let time = 0; time < times; time += 1) pace.answered();
  return pace.gap;
}

test('a host that refuses nothing is asked as fast as may be', () => {
  expect(answered(createPace(), 1000)).toBe(0);
});

test('it is found by doubling, and then changed by little', () => {
  const pace = createPace();
  const gaps = [1, 2, 3, 4].map(() => (pace.refused(), pace.gap));
  expect(gaps).toEqual([10, 20, 40, 80]);
  expect(answered(pace, 9)).toBeCloseTo(76.5, 1);
  pace.refused();
  expect(pace.gap).toBeCloseTo(153, 0);
  expect(answered(pace, 44)).toBeCloseTo(122.7, 0);
  pace.refused();
  expect(pace.gap).toBeCloseTo(153, 0);
});

test('it is forgotten after some hundred good answers, and never longer than two seconds', () => {
  const pace = createPace();
  for (let time = 0; time < 20; time += 1) pace.refused();
  expect(pace.gap).toBe(2000);
  expect(answered(pace, 500)).toBeGreaterThan(100);
  expect(answered(pace, 1000)).toBe(0);
  pace.refused();
  expect(pace.gap).toBe(10);
});
