import { expect, test } from 'vitest';
import { isAbandoned, isOwnerName, ownName } from './owner.ts';

const HOUR = 3600 * 1000;

test("a draft is nobody's once its process is gone, or after a day where nobody here can see whether it is", async () => {
  const own = await ownName();
  const earlier = own.replace(/\d+$/, '1');
  const elsewhere = own.replace(/^[0-9a-f]{8}/, '00000000');
  expect([own, earlier, elsewhere].every(isOwnerName)).toBe(true);
  expect(isOwnerName(`${own}x`)).toBe(false);
  const at = async (name: string, age: number) => isAbandoned(name, Date.now() - age);
  expect([await at(own, 48 * HOUR), await at(earlier, 0)]).toEqual([false, true]);
  expect([await at(elsewhere, 23 * HOUR), await at(elsewhere, 25 * HOUR)]).toEqual([false, true]);
  expect([await at('', 23 * HOUR), await at('', 25 * HOUR)]).toEqual([false, true]);
});
