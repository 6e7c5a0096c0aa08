import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Entry } from '../config/model.ts';
import { findCycle, order, planGraph } from './graph.ts';
import type { Plan, Task } from './model.ts';
import { needsOf } from './out.ts';
import { checkOrder } from './rules.ts';
import { build, planOf, planned, settings, sync } from './sample.ts';

const trust = [{ match: '**/mirror*', level: 'copy' }] as const;

/** The plan without a task: what needed it needs what it needed. */
function without(plan: Plan, gone: Task): Plan {
  const tasks = plan.tasks
    .filter((task) => task !== gone)
    .map((task) =>
      task.needs.includes(gone.id)
        ? { ...task, needs: [...new Set([...task.needs.filter((need) => need !== gone.id), ...gone.needs])] }
        : task,
    );
  return { ...plan, tasks };
}

function isGuard({ contract }: Task): boolean {
  return /^(core\.(probe|resolve|gate|attach|verify)|image\.scan|sbom\.make|statement\.sign)@1$/.test(contract);
}

it('fails once any guard is gone, or is no longer waited for', async () => {
  const files = { Dockerfile: 'FROM alpine' };
  const entries = [
    build('Dockerfile', 'r.example/app:1'),
    sync('alpine', 'r.example/alpine:1'),
    sync('r.example/app:1', 'r.example/app:2'),
    sync('r.example/app:1', 'r.example/far:1'),
    sync('alpine', 'r.example/mirror:1'),
  ];
  const { plan } = await planned(entries, files, { settings: settings(trust) });
  expect(checkOrder(plan)).toEqual([]);
  const guards = plan.tasks.filter((task) => isGuard(task));
  expect(guards).toHaveLength(8 + 8 + 4 + 5 + 2);
  for (const guard of guards.filter((task) => !task.id.startsWith('sync:r.example/mirror:1#resolve'))) {
    expect(checkOrder(without(plan, guard)), guard.id).not.toEqual([]);
  }
  for (const [after, before] of [
    ['#tag', '#verify'],
    ['#verify', '#attach'],
    ['#sign', '#gate'],
    ['#gate', '#scan'],
  ]) {
    const cut = plan.tasks.map((task) =>
      task.id === `build:r.example/app:1${after}`
        ? { ...task, needs: task.needs.filter((need) => !need.endsWith(before ?? '')) }
        : task,
    );
    expect(checkOrder({ ...plan, tasks: cut }), `${after} without ${before}`).not.toEqual([]);
  }
});

it.each([
  { accept: [{ kind: 'key', publicKey: 'PEM', fingerprint: 'a' }] as const, contract: 'image.verify@1' },
  { accept: [], minAge: 1, contract: 'core.admit@1' },
])('looks at a source with $contract before any of it is copied', async ({ contract, ...verify }) => {
  for (const to of ['r.example/alpine:1', 'r.example/mirror:1']) {
    const entry: Entry = { ...sync('alpine', to), kind: 'sync', verify };
    const { plan } = await planned([entry], {}, { settings: settings(trust) });
    expect(plan.entries[0]?.admits).toBe(contract);
    expect(checkOrder(plan)).toEqual([]);
    const admit = plan.tasks.find((task) => task.contract === contract);
    if (admit === undefined) throw new Error('nothing looks at the source');
    expect(checkOrder(without(plan, admit))).not.toEqual([]);
    const early = plan.tasks.map((task) =>
      task.contract === 'image.copy@1' ? { ...task, needs: [`sync:${to}#resolve`] } : task,
    );
    expect(checkOrder({ ...plan, tasks: early })).not.toEqual([]);
  }
});

/** Entry `n` takes from an entry or a stranger: any shape of plan, cycles included. */
const anyEntries = fc
  .array(
    fc.record({
      kind: fc.constantFrom('sync', 'build'),
      takes: fc.array(fc.nat(11), { maxLength: 3 }),
      repository: fc.constantFrom('app', 'other', 'mirror'),
      pinned: fc.boolean(),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((drafts) => {
    const names = drafts.map((draft, index) => `r.example/${draft.repository}:t${index}`);
    const nameOf = (index: number): string => names[index] ?? 'docker.io/library/alpine:3';
    const files: Record<string, string> = {};
    const entries = drafts.map((draft, index): Entry => {
      if (draft.kind === 'sync') {
        const source = nameOf(draft.takes[0] ?? 99);
        return sync(draft.pinned ? `${source}@sha256:${'a'.repeat(64)}` : source, nameOf(index));
      }
      files[`${index}/Dockerfile`] = draft.takes.map((each) => `FROM ${nameOf(each)}\n`).join('');
      return build(`${index}/Dockerfile`, nameOf(index));
    });
    return { entries, files };
  });

it('holds for every plan that is made; the others are refused for a cycle that is real', async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(anyEntries, async ({ entries, files }) => {
      const result = await planOf(entries, files, { settings: settings(trust) });
      if (!result.ok) {
        for (const { message } of result.failures) {
          const path = message.split(': ').slice(1).join(': ').split(' → ');
          expect(path[0]).toBe(path.at(-1));
          for (let step = 0; step + 1 < path.length; step += 1) {
            const entry = entries.find((each) => each.id === path[step]);
            const needs = path[step + 1]?.replace(/^(sync|build):/, '');
            expect(
              entry?.kind === 'sync'
                ? `${entry.source.registry}/${entry.source.path}:${entry.source.tag}`
                : files[entry?.source ?? ''],
            ).toContain(needs);
          }
        }
        return;
      }
      made += 1;
      const { plan } = result.value;
      expect(checkOrder(plan)).toEqual([]);
      expect(findCycle(planGraph(plan))).toBeUndefined();
      const place = new Map(order(plan).map((id, index) => [id, index]));
      for (const task of plan.tasks) {
        expect(task.needs).toEqual(needsOf(task.input));
        for (const need of task.needs) expect(place.get(need)).toBeLessThan(place.get(task.id) ?? -1);
      }
      for (const { id, needs } of plan.entries) {
        const across = plan.tasks
          .filter((task) => task.entry === id)
          .flatMap((task) => task.needs.filter((need) => !need.startsWith(`${id}#`)));
        expect(new Set(across)).toEqual(new Set(needs.map((need) => `${need}#tag`)));
      }
      const full = plan.tasks.filter(
        (task) => isGuard(task) && plan.entries.find((entry) => entry.id === task.entry)?.trust === 'full',
      );
      for (const guard of full) expect(checkOrder(without(plan, guard))).not.toEqual([]);
    }),
    { numRuns: 200 },
  );
  expect(made).toBeGreaterThan(20);
});

it('plans a ladder of 24 diamonds of images on images at once', async () => {
  const files: Record<string, string> = { '0/Dockerfile': 'FROM alpine' };
  const entries: Entry[] = [build('0/Dockerfile', 'r.example/top0:1')];
  for (let n = 0; n < 24; n += 1) {
    for (const side of ['left', 'right']) {
      files[`${side}${n}/Dockerfile`] = `FROM r.example/top${n}:1`;
      entries.push(build(`${side}${n}/Dockerfile`, `r.example/${side}${n}:1`));
    }
    files[`${n + 1}/Dockerfile`] = `FROM r.example/left${n}:1\nFROM r.example/right${n}:1`;
    entries.push(build(`${n + 1}/Dockerfile`, `r.example/top${n + 1}:1`));
  }
  await planned(entries, files);
  const started = performance.now();
  await planned(entries, files);
  expect(performance.now() - started).toBeLessThan(100);
});
