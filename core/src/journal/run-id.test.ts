import { expect, test } from 'vitest';
import { isRunId, runId } from './run-id.ts';

test('a run that begins a millisecond later comes later in a listing', () => {
  const start = Date.UTC(2026, 10, 29, 23, 59, 58, 990);
  const ids = Array.from({ length: 1200 }, (_, ms) => runId(new Date(start + ms)));
  expect(ids.toSorted()).toEqual(ids);
  expect(ids.every(isRunId)).toBe(true);
  expect(ids[0]).toMatch(/^20261129-235958-3de[0-9a-f]{5}$/);
});

test('runs that begin in one millisecond differ', () => {
  const now = new Date();
  expect(new Set(Array.from({ length: 20 }, () => runId(now))).size).toBe(20);
});
