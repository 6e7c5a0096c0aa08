/** `schema`: what editors and other programs can check against. */
import { readFileSync } from 'node:fs';
import { configSchema, createHost, loadPlugins, settingsSchema } from '@slipway/core';
import { EXIT, refuse } from '../answer.ts';
import { defaultPlugins } from '../default-plugins.ts';
import type { Io } from '../io.ts';
import { readSettings } from '../prepare.ts';

export interface SchemaOptions {
  readonly settings?: string;
  readonly of: 'config' | 'settings' | 'envelope' | 'events';
}

export async function schemaCommand(io: Io, { settings: file, of }: SchemaOptions): Promise<number> {
  if (of === 'envelope' || of === 'events') {
    io.stdout(readFileSync(new URL(`../../schemas/${of}.schema.json`, import.meta.url), 'utf8'));
    return EXIT.done;
  }
  const loaded = await readSettings(io, file === undefined ? {} : { settings: file }, io.cwd);
  if (!loaded.ok) return refuse(io, false, 'schema', loaded.failures);
  const plugins = await loadPlugins({ settings: loaded.value.settings, defaults: defaultPlugins });
  if (!plugins.ok) return refuse(io, false, 'schema', plugins.failures);
  const host = await createHost(plugins.value, loaded.value.settings.use);
  if (!host.ok) return refuse(io, false, 'schema', host.failures);
  const schema =
    of === 'config'
      ? configSchema(Object.fromEntries(host.value.modes.map(({ name, properties = {} }) => [name, properties])))
      : settingsSchema(Object.fromEntries(plugins.value.map(({ plugin }) => [plugin.name, plugin.options ?? {}])));
  io.stdout(`${JSON.stringify(schema, null, 2)}\n`);
  return EXIT.done;
}
