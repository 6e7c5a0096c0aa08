/** What `slipway update` found, for whoever reviews it. */
import type { LockChange } from '../lock/update.ts';
import { clean, formatDigest } from './wording.ts';

export interface UpdateReport {
  readonly changes: readonly LockChange[];
  /** How many could not be asked. */
  readonly failed: number;
  /** Nothing was written. */
  readonly check: boolean;
  readonly stale: boolean;
}

const ORDER = ['new', 'moved', 'gone'] as const;

/** Every change with its digests and platforms, then a line that counts them. */
export function formatUpdate({ changes, failed, check, stale }: UpdateReport): string {
  const lines = ORDER.flatMap((kind) => changes.filter((change) => change.kind === kind).map(describe));
  const counts = [...ORDER, 'same' as const].map(
    (kind) => `${changes.filter((change) => change.kind === kind).length} ${kind}`,
  );
  const kept = failed === 0 ? '' : `; ${failed} could not be asked, and keep what they have`;
  const done = check
    ? stale
      ? ': the lock is out of date, nothing was written'
      : ''
    : stale
      ? ''
      : ': nothing to write';
  return `${[...lines, `${counts.join(', ')}${kept}${done}`].join('\n')}\n`;
}

function describe({ id, source, kind, from, to, platforms = [], ...change }: LockChange): string {
  const digests = [from, to].flatMap((digest) => (digest === undefined ? [] : [formatDigest(digest)])).join(' → ');
  const where = change.in === 'config' ? ' (in the config)' : '';
  const images = platforms.length === 0 ? '' : `\n      ${platforms.join(', ')}`;
  return clean(`${kind.padEnd(5)} ${source}  ${digests}${where}`) + `\n      ${clean(id)}${clean(images)}`;
}
