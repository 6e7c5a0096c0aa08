/**
 * The files that a melange build finds in its workspace: those in the folder of its config, and below. Configurations of
 * images and packages among them are left out, so that several can share a folder and a change of one rebuilds that one.
 */
import { posix } from 'node:path';
import { isFields } from '../config/fields.ts';
import { ok, type Result } from '../failure.ts';
import type { Files } from '../plugin/api.ts';
import { yamlFields } from './yaml-fields.ts';

/** Relative to the root, sorted; a `config` failure when the folder cannot be listed. */
export async function packageSources(files: Files, config: string): Promise<Result<readonly string[]>> {
  const listed = await files.list(posix.dirname(posix.normalize(config)));
  if (!listed.ok) return listed;
  const sources: string[] = [];
  for (const path of listed.value) {
    const normal = posix.normalize(path);
    if (normal !== posix.normalize(config) && !(await isConfiguration(files, normal))) sources.push(normal);
  }
  return ok(sources);
}

/** A melange config says `package:` with a name, one of apko says `contents:`. */
async function isConfiguration(files: Files, path: string): Promise<boolean> {
  if (!/\.ya?ml$/.test(path)) return false;
  const text = await files.read(path);
  if (!text.ok) return false;
  const read = yamlFields(text.value);
  if ('problem' in read) return false;
  const { package: made, contents } = read.fields;
  return (isFields(made) && 'name' in made) || isFields(contents);
}
