/** What `prune` found, or did, for people. Pure: data in, text out. */
import type { Pruned, PrunedTag } from '../prune/prune.ts';
import { headline } from './failure.ts';
import { noPaint, type Paint } from './table.ts';
import { clean } from './wording.ts';

export function formatPruned({ run, tags, closed, refused }: Pruned, paint: Paint = noPaint): string {
  const lines = tags.map((tag) => `${line(tag, paint)}\n`);
  const left = closed.map(
    ({ repository, why }) => `${paint('skipped', 'left')}     ${clean(`${repository}: ${why}`)}\n`,
  );
  const deleted = tags.filter(({ state }) => state === 'deleted').length;
  const count =
    tags.length === 0 ? 'no tag may go' : run !== undefined ? `${deleted} of ${tags.length} deleted` : listed(tags);
  const why = refused === undefined ? '' : `--delete would refuse: ${clean(refused.message)}\n`;
  // Interrupted, or not answered: what was asked for may have been done.
  const mayBeGone = ({ state, failure }: PrunedTag): boolean =>
    state === 'deleted' || (failure !== undefined && failure.class !== 'permanent');
  const back =
    run === undefined || !tags.some(mayBeGone)
      ? ''
      : `slipway rollback ${run} puts back what was deleted, if its image is still there and verifies\n`;
  return `${lines.join('')}${left.join('')}${count}\n${why}${back}`;
}

function line({ destination, digest, state, why, failure }: PrunedTag, paint: Paint): string {
  const text = clean(`${destination} ${digest}: ${failure === undefined ? why : headline(failure)}`);
  switch (state) {
    case 'failed':
      return `${paint('failed', 'FAIL')}     ${text}`;
    case 'deleted':
      return `${paint('ok', 'deleted')}  ${text}`;
    case 'listed':
      return `${paint('run', 'may go')}   ${text}`;
  }
}

function listed(tags: readonly PrunedTag[]): string {
  return `${tags.length} ${tags.length === 1 ? 'tag' : 'tags'} may go; --delete deletes them`;
}
