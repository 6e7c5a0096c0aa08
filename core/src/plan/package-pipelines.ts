/**
 * Pipelines of one's own that a melange config uses: `uses: go/tool` is `pipelines/go/tool.yaml` beside the config, else in the root.
 * What is in neither is one of melange's.
 * https://github.com/chainguard-dev/melange/blob/main/docs/PIPELINES-CUSTOM.md
 */
import { posix } from 'node:path';
import { fields as fieldsOf, items as listOf, text as textOf, type Fields } from '../config/fields.ts';
import type { Files } from '../plugin/api.ts';
import { yamlFields } from './yaml-fields.ts';

const FOLDER = 'pipelines';

export interface PackagePipeline {
  /** Relative to the root. */
  readonly path: string;
  readonly definition: Fields;
}

/** The folders in which they are looked for, the first one first. */
export function pipelineFolders(config: string): readonly string[] {
  return [...new Set([posix.join(posix.dirname(config), FOLDER), FOLDER])];
}

/** Those that `config`, with this text, uses, also by others, sorted by path. */
export async function packagePipelines(
  files: Files,
  config: string,
  text: string,
): Promise<readonly PackagePipeline[]> {
  const folders = pipelineFolders(config);
  const found: PackagePipeline[] = [];
  const names = new Set(usedBy(fieldsIn(text)));
  // A set being walked also yields what is added on the way.
  for (const name of names) {
    const pipeline = await find(files, folders, name);
    if (pipeline === undefined) continue;
    found.push(pipeline);
    for (const other of usedBy(pipeline.definition)) names.add(other);
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function find(files: Files, folders: readonly string[], name: string): Promise<PackagePipeline | undefined> {
  // Melange refuses such.
  if (posix.isAbsolute(name) || name.includes('..')) return undefined;
  for (const path of folders.map((folder) => posix.join(folder, `${name}.yaml`))) {
    const text = await files.read(path);
    const definition = text.ok ? fieldsIn(text.value) : {};
    // A folder of this name may belong to another program.
    if (['pipeline', 'runs', 'uses'].some((key) => key in definition)) return { path, definition };
  }
  return undefined;
}

/** Tests count: a build reads the pipelines that they use, too. */
function usedBy(root: Fields): readonly string[] {
  const used: string[] = [];
  // Each once: by an alias a pipeline may hold itself.
  const open = new Set<unknown>([root]);
  for (const each of open) {
    const step = fieldsOf(each);
    const name = textOf(step['uses']);
    if (name !== undefined) used.push(name);
    const { test } = step;
    for (const other of [...listOf(step['pipeline']), ...listOf(step['subpackages']), test]) open.add(other);
  }
  return used;
}

/** Of what cannot be read, none: if it is the melange config itself, its own reader says so. */
function fieldsIn(text: string): Fields {
  const read = yamlFields(text);
  return 'problem' in read ? {} : read.fields;
}
