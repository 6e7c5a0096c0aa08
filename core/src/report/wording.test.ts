import { expect, test } from 'vitest';
import { clean, formatFailure } from './wording.ts';

test('what nobody sees is seen: marks that reorder text, and those by which two names look like one', () => {
  for (const mark of [
    '\u202e',
    '\u2067',
    '\u200f',
    '\u061c',
    '\u200b',
    '\u200d',
    '\u2060',
    '\ufeff',
    '\u00ad',
    '\u{e0041}',
  ])
    expect(clean(`a${mark}b`)).toBe('a�b');
});

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
