/** What skopeo's last words mean: which end said no, whether trying again can help, or what skopeo itself cannot do. */
import {
  formatPinned,
  isTlsFailure,
  isUnreachable,
  refusedCopy,
  type Failure,
  type Pinned,
  type Side,
  type ToolFailure,
} from '@slipway/core';

/** What skopeo was doing; the first that fits. */
const DOING: readonly (readonly [words: RegExp, side: Side])[] = [
  [/^(?:initializing source|determining manifest MIME type|reading (?:manifest|config blob|blob) )/, 'source'],
  [/^writing blob: .*happened during read/, 'source'],
  [/^(?:initializing destination|trying to reuse blob|writing (?:blob|manifest)|uploading manifest)\b/, 'destination'],
];

/** The registry's answers as skopeo words them. */
const ANSWERS: readonly (readonly [words: RegExp, status: number, code?: string])[] = [
  [/: manifest unknown\b/, 404, 'MANIFEST_UNKNOWN'],
  [/: name unknown\b/, 404, 'NAME_UNKNOWN'],
  [/: unauthorized\b/, 401, 'UNAUTHORIZED'],
  [/: denied\b/, 403, 'DENIED'],
  [/\btoo ?many ?requests\b/i, 429, 'TOOMANYREQUESTS'],
];

/**
 * Turns a failed `skopeo` into the registry's failure when its output tells which registry failed and how, and into a
 * refusal that names the version when the image is one that this skopeo cannot keep. Anything else stays the tool's.
 */
export function explain(failure: Failure, source: Pinned, destination: Pinned, version: string): Failure {
  if (failure.reason !== 'tool') return failure;
  const words = lastError(failure.output ?? '');
  if (words === undefined) return failure;
  const cannot = whatItCannot(failure, words, source, version);
  if (cannot !== undefined) return cannot;
  const side = DOING.find(([pattern]) => pattern.test(words))?.[1];
  if (side === undefined) return failure;
  const [, said, code] = ANSWERS.find(([pattern]) => pattern.test(words)) ?? [];
  const written = /(?:status code from registry|StatusCode:|HTTP status:) (\d{3})/.exec(words)?.[1];
  const status = written === undefined ? said : Number(written);
  const unreachable = isUnreachable(words);
  if (status === undefined && !unreachable && !isTlsFailure(words)) return failure;
  const end = side === 'source' ? source : destination;
  return refusedCopy({
    tool: 'skopeo',
    side,
    end,
    words,
    unreachable,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
  });
}

/** Images that this skopeo could only copy under another digest, or not at all. */
function whatItCannot(failure: ToolFailure, words: string, source: Pinned, version: string): Failure | undefined {
  const crane = 'let sync-crane copy (in the settings, use: { image.copy: sync-crane })';
  if (words.includes('Manifest list must be converted')) {
    return {
      ...failure,
      class: 'permanent',
      message: `skopeo ${version} cannot copy the index ${formatPinned(source)} and keep its digest: it would leave out what it does not know, as the artifactType of an entry`,
      hint: `install a newer skopeo, which keeps it (releases of 2026 do), or ${crane}`,
    };
  }
  if (words.includes('Unexpectedly received a manifest list instead of a manifest')) {
    return {
      ...failure,
      class: 'permanent',
      message: `skopeo ${version} cannot copy ${formatPinned(source)}: it is an index that holds another index`,
      hint: crane,
    };
  }
  return undefined;
}

/** The message that skopeo ends with, in its own log format; `undefined` when it did not speak. */
function lastError(output: string): string | undefined {
  const line = output.split('\n').findLast((text) => text.includes('level=fatal'));
  const quoted = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line ?? '')?.[1];
  const words = quoted?.replaceAll(/\\(.)/g, '$1') ?? /\bmsg=(\S+)/.exec(line ?? '')?.[1];
  return words?.replace(/^copying image \d+\/\d+ from manifest list: /, '').slice(0, 2000);
}
