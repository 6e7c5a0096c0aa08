/** Why an entry ran, or did not, in its last run: read from journals, without a registry. Pure. */
import type { Change, Outcome } from '../journal/events.ts';
import type { PastRun } from '../journal/recent.ts';
import { glob } from '../plan/pattern.ts';

export interface Explained {
  readonly id: string;
  readonly destination: string;
  readonly outcome: Outcome;
  /** The run that it is about. */
  readonly run: string;
  /** Milliseconds since 1970, of the entry's end. */
  readonly at: number;
  readonly why: string;
  readonly digest: string | null;
  readonly before: string | null;
  readonly changes: readonly Change[];
  /** What was done because of it, in the order of its end; then what was skipped, in the order of the plan. */
  readonly tasks: readonly { readonly id: string; readonly state: string; readonly ms: number }[];
}

/**
 * The newest word on each entry whose id or destination matches the glob. Of an entry that a killed run did not end, an older
 * run has the last word.
 */
export function explain(runs: Iterable<PastRun>, pattern: string): readonly Explained[] {
  const matches = glob(pattern);
  const found = new Map<string, readonly Explained[]>();
  for (const run of runs) {
    for (const [id, rows] of explainRun(run, matches)) if (!found.has(id)) found.set(id, rows);
    // A name that is written out has one answer.
    const exact =
      found.get(pattern) ?? [...found.values()].find((rows) => rows.some(({ destination }) => destination === pattern));
    if (exact !== undefined) return exact;
  }
  return [...found.values()].flat();
}

function explainRun(
  { run, events }: PastRun,
  matches: (name: string) => boolean,
): ReadonlyMap<string, readonly Explained[]> {
  const chains = new Map<string, { readonly changes: readonly Change[]; readonly tasks: ReadonlySet<string> }>();
  const done = new Map<string, Explained['tasks'][number]>();
  const explained = new Map<string, readonly Explained[]>();
  for (const event of events) {
    if (event.type === 'entry.chain') {
      chains.set(event.entry, { changes: event.changes ?? [], tasks: new Set(event.tasks.map(({ id }) => id)) });
    } else if (event.type === 'task.done') {
      done.set(event.task, { id: event.task, state: event.state, ms: event.ms });
    } else if (event.type === 'entry.done') {
      const chain = chains.get(event.entry);
      const own = [...done.values()].filter(({ id }) => chain?.tasks.has(id) === true);
      const order = [...(chain?.tasks ?? [])];
      const skipped = own.filter(({ state }) => state === 'skipped');
      const tasks = [
        ...own.filter(({ state }) => state !== 'skipped'),
        ...skipped.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id)),
      ];
      const rows = event.rows.filter((row) => matches(row.id) || matches(row.destination));
      if (rows.length === 0) continue;
      explained.set(
        event.entry,
        rows.map(({ id, destination, outcome, why, digest, before }) => {
          return {
            id,
            destination,
            outcome,
            run,
            at: event.t,
            why,
            digest,
            before,
            changes: chain?.changes ?? [],
            tasks,
          };
        }),
      );
    }
  }
  return explained;
}
