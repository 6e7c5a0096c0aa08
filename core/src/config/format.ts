/** How failures look to a reader. */
import { isAbsolute, relative } from 'node:path';
import type { Failure, Position } from '../failure.ts';
import { headline } from '../report/failure.ts';

/** Columns shown around the blamed one; a line of a hostile file may be megabytes long. */
const WIDTH = 120;

/** What stands before the host of a URL: a password may have an at sign. */
const LOGIN = /(?<=:\/\/)[^\s/]+(?=@)/g;

/** `config.yaml:12:5`: relative to `folder` when inside it. */
export function relativePosition(position: Position, folder: string): string {
  return `${relativeFile(position.file, folder)}:${position.line}:${position.column}`;
}

function relativeFile(file: string, folder: string): string {
  if (!isAbsolute(file) || !isAbsolute(folder)) return file;
  const short = relative(folder, file);
  return short === '' || short.startsWith('..') ? file : short;
}

/**
 * `config.yaml:12:5: message`, the line with a caret under the column, and the hint, each on lines of their own.
 * `readSource` gives a file's text for the line; `folder` makes the file's name short. Control characters are escaped, so
 * that nothing in a config can write to the terminal or start a line of the log.
 */
export function formatFailure(
  failure: Failure,
  readSource?: (file: string) => string | undefined,
  folder = '',
): string {
  const parts: string[] = [];
  if (failure.at === undefined) {
    parts.push(escapeControls(headline(failure)));
  } else {
    parts.push(escapeControls(`${relativePosition(failure.at, folder)}: ${headline(failure)}`));
    const line = lineOf(readSource?.(failure.at.file), failure.at.line);
    if (line !== undefined && line.trim() !== '') parts.push(withCaret(line, failure.at));
  }
  if (failure.hint !== undefined) parts.push(`  ${escapeControls(failure.hint)}`);
  return parts.join('\n');
}

function lineOf(source: string | undefined, line: number): string | undefined {
  if (source === undefined) return undefined;
  let start = 0;
  for (let n = 1; n < line; n += 1) {
    start = source.indexOf('\n', start) + 1;
    if (start === 0) return undefined;
  }
  const end = source.indexOf('\n', start);
  return source.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
}

function withCaret(line: string, at: Position): string {
  const from = at.column > WIDTH ? at.column - 1 - Math.floor(WIDTH / 2) : 0;
  // One column for one character, so that the caret stays under its own. More people read logs than the file.
  const shown = line
    .replaceAll(LOGIN, (login) => '*'.repeat(login.length))
    .slice(from, from + WIDTH)
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
  const gutter = `  ${at.line} | `;
  return `${gutter}${shown}\n${' '.repeat(gutter.length - 2)}| ${' '.repeat(at.column - 1 - from)}^`;
}

function escapeControls(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
