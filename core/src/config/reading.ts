/** What the readers of a config's parts share. */
import type { ConfigFailure, Result } from '../failure.ts';
import type { Document, Path } from './document.ts';
import type { Context } from './model.ts';
import type { Accept } from './settings-model.ts';
import type { Accepting } from './identity.ts';
import { normalisePath, type NamedPath } from './paths.ts';

/** A file's path, normalised → the public key in it. */
export type Keys = ReadonlyMap<string, Result<Accept, ConfigFailure>>;

export interface Reading {
  readonly document: Document;
  readonly context: Context;
  readonly keys: Keys;
  readonly problems: ConfigFailure[];
  readonly paths: readonly NamedPath[];
  /** The value, or `undefined` once the failure is noted at its place. */
  readonly accept: Accepting;
  /** The path, normalised, once it is noted that it must be there. */
  readonly path: (text: string, path: Path, kind: NamedPath['kind']) => string | undefined;
}

export function startReading(document: Document, context: Context, keys: Keys): Reading {
  const problems: ConfigFailure[] = [];
  const paths: NamedPath[] = [];
  const accept: Accepting = (result, path) => {
    if (result.ok) return result.value;
    problems.push({ ...result.failure, at: document.locate(path) });
    return undefined;
  };
  return {
    document,
    context,
    keys,
    problems,
    paths,
    accept,
    path: (text, path, kind) => {
      const normal = accept(normalisePath(text), path);
      if (normal !== undefined) paths.push({ path: normal, kind, at: document.locate(path) });
      return normal;
    },
  };
}
