/** Reads what foreign code answered: a value that its schema allows, a failure, or else a failure of the plugin. */
import { isFields } from '../config/fields.ts';
import { errorCode, fail, type Failure, type PluginFailure, type Result } from '../failure.ts';
import type { JsonSchema } from './api.ts';
import { failureSchema, ownProperties, type Said } from './failure-schema.ts';
import { TapError } from './hooks.ts';
import { notData } from './plain-data.ts';
import { checkOf } from './validate.ts';

export interface Author {
  readonly plugin: string;
  /** The hook or contract, as `image.scan@1`. */
  readonly hook: string;
}

const SHOWN = 300;
/** Characters of what a plugin says to people. A failure is told in a dozen places, and a journal keeps them all. */
const SAID = 8_000;
/** So much more is read: a secret in it is masked before it could be cut in two. */
const READ = 8 * SAID;

/** What a plugin says, without secrets, at a length that people read. */
export function sayable(text: string, redact: (text: string) => string): string {
  const start = redact(text.slice(0, READ));
  return start.length <= SAID && text.length <= READ ? start : `${start.slice(0, SAID)}…`;
}

/** The same of a program's output: its end says why it failed. */
function sayableEnd(text: string, redact: (text: string) => string): string {
  const end = redact(text.slice(-READ));
  return end.length <= SAID && text.length <= READ ? end : `…${end.slice(-SAID)}`;
}

/** `what` completes "plugin x: image.scan@1 …". */
export function pluginFailure({ plugin, hook }: Author, what: string): PluginFailure {
  const message = `plugin ${plugin}: ${hook} ${what.length <= SHOWN ? what : `${what.slice(0, SHOWN)}…`}`;
  return {
    reason: 'plugin',
    class: 'permanent',
    plugin,
    hook,
    message,
    hint: `report it to the author of plugin ${plugin}`,
  };
}

/** What was thrown, as a failure without its stack. `redact` is applied, because errors of tools may quote secrets. */
export function thrown(author: Author, error: unknown, redact: (text: string) => string): PluginFailure {
  if (error instanceof TapError) {
    const { plugin, hook, message, cause } = error;
    return unlessFull(pluginFailure({ plugin, hook }, sayable(message, redact)), cause);
  }
  const said = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : '';
  const what = said === '' ? 'threw something that is no error' : `threw: ${sayable(said, redact)}`;
  return unlessFull(pluginFailure(author, what), error);
}

/** A full disk is no matter of the plugin's author. */
function unlessFull(failure: PluginFailure, error: unknown): PluginFailure {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error))
    ? { ...failure, hint: 'free some space where .slipway is' }
    : failure;
}

/** `T` is what `schema` describes. `redact` is applied to a failure, as to what is thrown. */
export function readAnswer<T>(
  author: Author,
  answer: unknown,
  schema: JsonSchema,
  redact: (text: string) => string,
): Result<T> {
  if (!isFields(answer)) {
    return fail(pluginFailure(author, 'gave no answer: it must return ok(value) or fail(failure)'));
  }
  if (answer['ok'] === false) {
    return fail(readFailure(author, answer['failure'], redact));
  }
  if (answer['ok'] !== true) {
    return fail(pluginFailure(author, 'gave an answer that is neither ok(value) nor fail(failure)'));
  }
  const problem = checkOf(schema)(answer['value']) ?? notData(answer['value']);
  if (problem !== undefined) {
    return fail(pluginFailure(author, `gave a value that its contract does not allow: ${problem}`));
  }
  // The schema has just said so. A copy: a plugin that goes on filling what it gave would change what the gate has judged.
  return { ok: true, value: structuredClone(answer['value']) as T };
}

/** What a plugin gave as a failure, or that it is none. Its words may quote what a service or a program told it. */
export function readFailure(author: Author, failure: unknown, redact: (text: string) => string): Failure {
  const problem = checkOf(failureSchema)(failure);
  if (problem === undefined) return withoutSecrets(failure as Said, redact);
  const said = isFields(failure) && typeof failure['message'] === 'string' ? `; it said: ${failure['message']}` : '';
  return pluginFailure(author, `failed with something that is no failure: ${problem}${sayable(said, redact)}`);
}

function withoutSecrets(given: Said, redact: (text: string) => string): Failure {
  const failure = ownProperties(given);
  return {
    ...failure,
    message: sayable(failure.message, redact),
    ...(failure.hint === undefined ? {} : { hint: sayable(failure.hint, redact) }),
    ...(failure.reason === 'tool' && failure.output !== undefined
      ? { output: sayableEnd(failure.output, redact) }
      : {}),
    ...(failure.reason === 'policy' ? { refusals: failure.refusals.map((refusal) => sayable(refusal, redact)) } : {}),
  };
}
