import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MAX, guard, prunable, type Share } from './may-go.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
const some = fc.subarray([...NAMES]);

describe('tags that may go', () => {
  it('are those that are stored and were made here, without what is named or kept', () => {
    fc.assert(
      fc.property(some, some, some, some, (stored, made, named, kept) => {
        const going = new Set(
          prunable({ stored, made: new Set(made), named: new Set(named), kept: (tag) => kept.includes(tag as never) }),
        );
        for (const tag of NAMES) {
          const expected = stored.includes(tag) && made.includes(tag) && !named.includes(tag) && !kept.includes(tag);
          expect(going.has(tag)).toBe(expected);
        }
      }),
    );
  });
});

describe('the guard', () => {
  const share = fc
    .record({ repository: fc.constantFrom('r.example/a', 'r.example/b'), stored: fc.nat(60), going: fc.nat(60) })
    .map((each): Share => ({ ...each, going: Math.min(each.going, each.stored) }));

  it('lets no more go than is allowed, and no more than half of a repository unless a number is given', () => {
    fc.assert(
      fc.property(fc.array(share), fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }), (shares, max) => {
        const total = shares.reduce((sum, { going }) => sum + going, 0);
        const half = shares.some(({ going, stored }) => going > stored / 2);
        const refused = guard(shares, max);
        expect(refused !== undefined).toBe(total > (max ?? DEFAULT_MAX) || (max === undefined && half));
        if (refused !== undefined) expect(refused.message).toContain('nothing was deleted');
      }),
    );
  });

  it('names the number that would be enough', () => {
    const shares = [{ repository: 'r.example/a', stored: 40, going: 12 }];
    expect(guard(shares, undefined)?.hint).toContain('--max 12');
    expect(guard(shares, 12)).toBeUndefined();
  });
});
