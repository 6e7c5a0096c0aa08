import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHeap } from './heap.ts';

test('gives the largest first and equals in their order, however adding and taking alternate', () => {
  const step = fc.oneof(fc.nat(5), fc.constant('take' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = createHeap<{ readonly size: number; readonly n: number }>((one, other) => one.size > other.size);
      const model: { readonly size: number; readonly n: number }[] = [];
      for (const [n, size] of [...steps, ...steps.map(() => 'take' as const)].entries()) {
        if (size === 'take') {
          model.sort((a, b) => b.size - a.size || a.n - b.n);
          expect(heap.take()).toEqual(model.shift());
        } else {
          heap.add({ size, n });
          model.push({ size, n });
        }
      }
    }),
  );
});
