/** The plan as a listing for people, and as data for other programs. */
import type { Select, Selection } from '../config/model.ts';
import { relativePosition } from '../config/format.ts';
import { formatRepository } from '../reference.ts';
import { counted } from '../report/wording.ts';
import { describeSelect } from '../selection/names.ts';
import { isTogether, printable } from './draw.ts';
import type { Data, Plan, PlannedEntry, Task } from './model.ts';
import { shortTaskName } from './task-id.ts';

/** A selection that is not expanded: its entries are not in the plan. */
export interface PlannedSelection {
  readonly id: string;
  /** A repository. */
  readonly source: string;
  /** With `{tag}` in it, after `--to`. */
  readonly destination: string;
  /** `config.yaml:12:5`. */
  readonly at: string;
  readonly select: Select;
}

/** The part of the `--json` envelope that `plan` adds. */
export function planJson(
  plan: Plan,
  selections: readonly Selection[],
  folder: string,
): {
  readonly entries: readonly PlannedEntry[];
  readonly selections: readonly PlannedSelection[];
  readonly tasks: readonly Omit<Task, 'input'>[];
} {
  return {
    entries: plan.entries,
    selections: selections.map(({ id, source, destination, at, select }) => ({
      id,
      source: formatRepository(source),
      destination,
      at: relativePosition(at, folder),
      select,
    })),
    tasks: plan.tasks.map(({ id, contract, entry, needs }) => ({ id, contract, entry, needs })),
  };
}

/**
 * A listing: packages, builds and syncs, each with where it comes from and what is done, in one or two lines. Selections that
 * are not expanded come last.
 */
export function formatPlanText(plan: Plan, selections: readonly Selection[] = []): string {
  const tasksOf = Map.groupBy(plan.tasks, (task) => task.entry);
  const groups: string[] = [];
  const packages = (tasksOf.get(null) ?? []).filter(({ contract }) => contract === 'package.build@1');
  if (packages.length > 0) groups.push([`packages (${packages.length})`, ...packages.map(packageLine)].join('\n'));
  for (const kind of ['build', 'sync'] as const) {
    const entries = plan.entries.filter((entry) => entry.kind === kind);
    if (entries.length === 0) continue;
    groups.push(
      [`${kind} (${entries.length})`, ...entries.map((entry) => entryLines(entry, tasksOf.get(entry.id) ?? []))].join(
        '\n',
      ),
    );
  }
  if (selections.length > 0) {
    groups.push(
      [`selections (${selections.length}), whose tags the run looks up`, ...selections.map(selectionLines)].join('\n'),
    );
  }
  const unknown = selections.length === 0 ? '' : ` and ${counted(selections.length, 'selection', 'selections')}`;
  const total = `${counted(plan.entries.length, 'entry', 'entries')}${unknown}, ${counted(plan.tasks.length, 'task', 'tasks')}`;
  const together = plan.tasks.some(isTogether);
  return `${[...groups, together ? `${total}; no tag moves before every image has passed` : total].join('\n\n')}\n`;
}

function selectionLines({ destination, source, select }: Selection): string {
  return [`  ${destination} ← ${formatRepository(source)}`, `    ${describeSelect(select)}`].map(printable).join('\n');
}

function packageLine(task: Task): string {
  const others = task.needs.map((id) => shortTaskName({ id, entry: null }));
  const needs = others.length === 0 ? '' : `, after ${others.join(', ')}`;
  return printable(`  ${shortTaskName(task)} for ${architectures(task.input)}${needs}`);
}

function architectures(input: Data): string {
  if (input === null || typeof input !== 'object' || !('architectures' in input)) return '';
  return Array.isArray(input.architectures) ? input.architectures.join(', ') : '';
}

function entryLines(entry: PlannedEntry, tasks: readonly Task[]): string {
  const about = [
    ...(entry.mode === undefined ? [] : [entry.mode]),
    ...(entry.retagOf === undefined ? [] : [`retag of ${entry.retagOf}`]),
    ...(entry.trust === 'copy' ? ['trust: copy, neither scanned nor signed'] : []),
    ...(entry.unsigned === true ? ['not signed'] : []),
    // A retag says so already.
    ...(entry.kind === 'sync' || entry.needs.length === 0 ? [] : [`after ${entry.needs.join(', ')}`]),
  ];
  const what = entry.skip === undefined ? tasks.map(shortTaskName).join(' → ') : `skipped: ${entry.skip}`;
  const further = entry.targets
    .slice(1)
    .map((target) => `, ${target}`)
    .join('');
  const note = about.length === 0 ? '' : ` (${about.join('; ')})`;
  return [`  ${entry.destination}${further} ← ${entry.source}${note}`, `    ${what}`].map(printable).join('\n');
}
