/** `schema`: what editors and other programs can check against. */
import { configSchema, lockSchema, settingsSchema, type Checked } from '@slipway/core';
import { EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import { loadEngine } from '../load.ts';
import { envelopeSchema } from '../schemas/envelope.ts';
import { eventsSchema } from '../schemas/events.ts';
import { reportSchema } from '../schemas/report.ts';

export interface SchemaOptions {
  readonly settings?: string;
  readonly of: 'config' | 'settings' | 'lock' | 'envelope' | 'events' | 'report';
}

export async function schemaCommand(io: Io, options: SchemaOptions): Promise<number> {
  const schema = await schemaOf(io, options);
  if (!schema.ok) return refuse(io, false, 'schema', schema.failures);
  io.stdout(`${JSON.stringify(schema.value, null, 2)}\n`);
  return EXIT.done;
}

/** Two of them depend on the plugins that the settings list. */
async function schemaOf(io: Io, options: SchemaOptions): Promise<Checked<unknown>> {
  if (options.of === 'lock') return { ok: true, value: lockSchema };
  if (options.of === 'envelope') return { ok: true, value: envelopeSchema };
  if (options.of === 'events') return { ok: true, value: eventsSchema };
  if (options.of === 'report') return { ok: true, value: reportSchema };
  const engine = await loadEngine(io, options, io.cwd);
  if (!engine.ok) return engine;
  const { modes, plugins } = engine.value.host;
  const value =
    options.of === 'config'
      ? configSchema(Object.fromEntries(modes.map(({ name, properties = {} }) => [name, properties])))
      : settingsSchema(Object.fromEntries(plugins.map(({ plugin }) => [plugin.name, plugin.options ?? {}])));
  return { ok: true, value };
}
