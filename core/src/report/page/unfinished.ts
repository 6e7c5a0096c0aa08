/** Entries of which the journal has no end, because the run was killed, or is at them still. Pure. */
import type { Event, Outcome, Row } from '../../journal/events.ts';
import type { TimedTask } from './timeline.ts';

export type ReportOutcome = Outcome | 'unfinished';

/** Of a tag that may have been moved, `before` is what it named and `digest` what it was to name. */
export interface UnfinishedRow extends Omit<Row, 'outcome'> {
  readonly outcome: 'unfinished';
}

type Move = Extract<Event, { readonly type: 'tag.move' }>;

/** `entries`: of the run. */
export function unfinishedRows(
  entries: readonly string[],
  events: readonly Event[],
  tasks: readonly TimedTask[],
): readonly UnfinishedRow[] {
  const ended = new Set(events.flatMap((event) => (event.type === 'entry.done' ? [event.entry] : [])));
  const moves = Map.groupBy(
    events.filter((event) => event.type === 'tag.move'),
    ({ entry }) => entry,
  );
  const steps = Map.groupBy(tasks, ({ entry }) => entry);
  return [...new Set(entries)]
    .filter((id) => !ended.has(id))
    .flatMap((id) => rowsOf(id, moves.get(id) ?? [], steps.get(id) ?? []));
}

/** One for each tag that may have been moved; where none was, one for the entry. */
function rowsOf(id: string, moves: readonly Move[], tasks: readonly TimedTask[]): readonly UnfinishedRow[] {
  const row: UnfinishedRow = {
    id,
    // Only a move says where `--to` sent it: an id ends with the destination that the config has.
    destination: id.slice(id.indexOf(':') + 1),
    digest: null,
    outcome: 'unfinished',
    before: null,
    why: lastState(tasks),
    findings: null,
    signed: false,
    size: null,
    packages: null,
    seconds: tasks.reduce((sum, { ms }) => sum + ms, 0) / 1000,
  };
  if (moves.length === 0) return [row];
  // A tag that was tried again is one tag.
  const first = new Map(moves.toReversed().map((move) => [move.tag, move]));
  return [...first.values()].toReversed().map(({ tag, from, to }) => ({
    ...row,
    destination: tag,
    digest: to,
    before: from,
    why: 'its tag may have been moved',
  }));
}

function lastState(tasks: readonly TimedTask[]): string {
  const running = tasks.filter(({ state }) => state === 'running');
  if (running.length > 0) return `while at ${running.map(({ step }) => step).join(', ')}`;
  const last = tasks.findLast(({ state }) => state !== 'waiting');
  if (last === undefined) return 'with no step begun';
  return last.state === 'ok' ? `after ${last.step}` : `after ${last.step}, which ended as ${last.state}`;
}
