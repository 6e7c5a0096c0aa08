/** What a plugin may return as a failure. It says in data what `Failure` in failure.ts says in types. */
import type { Failure, WaitFailure } from '../failure.ts';
import type { JsonSchema } from './api.ts';
import { count, list, open, text } from './schema-parts.ts';

type Parts = Readonly<Record<string, JsonSchema>>;

/** What every failure says; names ending in `?` may be absent. */
const common: Parts = { message: text, 'hint?': { type: 'string' } };
const position: Parts = { file: text, line: count, column: count };

/** Too early is the settings' word and the core's: a plugin that said so would have an entry left out, and the run end well. */
export type Said = Exclude<Failure, WaitFailure>;

/** What a failure of each reason says besides. */
const failures: Readonly<Record<Said['reason'], Parts>> = {
  config: { class: { const: 'permanent' } },
  registry: {
    class: { enum: ['transient', 'permanent'] },
    side: { enum: ['source', 'destination'] },
    host: text,
    'status?': count,
    'code?': { type: 'string' },
  },
  tool: {
    class: { enum: ['transient', 'permanent'] },
    tool: text,
    'exitCode?': { type: 'integer' },
    'output?': { type: 'string' },
  },
  'missing-tool': { class: { const: 'permanent' }, tool: text },
  policy: { class: { const: 'policy' }, refusals: list(text) },
  trust: { class: { const: 'permanent' }, 'side?': { const: 'source' } },
  plugin: { class: { const: 'permanent' }, plugin: text, hook: text },
  need: { class: { const: 'permanent' }, need: text },
  cancelled: { class: { const: 'cancelled' } },
};

/** A failure that a plugin returns: reports read all of it, and must not meet what is not there. */
export const failureSchema: JsonSchema = {
  ...open({
    reason: { enum: Object.keys(failures) },
    ...common,
    'at?': open(position),
  }),
  allOf: Object.entries(failures).map(([reason, properties]) => ({
    if: open({ reason: { const: reason } }),
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: open(properties),
  })),
};

/** What its type has of a failure that {@link failureSchema} allows. What else it has may be anything, and the journal is data. */
export function ownProperties(failure: Said): Said {
  const own = only(failure, { ...common, ...failures[failure.reason] });
  const at = failure.at === undefined ? {} : { at: only(failure.at, position) };
  // The schema has said that what must be there is.
  return { reason: failure.reason, ...own, ...at } as Said;
}

function only(value: object, parts: Parts): object {
  const given = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(parts).map((name) => name.replace(/\?$/, ''));
  return Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}
