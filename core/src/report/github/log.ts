/**
 * The log of a run in GitHub Actions: a group for each entry with what its tools wrote, failures and warnings as annotations on
 * the line of the config that is to blame. What a failed task wrote is in no group: it is shown last, and open (see taskLogs).
 */
import { isAbsolute, relative, sep } from 'node:path';
import type { Failure, Position } from '../../failure.ts';
import type { Event, Row } from '../../journal/events.ts';
import { causeOf } from '../causes.ts';
import { headline } from '../failure.ts';
import { plainView } from '../plain.ts';
import { clean, cut, formatSeconds } from '../wording.ts';
import { annotator, oneLine, type Properties } from './annotations.ts';
import { workflowCommand } from './commands.ts';

/** Lines of an entry's group; the journal has all. */
const MAX_LINES = 2_000;
/** An annotation is read in a narrow box beside the line. */
const MAX_MESSAGE = 4_000;

export interface GithubView {
  /** Lines of the log, commands among them. */
  lines(event: Event): readonly string[];
}

export interface GithubViewOptions {
  /** The root of the checkout, absolute; files outside of it cannot be annotated. */
  readonly workspace: string;
  /** The line of the config that an entry stands on. */
  readonly placeOf: (entry: string) => Position | undefined;
}

/** What is kept of an entry, or of a package, until its group is written. */
interface Group {
  readonly lines: string[];
  dropped: number;
}

export function githubView({ workspace, placeOf }: GithubViewOptions): GithubView {
  const plain = plainView();
  /** Task → entry, or the task itself where it has none. */
  const owners = new Map<string, string>();
  const groups = new Map<string, Group>();
  const running = new Map<string, string[]>();
  const annotate = annotator();

  const groupOf = (owner: string): Group => {
    const group = groups.get(owner) ?? { lines: [], dropped: 0 };
    groups.set(owner, group);
    return group;
  };
  const add = (owner: string, lines: readonly string[]): void => {
    const group = groupOf(owner);
    const room = Math.max(0, MAX_LINES - group.lines.length);
    group.lines.push(...lines.slice(0, room));
    group.dropped += Math.max(0, lines.length - room);
  };
  const written = (owner: string, title: string): readonly string[] => {
    const { lines, dropped } = groups.get(owner) ?? { lines: [], dropped: 0 };
    groups.delete(owner);
    if (lines.length === 0) return [oneLine(title)];
    const more = dropped === 0 ? [] : [`and ${dropped} more lines, which the journal has`];
    return [workflowCommand('group', oneLine(title)), ...lines.map(oneLine), ...more, workflowCommand('endgroup', '')];
  };

  return {
    lines(event) {
      switch (event.type) {
        case 'run.start':
          for (const { id, entry } of event.tasks) owners.set(id, entry ?? id);
          return plain.lines(event).map(oneLine);
        case 'entry.chain':
          for (const { id, entry } of event.tasks) owners.set(id, entry ?? id);
          add(event.entry, plain.lines(event));
          return [];
        case 'task.start':
          running.set(event.task, []);
          // A group is written at its entry's end: till then a long task would be silence.
          return plain.lines(event).map(oneLine);
        case 'task.log': {
          const lines = running.get(event.task);
          if (lines !== undefined && lines.length < MAX_LINES) lines.push(`    | ${event.line}`);
          return [];
        }
        case 'task.retry':
          add(owners.get(event.task) ?? event.task, plain.lines(event));
          return [];
        case 'task.done': {
          const owner = owners.get(event.task) ?? event.task;
          const logged = running.get(event.task) ?? [];
          running.delete(event.task);
          const told = plain.lines(event);
          add(owner, event.state === 'failed' ? told : [...logged, ...told]);
          if (owner !== event.task) return [];
          return written(owner, `${event.state} ${event.task} (${formatSeconds(event.ms / 1000)})`);
        }
        case 'entry.done':
          return entryLines(event);
        case 'warning':
          return annotate('warning', clean(event.message), {});
        case 'run.done':
          return annotate.rest();
        case 'tag.move':
        case 'tag.delete':
        case 'tag.done':
        case 'image':
        case 'task.progress':
        case 'task.tool':
          return [];
      }
    },
  };

  function entryLines(event: Extract<Event, { readonly type: 'entry.done' }>): readonly string[] {
    const titles = plain.lines(event);
    const [title = event.entry, ...further] = titles;
    const blamed = event.rows.find(({ failure, outcome }) => failure !== undefined && isBad(outcome));
    const failure = blamed?.failure;
    return [
      ...written(event.entry, title),
      ...further.map(oneLine),
      ...(blamed === undefined || failure === undefined
        ? []
        : annotate(
            'error',
            messageOf(blamed.id, failure),
            {
              ...inWorkspace(failure.at ?? placeOf(event.entry), workspace),
              title: `${blamed.outcome} ${clean(blamed.destination)}`,
            },
            { state: blamed.outcome === 'refused' ? 'refused' : 'failed', cause: causeOf(blamed) },
          )),
    ];
  }
}

/** Of failures that stopped a command before it ran anything. */
export function failureAnnotations(failures: readonly Failure[], workspace: string): readonly string[] {
  const annotate = annotator();
  return [
    ...failures.flatMap((failure) => annotate('error', textOf(failure), inWorkspace(failure.at, workspace))),
    ...annotate.rest(),
  ];
}

function isBad(outcome: Row['outcome']): boolean {
  return outcome === 'failed' || outcome === 'refused';
}

function messageOf(id: string, failure: Failure): string {
  return cut(`${clean(id)}: ${textOf(failure)}`, MAX_MESSAGE);
}

function textOf(failure: Failure): string {
  const refusals = failure.reason === 'policy' ? failure.refusals.slice(1, 20).map((each) => `- ${each}`) : [];
  const hint = failure.hint === undefined ? [] : [`→ ${failure.hint}`];
  return cut([headline(failure), ...refusals, ...hint].map((line) => clean(line)).join('\n'), MAX_MESSAGE);
}

/** GitHub wants paths from the root of the checkout, with `/`. */
function inWorkspace(position: Position | undefined, workspace: string): Properties {
  if (position === undefined) return {};
  const file = isAbsolute(position.file) ? relative(workspace, position.file) : position.file;
  if (file === '' || isAbsolute(file) || file.split(sep)[0] === '..') return {};
  return { file: file.split(sep).join('/'), line: position.line, col: position.column };
}
