/** The plan as a picture: the texts that mermaid and Graphviz draw one from. */
import { counted } from '../report/wording.ts';
import type { Plan, PlannedEntry, Task } from './model.ts';
import { shortTaskName } from './task-id.ts';

/** A graph with one box per entry, its tasks in it, and arrows from a task to what needs it. */
export function formatPlan(plan: Plan, format: 'mermaid' | 'dot'): string {
  return format === 'mermaid' ? mermaid(plan) : dot(plan);
}

/** Mermaid, as GitHub and most others set it, draws no text longer and no graph with more edges. */
export const MERMAID = { text: 50_000, edges: 500 } as const;

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

export function isTogether({ contract }: Task): boolean {
  return contract === 'core.together@1';
}

/** Paths may hold control characters, which would command the reader's terminal or end a line. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
}
