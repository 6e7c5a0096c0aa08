/**
 * `slipway scan`: what is published is scanned again and the result attached; no tag moves. The gate comes last: an image that
 * the policy refuses now keeps its tag, and everybody can see why.
 */
import type { Planned } from './create.ts';
import type { Data, Step, Task, TaskContract } from './model.ts';
import { needsOf, out } from './out.ts';
import { taskId } from './task-id.ts';

/**
 * The plan's entries with trust `full`, each with the tasks of a scan. Entries do not wait for each other: also what is a retag of
 * another is scanned for itself, and takes nothing from there.
 */
export function planScans(planned: Planned): Planned {
  const entries = planned.plan.entries.filter(({ trust }) => trust === 'full');
  const tasks = entries.filter(({ skip }) => skip === undefined).flatMap(({ id }) => scanTasks(id));
  return {
    ...planned,
    plan: { entries: entries.map(({ retagOf: _retagOf, ...entry }) => ({ ...entry, needs: [] })), tasks },
  };
}

function scanTasks(id: string): readonly Task[] {
  const from = (step: Step, path = ''): Data => out(taskId(id, step), path);
  const image = from('resolve', 'image');
  const probed = from('resolve', 'probed');
  const steps: readonly (readonly [Step, TaskContract, Data])[] = [
    ['probe', 'core.probe@1', {}],
    ['resolve', 'core.resolve@1', { probed: from('probe'), inPlace: true }],
    ['scan', 'image.scan@1', { image }],
    ['sign', 'statement.sign@1', { probed, image, scan: from('scan') }],
    ['attach', 'core.attach@1', { image, sign: from('sign') }],
    ['gate', 'core.gate@1', { probed, image, scan: from('scan'), attached: from('attach', 'attached') }],
  ];
  return steps.map(([step, contract, input]) => ({
    id: taskId(id, step),
    contract,
    entry: id,
    input,
    needs: needsOf(input),
  }));
}
