/** Whether the workflows that are written may sign what they publish. */
import { matchesIdentity, type EmitInput } from '@slipway/core';

/** Vouches for every workflow that signs without a key. */
const ISSUER = 'https://token.actions.githubusercontent.com';

/**
 * A workflow signs as its own file. If the settings accept only files that are written out, and one of `workflows` is not among them,
 * each of its runs would fail at the very end, after everything was built and scanned. Patterns are not judged: no setting names the
 * repository, so what they match is not known here.
 */
export function unacceptedSigner({ plan, context }: EmitInput, workflows: readonly string[]): string | undefined {
  const { main, production } = context;
  if (!production.keyless || plan.entries.every(({ trust }) => trust === 'copy')) return undefined;
  const accepted = (production.identities ?? []).filter(({ issuer }) => matchesIdentity(issuer, ISSUER));
  const subjects = accepted.flatMap(({ subject }) => ('exact' in subject ? [subject.exact] : []));
  if (subjects.length === 0 || subjects.length < accepted.length) return undefined;
  const unaccepted = workflows.find(
    (name) => !subjects.some((subject) => subject.endsWith(`/.github/workflows/${name}.yml@refs/heads/${main}`)),
  );
  if (unaccepted === undefined) return undefined;
  const pattern = `/\\.github/workflows/(${workflows.join('|')})\\.yml@refs/heads/${main}`;
  return `${unaccepted}.yml signs as itself, and signing accepts ${subjects.join(' and ')} alone, so that its runs would fail: name all of these workflows by a subjectPattern that ends in ${pattern}`;
}
