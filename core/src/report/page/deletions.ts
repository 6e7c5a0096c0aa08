/** Tags that the run deleted, or was to: what they named, and how each is put back. Pure. */
import { isRunId } from '../../journal/run-id.ts';
import type { Deletion } from '../../journal/state.ts';
import { parseLocation } from '../../location.ts';
import { parseDigest } from '../../reference.ts';
import { quote } from '../cosign.ts';
import { headline } from '../failure.ts';
import { sameAs, type Command, type Ran } from './commands.ts';
import { markup, nothing, type Html } from './html.ts';
import { imageName, skip } from './parts.ts';

export interface ReportDeletion extends Deletion {
  readonly commands: readonly Command[];
}

export function deletionsFor(deletions: Iterable<Deletion>): readonly ReportDeletion[] {
  return [...deletions].map((deletion) => ({ ...deletion, commands: commandsOf(deletion) }));
}

/** Of a tag that was not touched there is nothing to put back; a journal of somebody else's may have what is no tag. */
function commandsOf({ tag, digest, state, asked }: Deletion): readonly Command[] {
  const colon = tag.lastIndexOf(':');
  if (!parseLocation(tag).ok || parseDigest(digest) === undefined) return [];
  const pinned = `${tag.slice(0, colon)}@${digest}`;
  const back = `crane tag ${quote(pinned)} ${quote(tag.slice(colon + 1))}`;
  return [
    ...(state === 'deleted' ? [] : [{ what: 'Look at what the tag names now', command: `slipway show ${quote(tag)}` }]),
    ...(asked ? [{ what: 'Put this tag back, if its image is still there', command: back }] : []),
  ];
}

export function restoreOf({ run, asked }: Ran): Command {
  return {
    what: 'Put back every tag that this run deleted, if its image is still there and verifies',
    command: `slipway rollback ${quote(run)}${sameAs(asked)}`,
  };
}

/** Whether that may put anything back. */
export function canRestore(run: string, deletions: readonly ReportDeletion[]): boolean {
  return isRunId(run) && deletions.some(({ asked }) => asked);
}

const WORDS = { deleted: 'deleted', failed: 'not deleted', unfinished: 'may be gone' } as const;
const CLASSES = { deleted: 'ok', failed: 'failed', unfinished: 'unfinished' } as const;
const STATES = ['unfinished', 'failed', 'deleted'] as const;

/** `1 may be gone, 2 deleted`: what has to be looked at first. */
export function deletionCounts(deletions: readonly ReportDeletion[]): string {
  return STATES.flatMap((state) => {
    const count = deletions.filter((one) => one.state === state).length;
    return count === 0 ? [] : [`${count} ${WORDS[state]}`];
  }).join(', ');
}

export function deletionList(deletions: readonly ReportDeletion[]): Html {
  if (deletions.length === 0) return nothing;
  const ordered = deletions.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
  return markup`<section aria-labelledby="deletions-heading">
    <h2 id="deletions-heading">Deleted tags</h2>
    ${skip('images', 'the images')}
    <p>Images stay in the registry until it removes what no tag names.</p>
    <ul>${ordered.map(item)}</ul>
  </section>`;
}

function item({ tag, digest, state, failure, commands }: ReportDeletion): Html {
  return markup`<li>
    <p><span class="state ${CLASSES[state]}">${WORDS[state]}</span> ${imageName(tag)} named <span class="mono">${digest}</span></p>
    ${failure === undefined ? nothing : markup`<p>${headline(failure)}</p>`}
    ${failure?.hint === undefined ? nothing : markup`<p>→ ${failure.hint}</p>`}
    ${commands.map(({ what, command }) => markup`<p class="faint">${what}</p><pre>${command}</pre>`)}
  </li>`;
}
