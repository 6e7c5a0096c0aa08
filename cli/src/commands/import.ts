/** `import`: the config of another tool as a config.yaml on stdout; what has no equivalent on stderr. */
import { resolve } from 'node:path';
import { configFailure, formatFailure, importFiles, type ImportKind } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';

export interface ImportOptions {
  readonly destination?: string;
  readonly scoped: boolean;
  readonly appendSuffix?: string;
  readonly platform: readonly string[];
  /** What has no equivalent is a failure. */
  readonly strict: boolean;
  readonly json: boolean;
}

export async function importCommand(
  io: Io,
  kind: ImportKind,
  files: readonly string[],
  options: ImportOptions,
): Promise<number> {
  const { json, strict, platform: platforms, ...request } = options;
  const paths = files.map((file) => resolve(io.cwd, file));
  const imported = await importFiles(kind, paths, { ...request, platforms, environment: io.env });
  if (!imported.ok) return refuse(io, json, 'import', imported.failures);
  const { config, settings, entries, unsupported, notes } = imported.value;
  for (const [mark, remarks] of [
    ['', unsupported],
    ['note: ', notes],
  ] as const) {
    for (const { at, what, why } of remarks) {
      io.stderr(`${formatFailure(configFailure(`${mark}${what}: ${why}`, undefined, at), undefined, io.cwd)}\n`);
    }
  }
  const nothing = entries === 0 && unsupported.length > 0;
  if (!nothing)
    io.stderr(`settings that go with it, for slipway.config.yaml:\n${settings.replaceAll(/^/gm, '  ').trimEnd()}\n`);
  if (nothing) io.stderr('nothing of the file could be taken over\n');
  const exitCode = nothing || (strict && unsupported.length > 0) ? EXIT.failed : EXIT.done;
  return answer(io, json, 'import', exitCode, { config, settings, unsupported, notes }, () => config);
}
