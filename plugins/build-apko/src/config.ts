/**
 * What Slipway reads of an apko configuration: what it takes in from outside. apko itself checks the rest.
 * https://github.com/chainguard-dev/apko/blob/main/docs/apko_file.md
 */
import {
  parseArchitecture,
  configFailure,
  fail,
  holdsLogin,
  isRemote,
  ok,
  type ConfigFailure,
  type Platform,
  type Position,
  type Result,
} from '@slipway/core';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';

/** A repository line, as `@edge https://…/edge/main`. */
export interface Repository {
  readonly tag?: string;
  /** An `http(s)` URL or a path. */
  readonly location: string;
  readonly remote: boolean;
}

export interface ApkoConfig {
  readonly document: Document;
  readonly include?: string;
  readonly keyring: readonly string[];
  /** Everything packages may come from. */
  readonly repositories: readonly Repository[];
  /** Names only: `hello@local=1.2-r0` → `hello`. */
  readonly packages: readonly string[];
  readonly platforms: readonly Platform[];
  readonly baseImage?: { readonly image?: string; readonly apkIndex?: string };
  /** Where a value of the document stands, for messages. */
  at(path: readonly (string | number)[]): Position;
}

export const REPOSITORY_KEYS = ['repositories', 'build_repositories'] as const;

/** `file` is only named in failures. */
export function parseConfig(text: string, file: string): Result<ApkoConfig, ConfigFailure> {
  const lines = new LineCounter();
  // In the failsafe schema every scalar is text and is written as it was read: "0755" is octal to apko, and 755 to YAML 1.2.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'failsafe' });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const at = (path: readonly (string | number)[]): Position => {
    const node: unknown = document.getIn(path, true);
    return position(isScalar(node) || isMap(node) || isSeq(node) ? (node.range?.[0] ?? 0) : 0);
  };
  const broken = document.errors[0];
  if (broken !== undefined)
    return fail(configFailure(`${file} is not valid YAML: ${broken.message}`, undefined, position(broken.pos[0])));
  if (!isMap(document.contents)) {
    return fail(
      configFailure(`${file} is not an apko configuration`, 'its top level is a mapping with "contents:"', position(0)),
    );
  }
  const wrong = (path: readonly (string | number)[], what: string): ConfigFailure =>
    configFailure(`${path.join('.')} of ${file} ${what}`, undefined, at(path));

  const strings = (path: readonly string[]): Result<readonly string[], ConfigFailure> => {
    const node: unknown = document.getIn(path, true);
    if (node === undefined || isNull(node)) return ok([]);
    if (!isSeq(node)) return fail(wrong(path, 'is not a list'));
    const values: string[] = [];
    for (const [index, item] of node.items.entries()) {
      if (!isScalar(item) || isNull(item) || typeof item.value !== 'string') {
        return fail(wrong([...path, index], 'is not a text'));
      }
      values.push(item.value);
    }
    return ok(values);
  };
  const string = (path: readonly string[]): string | undefined => {
    const node: unknown = document.getIn(path, true);
    return isScalar(node) && typeof node.value === 'string' && node.value !== '' && !isNull(node)
      ? node.value
      : undefined;
  };

  const keyring = strings(['contents', 'keyring']);
  if (!keyring.ok) return keyring;
  const named = keyring.value.findIndex(holdsLogin);
  if (named >= 0) return fail(wrong(['contents', 'keyring', named], HOLDS_LOGIN));
  const packages = strings(['contents', 'packages']);
  if (!packages.ok) return packages;
  const repositories: Repository[] = [];
  for (const key of REPOSITORY_KEYS) {
    const found = strings(['contents', key]);
    if (!found.ok) return found;
    for (const [index, line] of found.value.entries()) {
      const parsed = parseRepositoryLine(line);
      if (parsed === undefined) return fail(wrong(['contents', key, index], 'is neither "URL" nor "@tag URL"'));
      if (holdsLogin(parsed.location)) return fail(wrong(['contents', key, index], HOLDS_LOGIN));
      repositories.push(parsed);
    }
  }
  const runtime = strings(['contents', 'runtime_repositories']);
  if (!runtime.ok) return runtime;
  const shown = runtime.value.findIndex((line) => holdsLogin(parseRepositoryLine(line)?.location ?? line));
  if (shown >= 0) return fail(wrong(['contents', 'runtime_repositories', shown], HOLDS_LOGIN));
  const archs = strings(['archs']);
  if (!archs.ok) return archs;
  const platforms: Platform[] = [];
  for (const [index, name] of archs.value.entries()) {
    const platform = parseArchitecture(name);
    if (platform === undefined) return fail(wrong(['archs', index], `names the unknown architecture "${name}"`));
    platforms.push(platform);
  }
  const include = string(['include']);
  const image = string(['contents', 'baseimage', 'image']);
  const apkIndex = string(['contents', 'baseimage', 'apkindex']);
  return ok({
    document,
    ...(include === undefined ? {} : { include }),
    keyring: keyring.value,
    repositories,
    packages: packages.value.map(packageName),
    platforms,
    ...(image === undefined && apkIndex === undefined
      ? {}
      : { baseImage: { ...(image === undefined ? {} : { image }), ...(apkIndex === undefined ? {} : { apkIndex }) } }),
    at,
  });
}

/** What YAML means by an empty value, `~` and `null`, which the failsafe schema does not know. */
function isNull(node: unknown): boolean {
  return isScalar(node) && node.type === 'PLAIN' && /^(?:~|null|Null|NULL)?$/.test(String(node.value));
}

/** `@tag LOCATION` or `LOCATION`; `undefined` when it is neither. */
export function parseRepositoryLine(line: string): Repository | undefined {
  const parts = line.trim().split(/\s+/);
  const tagged = parts[0]?.startsWith('@') === true;
  const location = (tagged ? parts[1] : parts[0])?.replace(/\/+$/, '');
  if (location === undefined || location === '' || parts.length !== (tagged ? 2 : 1)) return undefined;
  const tag = tagged ? parts[0]?.slice(1) : undefined;
  return { ...(tag === undefined ? {} : { tag }), location, remote: isRemote(location) };
}

const HOLDS_LOGIN = 'holds a name or a password, which would be published with the image: write the address without it';

/** A package line may ask for a repository and a version: https://wiki.alpinelinux.org/wiki/Alpine_Package_Keeper */
function packageName(line: string): string {
  return /^[^@=<>~\s]*/.exec(line.trim())?.[0] ?? line;
}
