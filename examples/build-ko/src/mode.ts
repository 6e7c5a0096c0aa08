/** The mode `ko`: the Go file with `main` names the program. */
import {
  configFailure,
  fail,
  ok,
  type BuildEntry,
  type Files,
  type Mode,
  type ModeInputs,
  type Result,
} from '@slipway/core';
import { posix } from 'node:path';
import { buildWithKo } from './build.ts';

type Base = ModeInputs['bases'][number];

export function koMode(base: Base, ldflags: string): Mode {
  return {
    name: 'ko',
    claims: (source) => source.endsWith('.go'),
    inputs: async (entry, files) => {
      const module = await findModule(entry, files);
      if (!module.ok) return module;
      const sources = await moduleFiles(module.value, files);
      if (!sources.ok) return sources;
      return ok({
        files: sources.value,
        packageIndexes: [],
        bases: [base],
        platforms: [{ os: 'linux', architecture: 'amd64' }],
        packages: [],
        options: { base: base.text, ldflags },
      });
    },
    build: (context) => buildWithKo(context, base.text, ldflags),
  };
}

interface Module {
  /** Relative to the config's folder. */
  readonly folder: string;
  readonly text: string;
}

/** The nearest go.mod, in the source's folder or above it, as Go itself looks for it. */
async function findModule(entry: BuildEntry, files: Files): Promise<Result<Module>> {
  for (let folder = posix.dirname(entry.source); ; folder = posix.dirname(folder)) {
    const read = await files.read(posix.join(folder, 'go.mod'));
    if (read.ok) return ok({ folder, text: read.value });
    if (folder === '.') break;
  }
  const message = `there is no go.mod in the folder of "${entry.source}" or above it`;
  return fail(configFailure(message, 'make one with: go mod init', entry.at));
}

/** The module's files, and those of modules beside it that its `replace` lines name. */
async function moduleFiles({ folder, text }: Module, files: Files): Promise<Result<readonly string[]>> {
  const replaced = [...text.matchAll(/=>\s*(\.{1,2}\/\S+)\s*$/gm)].map(([, path]) => posix.join(folder, path ?? '.'));
  const all = new Set<string>();
  for (const place of [folder, ...replaced]) {
    const listed = await files.list(place);
    if (!listed.ok) return listed;
    for (const file of listed.value) all.add(file);
  }
  return ok([...all].toSorted());
}
