/**
 * The rules of order: no public tag before trust. Checked on the plan as it stands, by what each tag step waits for, so
 * that no mistake in making plans can move a tag early.
 */
import { configFailure, type ConfigFailure } from '../failure.ts';
import type { Plan, PlannedEntry, Task, TaskContract } from './model.ts';

/** Contracts in an order that must hold between every two neighbours. */
type Rule = readonly [before: TaskContract, after: TaskContract];

const FULL: readonly Rule[] = [
  ['core.probe@1', 'core.resolve@1'],
  ['core.resolve@1', 'image.scan@1'],
  ['image.scan@1', 'core.gate@1'],
  ['core.resolve@1', 'sbom.make@1'],
  ['sbom.make@1', 'statement.sign@1'],
  ['core.gate@1', 'statement.sign@1'],
  ['statement.sign@1', 'core.attach@1'],
  ['core.attach@1', 'core.verify@1'],
  ['core.verify@1', 'core.tag@1'],
];

const RETAG: readonly Rule[] = [
  ['core.probe@1', 'core.resolve@1'],
  ['core.resolve@1', 'core.gate@1'],
  ['core.gate@1', 'core.verify@1'],
  ['core.verify@1', 'core.tag@1'],
];

/** A retag that copies takes the attachments along before it is verified. */
const RETAG_ELSEWHERE: readonly Rule[] = [
  ...RETAG,
  ['image.copy@1', 'core.gate@1'],
  ['core.gate@1', 'core.attach@1'],
  ['core.attach@1', 'core.verify@1'],
];

/** Scratch destinations only: `--to` never uses the production key. */
const UNSIGNED: readonly Rule[] = [
  ['core.probe@1', 'core.resolve@1'],
  ['core.resolve@1', 'image.scan@1'],
  ['image.scan@1', 'core.gate@1'],
  ['core.gate@1', 'core.tag@1'],
];

const MIRROR: readonly Rule[] = [
  ['core.probe@1', 'core.resolve@1'],
  ['core.resolve@1', 'core.tag@1'],
];

/** Every step of an entry that is broken in it. A failure is a mistake of Slipway's or of whoever edited the plan. */
export function checkOrder(plan: Plan): readonly ConfigFailure[] {
  const tasksOf = Map.groupBy(plan.tasks, (task) => task.entry);
  return plan.entries
    .filter((entry) => entry.skip === undefined)
    .flatMap((entry) => brokenRules(entry, tasksOf.get(entry.id) ?? []));
}

function brokenRules(entry: PlannedEntry, tasks: readonly Task[]): readonly ConfigFailure[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const failures: ConfigFailure[] = [];
  for (const [before, after] of rulesFor(entry, tasks)) {
    const later = tasks.filter((task) => task.contract === after);
    if (later.length === 0) failures.push(broken(entry, `has no step ${after}`));
    for (const task of later) {
      if (!waitsFor(task, before, byId)) failures.push(broken(entry, `can reach ${after} without ${before}`));
    }
  }
  return failures;
}

function rulesFor(entry: PlannedEntry, tasks: readonly Task[]): readonly Rule[] {
  const { admits } = entry;
  if (admits === undefined) return rulesOfTrust(entry, tasks);
  const admitted: readonly Rule[] = [
    ['core.resolve@1', admits],
    [admits, 'core.tag@1'],
  ];
  const copied: readonly Rule[] = copies(tasks) ? [[admits, 'image.copy@1']] : [];
  return [...rulesOfTrust(entry, tasks), ...admitted, ...copied];
}

function rulesOfTrust(entry: PlannedEntry, tasks: readonly Task[]): readonly Rule[] {
  if (entry.trust === 'copy') return MIRROR;
  if (entry.unsigned === true) return UNSIGNED;
  if (entry.retagOf === undefined) return FULL;
  return copies(tasks) ? RETAG_ELSEWHERE : RETAG;
}

/** Not where the image is in its repository already. */
function copies(tasks: readonly Task[]): boolean {
  return tasks.some((task) => task.contract === 'image.copy@1');
}

/** Whether a step of the same entry with this contract must have ended before `task` starts. */
function waitsFor(task: Task, contract: TaskContract, byId: ReadonlyMap<string, Task>): boolean {
  const seen = new Set(task.needs);
  for (const id of seen) {
    const need = byId.get(id);
    if (need === undefined) continue;
    if (need.contract === contract) return true;
    for (const further of need.needs) seen.add(further);
  }
  return false;
}

function broken(entry: PlannedEntry, what: string): ConfigFailure {
  return configFailure(
    `the plan of "${entry.id}" (${entry.at}) ${what}`,
    'this is a mistake in Slipway, not in the config: please report it',
  );
}
