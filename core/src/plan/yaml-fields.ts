/** The text of a melange or apko file as data, of which each reader takes what it needs. */
import { LineCounter, parseDocument } from 'yaml';
import { fields, type Fields } from '../config/fields.ts';

/** What is wrong with it, as the end of a sentence that begins with the file's name. */
interface Problem {
  readonly problem: string;
  readonly line: number;
  readonly column: number;
}

/** Every scalar is text (YAML's failsafe schema), as melange reads it: `version: 1.10` must not become 1.1. */
export function yamlFields(text: string): { readonly fields: Fields } | Problem {
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter, logLevel: 'silent', schema: 'failsafe' });
    const error = document.errors[0];
    if (error === undefined) return { fields: fields(document.toJS({ maxAliasCount: 100 })) };
    const { line, col } = lineCounter.linePos(error.pos[0]);
    const message = error.message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';
    return { problem: `is not valid YAML: ${message}`, line, column: col };
  } catch {
    // The parser throws when its stack or the number of aliases is exceeded.
    return { problem: 'is nested too deeply, or repeats too much with aliases', line: 1, column: 1 };
  }
}
