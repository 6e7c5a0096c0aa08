import { expect, test } from 'vitest';
import { clean, formatFailure } from './wording.ts';

test('what strangers say stays on its line', () => {
  expect(clean('a\nb\r\n\nc\u2028d\u0085e\tf')).toBe('a b c d e\tf');
  const failure = {
    reason: 'tool',
    class: 'permanent',
    tool: 'x',
    message: 'no\n::error::forged',
    hint: 'see\rthere\u001b[2K',
  } as const;
  expect(formatFailure(failure)).toEqual(['tool x: no ::error::forged', '  → see there�[2K']);
});
