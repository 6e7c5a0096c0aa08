import { expect, test } from 'vitest';
import { configFailure } from '../failure.ts';
import { formatFailure, relativePosition } from './format.ts';

const at = (line: number, column: number) => ({ file: '/r/config.yaml', line, column });

test('place, message, the line with a caret, hint', () => {
  const failure = configFailure('unknown key "alwys"', 'did you mean "always"?', at(12, 5));
  const source = `${'\n'.repeat(11)}    alwys: true\r\n`;
  expect(formatFailure(failure, () => source, '/r')).toBe(
    [
      'config.yaml:12:5: unknown key "alwys"',
      '  12 |     alwys: true',
      '     |     ^',
      '  did you mean "always"?',
    ].join('\n'),
  );
});

test('without source, without place, outside of the folder', () => {
  expect(formatFailure(configFailure('m', 'h', at(2, 1)), () => undefined)).toBe('/r/config.yaml:2:1: m\n  h');
  expect(formatFailure(configFailure('m', undefined, at(9, 1)), () => 'one line')).toBe('/r/config.yaml:9:1: m');
  expect(formatFailure(configFailure('m'))).toBe('m');
  expect(relativePosition(at(1, 2), '/r/images')).toBe('/r/config.yaml:1:2');
  expect(relativePosition(at(1, 2), '/r')).toBe('config.yaml:1:2');
});

test.each(['me:hush', 'me:h@sh'])('a login in the line is not shown: %s', (login) => {
  const text = formatFailure(
    configFailure('m', undefined, at(1, 9)),
    () => `  - "@a https://${login}@a.example/x"`,
    '/r',
  );
  expect(text).toBe('config.yaml:1:9: m\n  1 |   - "@a https://*******@a.example/x"\n    |         ^');
});

test('nothing of the config reaches the terminal as a control, and long lines are cut around the caret', () => {
  const text = formatFailure(
    configFailure('bad "\u001b[2J\n::add-mask::x"', undefined, at(1, 3)),
    () => 'a\u001b]0;x\u0007b',
    '/r',
  );
  expect(text).toBe('config.yaml:1:3: bad "\\u001b[2J\\u000a::add-mask::x"\n  1 | a ]0;x b\n    |   ^');
  const long = formatFailure(
    configFailure('m', undefined, at(1, 100_001)),
    () => `${'x'.repeat(100_000)}Y${'z'.repeat(100_000)}`,
  );
  const [, line = '', caret = ''] = long.split('\n');
  expect(line.length).toBeLessThan(140);
  expect(line[caret.indexOf('^')]).toBe('Y');
});
