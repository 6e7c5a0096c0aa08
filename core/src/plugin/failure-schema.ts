/** What a plugin may return as a failure. It says in data what `Failure` in failure.ts says in types. */
import type { Failure } from '../failure.ts';
import type { JsonSchema } from './api.ts';
import { count, list, open, text, time } from './schema-parts.ts';

/** What a failure of each reason says besides; names ending in `?` may be absent. */
const failures: Readonly<Record<Failure['reason'], Readonly<Record<string, JsonSchema>>>> = {
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
  wait: { class: { const: 'permanent' }, until: time },
  cancelled: { class: { const: 'cancelled' } },
};

/** A failure that a plugin returns: reports read all of it, and must not meet what is not there. What else it has does no harm. */
export const failureSchema: JsonSchema = {
  ...open({
    reason: { enum: Object.keys(failures) },
    message: text,
    'hint?': { type: 'string' },
    'at?': open({ file: text, line: count, column: count }),
  }),
  allOf: Object.entries(failures).map(([reason, properties]) => ({
    if: open({ reason: { const: reason } }),
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: open(properties),
  })),
};
