/** What crane's last words mean: which end said no, and whether trying again can help. */
import { formatPinned, isTlsFailure, isUnreachable, refusedCopy, registryAnswer } from '@slipway/core';
import type { Failure, Pinned, Side } from '@slipway/core';

/** Crane checks what it reads, also while it writes it onwards: then its words name the destination's address. */
const WRONG_BYTES = /error verifying \w+ (?:checksum|size)|does not match requested digest/;
/** Go says so of the body that is being sent, which is the source's; the destination's own end is a `write` error. */
const BROKEN_OFF = /readfrom tcp \S+: unexpected EOF/;

/**
 * Turns a failed `crane` into the registry's failure when its output tells which registry failed and how; anything else
 * stays the tool's.
 */
export function explain(failure: Failure, source: Pinned, destination: Pinned): Failure {
  if (failure.reason !== 'tool') return failure;
  const words = lastError(failure.output ?? '');
  if (words === undefined) return failure;
  if (WRONG_BYTES.test(words)) return lied(words, source);
  const side = BROKEN_OFF.test(words) ? 'source' : sideOf(words, source, destination);
  if (side === undefined) return failure;
  const end = side === 'source' ? source : destination;
  const answer = registryAnswer(words);
  const unreachable = isUnreachable(words);
  if (answer.status === undefined && !unreachable && !isTlsFailure(words)) return failure;
  return refusedCopy({ tool: 'crane', side, end, words, unreachable, ...answer });
}

function lied(words: string, source: Pinned): Failure {
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'source',
    host: source.registry,
    message: `${source.registry} sent wrong bytes for ${formatPinned(source)}: ${words}`,
    hint: 'the registry, a mirror or a proxy on the way is broken or tampered with; nothing of it was used',
  };
}

/** The line that crane ends with, without its prefix; `undefined` when it did not speak. */
function lastError(output: string): string | undefined {
  const line = output.split('\n').findLast((text) => text.startsWith('Error: '));
  return line?.slice('Error: '.length, 'Error: '.length + 2000);
}

/** Crane prefixes what it could not read; a write is told by the URL, or by the scope of the token that was refused. */
function sideOf(words: string, source: Pinned, destination: Pinned): Side | undefined {
  if (words.startsWith('fetching ') || words.startsWith('pulling ')) return 'source';
  const url = /https?:\/\/[^\s"]+/.exec(words)?.[0];
  if (url === undefined) return undefined;
  if (/scope=[^\s&"]*push/.test(url)) return 'destination';
  const names = (end: Pinned): boolean =>
    url.includes(`/v2/${end.path}/`) || url.includes(encodeURIComponent(end.path));
  if (names(destination)) return 'destination';
  if (names(source)) return 'source';
  const host = URL.parse(url)?.host;
  if (host === destination.registry) return 'destination';
  return host === source.registry ? 'source' : undefined;
}
