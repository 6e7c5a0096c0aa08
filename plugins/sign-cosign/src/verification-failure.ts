/** What cosign's last words mean when it did not verify an image: nobody who may has signed it, or it could not be asked. */
import { isUnreachable, refusedCopy, registryAnswer, type Failure, type Pinned } from '@slipway/core';

/** Nothing was found, or what was found is another's. */
const UNTRUSTED =
  /no signatures found|no matching (?:signatures|attestations)|no bundles? found|failed to verify|invalid signature|none of the (?:expected )?identities|expected identit|certificate identity/i;

export function explainVerification(failure: Failure, image: Pinned): Failure {
  if (failure.reason !== 'tool') return failure;
  const words = lastWords(failure.output ?? '');
  const answer = registryAnswer(words);
  const unreachable = isUnreachable(words);
  if (unreachable || answer.status !== undefined || words.includes('x509: certificate signed by unknown')) {
    return refusedCopy({ tool: 'cosign', side: 'source', end: image, words, unreachable, ...answer });
  }
  if (!UNTRUSTED.test(words)) return failure;
  return {
    reason: 'trust',
    class: 'permanent',
    message: words,
    hint: '"verify" of the entry says who must have signed it',
  };
}

/** Cosign says an error twice, the second time with what it was about to do. */
function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => /^error/i.test(line));
  return (lines.at(-1) ?? output.trim().split('\n').at(-1) ?? '').replace(
    /^error(?: during command execution)?: /i,
    '',
  );
}
