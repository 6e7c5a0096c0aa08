import { expect, it } from 'vitest';
import { build, mistakes, planOf, planned, sync } from './sample.ts';

const entries = [
  build('Dockerfile', 'r.example/base:1'),
  build('child/Dockerfile', 'r.example/child:1', { melangeConfigs: ['p.melange'] }),
  sync('r.example/child:1', 'r.example/child:stable'),
  sync('docker.io/library/alpine:3', 'r.example/hub/alpine:3'),
];
const files = {
  Dockerfile: 'FROM alpine',
  'child/Dockerfile': 'FROM r.example/base:1',
  'p.melange': 'package: {name: p, version: 1}',
};
const [BASE, CHILD, STABLE, ALPINE] = entries.map((entry) => entry.id);

async function ids(more: Parameters<typeof planOf>[2]): Promise<readonly string[]> {
  return (await planned(entries, files, more)).plan.entries.map((entry) => entry.id);
}

it('takes what is needed along', async () => {
  expect(await ids({ only: ['*stable'] })).toEqual([BASE, CHILD, STABLE]);
  expect(await ids({ only: ['*stable', 'sync:*alpine*'] })).toEqual([BASE, CHILD, STABLE, ALPINE]);
  expect(await ids({ only: ['r.example/base:1'] })).toEqual([BASE]);
});

it('restricts sync and build to their kind, and what that needs', async () => {
  expect(await ids({ command: 'build' })).toEqual([BASE, CHILD]);
  expect(await ids({ command: 'sync' })).toEqual([BASE, CHILD, STABLE, ALPINE]);
  expect(await ids({ command: 'sync', only: ['*alpine*'] })).toEqual([ALPINE]);
});

it('plans the packages of what is selected only', async () => {
  const { plan, packages } = await planned(entries, files, { only: ['*alpine*'] });
  expect(plan.tasks.every((task) => task.entry === ALPINE)).toBe(true);
  expect(packages.size).toBe(0);
});

it('leaves an excluded need out: what needs it uses its present digest', async () => {
  const { plan } = await planned(entries, files, { exclude: ['**/base:*', '*alpine*'] });
  expect(plan.entries.map(({ id, needs }) => [id, needs])).toEqual([
    [CHILD, []],
    [STABLE, [CHILD]],
  ]);
  const probe = plan.tasks.find((task) => task.id === `${CHILD}#probe`);
  expect(probe).toMatchObject({ needs: [], input: { current: { 'r.example/base:1': 'r.example/base:1' } } });
});

it('keeps a retag of an excluded entry a retag', async () => {
  const { plan } = await planned(entries, files, { only: ['*stable'], exclude: [CHILD ?? ''] });
  expect(plan.entries).toMatchObject([{ id: STABLE, needs: [], retagOf: CHILD }]);
  expect(plan.tasks[0]).toMatchObject({ needs: [], input: { current: { 'r.example/child:1': 'r.example/child:1' } } });
});

it('refuses a pattern that matches nothing, with what was meant', async () => {
  expect(await mistakes(entries, files, { only: ['nope'], exclude: ['r.example/bose:1'] })).toEqual([
    '-: --exclude "r.example/bose:1" matches no entry',
    '-: --only "nope" matches no entry',
  ]);
  expect(await mistakes(entries, files, { command: 'build', only: ['*alpine*'] })).toEqual([
    '-: --only "*alpine*" matches no build entry',
  ]);
  const result = await planOf(entries, files, { only: ['r.example/bose:1'] });
  expect(result).toMatchObject({ failures: [{ hint: 'did you mean "r.example/base:1"?' }] });
});
