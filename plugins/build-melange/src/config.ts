/**
 * What Slipway changes in a melange config: paths of this machine. A package holds its config and the paths it was built
 * with, so everything local is named relative to the workspace: two checkouts at two paths make one package.
 * https://github.com/chainguard-dev/melange/blob/main/docs/BUILD-FILE.md
 */
import { configFailure, fail, inCheckout, isRemote, ok, type ConfigFailure, type Result } from '@slipway/core';
import { posix } from 'node:path';
import { isMap, isSeq, parseDocument } from 'yaml';

const REPOSITORIES = ['repositories', 'build_repositories'] as const;

export interface LocalPaths {
  readonly text: string;
  /** Files of the root that the text names, to be copied to the same place of the workspace. */
  readonly files: readonly string[];
  /** File names of all keys in it, also of those that are fetched. */
  readonly keys: ReadonlySet<string>;
}

/**
 * Puts `repositories` (paths in the workspace) in the place of each local repository, and makes local keys relative to the
 * root. A text without local paths is left as it is, to the byte.
 */
export function withLocalPaths(
  config: string,
  text: string,
  repositories: readonly string[],
): Result<LocalPaths, ConfigFailure> {
  // In the failsafe schema every scalar is written as it was read: a version 0.10 or 0755 is no number.
  const document = parseDocument(text, { logLevel: 'silent', schema: 'failsafe' });
  if (document.errors.length > 0 || !isMap(document.contents)) {
    return fail(configFailure(`"${config}" is not valid YAML`, 'melange reads YAML 1.2 with a mapping at the top'));
  }
  const files: string[] = [];
  const keys = new Set<string>();
  let changed = false;
  const rewrite = (key: string, change: (line: string) => readonly string[]): void => {
    const path = ['environment', 'contents', key];
    const node: unknown = document.getIn(path, true);
    if (!isSeq(node)) return;
    const lines = node.items.map(String);
    const now = lines.flatMap(change);
    if (now.join('\n') === lines.join('\n')) return;
    document.setIn(path, now);
    changed = true;
  };
  for (const key of REPOSITORIES) rewrite(key, (line) => repositoryLines(line, repositories));
  rewrite('keyring', (line) => {
    keys.add(posix.basename(line));
    if (isRemote(line)) return [line];
    const path = inCheckout(line);
    files.push(path);
    return [path];
  });
  return ok({ text: changed ? document.toString({ lineWidth: 0 }) : text, files, keys });
}

function repositoryLines(line: string, repositories: readonly string[]): readonly string[] {
  const [, tag = '', location = ''] = /^\s*(@\S+\s+)?(\S*)\s*$/.exec(line) ?? [];
  if (isRemote(location)) return [line];
  return repositories.map((path) => `${tag.trim()} ${path}`.trim());
}
