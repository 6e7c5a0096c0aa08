/** The plan for people and for other programs. */
import type { Select, Selection } from '../config/model.ts';
import { relativePosition } from '../config/format.ts';
import { formatRepository } from '../reference.ts';
import { describeSelect } from '../selection/names.ts';
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

/** A graph with one box per entry, its tasks in it, and arrows from a task to what needs it. */
export function formatPlan(plan: Plan, format: 'mermaid' | 'dot'): string {
  return format === 'mermaid' ? mermaid(plan) : dot(plan);
}

/** Mermaid, as GitHub and most others set it, draws no text longer and no graph with more edges. */
const MERMAID = { text: 50_000, edges: 500 } as const;

/** All tasks; where those are more than is drawn, all entries; at last the entries that others need or that need others. */
function mermaid(plan: Plan): string {
  const edges = plan.tasks.reduce((sum, { needs }) => sum + needs.length, 0);
  const whole = edges > MERMAID.edges ? undefined : mermaidTasks(plan);
  if (whole !== undefined && whole.length <= MERMAID.text) return whole;
  const entries = mermaidEntries(plan, plan.entries);
  if (entries.length <= MERMAID.text) return entries;
  const linked = new Set(plan.entries.flatMap(({ id, needs }) => (needs.length === 0 ? [] : [id, ...needs])));
  return mermaidEntries(
    plan,
    plan.entries.filter(({ id }) => linked.has(id)),
  );
}

/** https://mermaid.js.org/syntax/flowchart.html; ids are numbers, because names may hold anything. */
function mermaidTasks(plan: Plan): string {
  const ids = taskIds(plan);
  const lines = ['flowchart LR'];
  for (const { label, note, tasks, number } of boxes(plan)) {
    lines.push(`  subgraph e${number}[${mermaidLabel(label)}]`);
    for (const task of tasks) lines.push(`    ${ids.get(task.id)}[${mermaidLabel(shortTaskName(task))}]`);
    if (note !== undefined) lines.push(`    n${number}[${mermaidLabel(note)}]`);
    lines.push('  end');
  }
  for (const task of plan.tasks)
    for (const need of task.needs) lines.push(`  ${ids.get(need)} --> ${ids.get(task.id)}`);
  return `${lines.join('\n')}\n`;
}

function mermaidEntries({ entries, tasks }: Plan, shown: readonly PlannedEntry[]): string {
  const ids = new Map(shown.map(({ id }, number) => [id, `e${number}`]));
  const alone = entries.length - shown.length;
  const lines = [
    'flowchart LR',
    `  %% ${counted(tasks.length, 'task is', 'tasks are')} more than mermaid draws; --format dot has them all`,
    ...shown.map(({ id }) => `  ${ids.get(id)}[${mermaidLabel(id)}]`),
    ...(alone === 0 ? [] : [`  alone[${mermaidLabel(`${counted(alone, 'entry', 'entries')} without others`)}]`]),
  ];
  for (const { id, needs } of shown)
    for (const need of needs) if (ids.has(need)) lines.push(`  ${ids.get(need)} --> ${ids.get(id)}`);
  return `${lines.join('\n')}\n`;
}

function mermaidLabel(text: string): string {
  return `"${printable(text).replace(/[#"<>`&;]/g, (sign) => `#${sign.charCodeAt(0)};`)}"`;
}

/** https://graphviz.org/doc/info/lang.html */
function dot(plan: Plan): string {
  const ids = taskIds(plan);
  const quote = (text: string): string => `"${printable(text).replace(/[\\"]/g, '\\$&')}"`;
  const lines = ['digraph slipway {', '  rankdir=LR;', '  node [shape=box];'];
  for (const { label, note, tasks, number } of boxes(plan)) {
    lines.push(`  subgraph cluster_${number} {`, `    label=${quote(label)};`);
    for (const task of tasks) lines.push(`    ${ids.get(task.id)} [label=${quote(shortTaskName(task))}];`);
    if (note !== undefined) lines.push(`    n${number} [label=${quote(note)}, shape=note];`);
    lines.push('  }');
  }
  for (const task of plan.tasks)
    for (const need of task.needs) lines.push(`  ${ids.get(need)} -> ${ids.get(task.id)};`);
  return `${[...lines, '}'].join('\n')}\n`;
}

interface Box {
  readonly number: number;
  readonly label: string;
  readonly tasks: readonly Task[];
  readonly note?: string;
}

function boxes(plan: Plan): readonly Box[] {
  const tasksOf = Map.groupBy(plan.tasks, (task) => task.entry);
  const shared = tasksOf.get(null) ?? [];
  const entries = plan.entries.map((entry, number) => ({
    number,
    label: entry.id,
    tasks: tasksOf.get(entry.id) ?? [],
    ...(entry.skip === undefined ? {} : { note: `skipped: ${entry.skip}` }),
  }));
  return shared.length === 0
    ? entries
    : [
        { number: plan.entries.length, label: shared.some(isTogether) ? 'shared' : 'packages', tasks: shared },
        ...entries,
      ];
}

function taskIds(plan: Plan): ReadonlyMap<string, string> {
  return new Map(plan.tasks.map((task, index) => [task.id, `t${index}`]));
}

function isTogether({ contract }: Task): boolean {
  return contract === 'core.together@1';
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

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Paths may hold control characters, which would command the reader's terminal or end a line. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
}
