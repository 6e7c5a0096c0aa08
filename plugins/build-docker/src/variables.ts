/**
 * Quotes and variables of one word, as Dockerfiles have them:
 * https://docs.docker.com/reference/dockerfile/#environment-replacement. A variable without a value is an error here: the
 * word would name another image than its author means.
 */

import { trim } from './trim.ts';

export type Expanded = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

/** Deeper nesting of `${A:-${B:-…}}` than anybody writes. */
const MAX_DEPTH = 16;

export function expand(word: string, values: ReadonlyMap<string, string>, escape: string): Expanded {
  const reader: Reader = { word, values, escape, at: 0 };
  try {
    return { ok: true, text: readText(reader, '', 0) };
  } catch (error) {
    if (error instanceof Problem) return { ok: false, problem: error.message };
    throw error;
  }
}

/** How the reading below stops; never leaves this file. */
class Problem extends Error {}

interface Reader {
  readonly word: string;
  readonly values: ReadonlyMap<string, string>;
  readonly escape: string;
  at: number;
}

/** Up to `end`, which is consumed; up to the end of the word when `end` is empty. `raw`: what escapes stays, for a pattern to read. */
function readText(reader: Reader, end: string, depth: number, raw = false): string {
  if (depth > MAX_DEPTH) throw new Problem('variables are nested too deeply');
  const { word, escape } = reader;
  let text = '';
  let quote = '';
  while (reader.at < word.length) {
    const character = word.charAt(reader.at);
    if (quote === '' && character === end) {
      reader.at += 1;
      return text;
    }
    if (character === '$' && quote !== "'") {
      text += readVariable(reader, depth);
      continue;
    }
    reader.at += 1;
    if (character === escape && quote !== "'") {
      text += `${raw ? character : ''}${word.charAt(reader.at)}`;
      reader.at += 1;
    } else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
    else text += character;
  }
  if (quote !== '') throw new Problem(`a quote (${quote}) is not closed`);
  if (end !== '') throw new Problem(`"${end}" is missing after a variable`);
  return text;
}

const NAME = /[A-Za-z_]\w*/y;

function readVariable(reader: Reader, depth: number): string {
  reader.at += 1;
  const braces = reader.word.charAt(reader.at) === '{';
  if (braces) reader.at += 1;
  NAME.lastIndex = reader.at;
  const name = NAME.exec(reader.word)?.[0];
  if (name === undefined) {
    if (braces) throw new Problem('"${" is not followed by the name of a variable');
    return '$';
  }
  reader.at += name.length;
  const value = reader.values.get(name);
  if (!braces) return required(name, value);
  const [operator] = /^:?[-+?]|^[#%}]/.exec(reader.word.slice(reader.at, reader.at + 2)) ?? [];
  if (operator === undefined)
    throw new Problem(`what follows the variable ${name} inside of its braces is not supported here`);
  reader.at += operator.length;
  if (operator === '}') return required(name, value);
  if (operator === '#' || operator === '%') {
    const word = readText(reader, '}', depth + 1, true);
    const trimmed = trim(required(name, value), operator, word);
    if (typeof trimmed === 'string') return trimmed;
    throw new Problem(`${name}: ${trimmed.problem}`);
  }
  const other = readText(reader, '}', depth + 1);
  const missing = value === undefined || (operator.startsWith(':') && value === '');
  if (operator.endsWith('+')) return missing ? '' : other;
  if (!missing) return value;
  if (operator.endsWith('-')) return other;
  throw new Problem(other === '' ? `the variable ${name} has no value` : `${name}: ${other}`);
}

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new Problem(`the variable ${name} has no value`);
  return value;
}
