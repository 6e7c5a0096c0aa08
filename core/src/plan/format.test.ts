import { describe, expect, it } from 'vitest';
import { options, valueOf } from '../config/fixtures.ts';
import { parseConfig } from '../config/load.ts';
import { formatPlan } from './draw.ts';
import { formatPlanText, planJson } from './format.ts';
import type { Plan } from './model.ts';
import { build, onMain, planned, settings, sync } from './sample.ts';

async function sample(): Promise<Plan> {
  const { plan } = await planned(
    [
      build('app.yaml', 'r.example/app:1', { melangeConfigs: ['p.melange'] }),
      build('"x"\u001b[31m<b>\\Dockerfile', 'r.example/main:1', { buildOnMainOnly: true }),
      sync('r.example/app:1', 'r.example/app:2'),
      sync('alpine:3', 'r.example/mirror:3'),
      build('on/Dockerfile', 'r.example/on:1'),
    ],
    {
      'on/Dockerfile': 'FROM r.example/app:1',
      'app.yaml': 'p',
      'p.melange': 'package: {name: p, version: 1}',
      '"x"\u001b[31m<b>\\Dockerfile': 'FROM alpine',
    },
    { settings: settings([{ match: '**/mirror:*', level: 'copy' }]), context: { ...onMain, branch: 'x' } },
  );
  return plan;
}

it('lists the plan for people', async () => {
  expect(formatPlanText(await sample())).toBe(`packages (1)
  p.melange for amd64

build (3)
  r.example/app:1 ← app.yaml (melange+apko)
    probe → resolve → build → push → scan → sbom → gate → sign → attach → verify → tag
  r.example/main:1 ← "x"�[31m<b>\\Dockerfile (docker)
    skipped: buildOnMainOnly: this is branch "x", not "main"
  r.example/on:1 ← on/Dockerfile (docker; after build:r.example/app:1)
    probe → resolve → build → push → scan → sbom → gate → sign → attach → verify → tag

sync (2)
  r.example/app:2 ← r.example/app:1 (retag of build:r.example/app:1)
    probe → resolve → gate → verify → tag
  r.example/mirror:3 ← docker.io/library/alpine:3 (trust: copy, neither scanned nor signed)
    probe → resolve → copy → tag

5 entries, 32 tasks
`);
});

it('counts selections apart from entries, whose number nobody knows yet', async () => {
  const text = `sync:
  - { source: a.example/x, destination: r.example/x, select: { regex: '.*' } }
  - { source: a.example/y, destination: r.example/y, select: { regex: '.*' } }
`;
  const { selections } = valueOf(parseConfig(text, '/w/config.yaml', options));
  expect(formatPlanText(await sample(), selections)).toMatch(/\n\n5 entries and 2 selections, 32 tasks\n$/);
  expect(formatPlanText(await sample(), selections.slice(1))).toMatch(/\n\n5 entries and 1 selection, 32 tasks\n$/);
});

it('gives data without the inputs', async () => {
  const plan = await sample();
  const { entries, tasks } = planJson(plan, [], '/');
  expect(entries).toEqual(plan.entries);
  expect(tasks[0]).toEqual({ id: 'package:p.melange', contract: 'package.build@1', entry: null, needs: [] });
});

const hostile: Plan = {
  entries: [
    {
      id: 'sync:"];\n end #1 <img>\\',
      kind: 'sync',
      source: 's',
      destination: 'd',
      targets: ['d'],
      at: 'c:1:1',
      needs: [],
      trust: 'copy',
    },
  ],
  tasks: [
    {
      id: 'sync:"];\n end #1 <img>\\#tag',
      contract: 'core.tag@1',
      entry: 'sync:"];\n end #1 <img>\\',
      input: null,
      needs: [],
    },
  ],
};

it('draws mermaid, in which names cannot break out of their label', async () => {
  const text = formatPlan(await sample(), 'mermaid');
  expect(text).toContain('subgraph e2["sync:r.example/app:2"]');
  expect(text).toMatch(/^flowchart LR\n/);
  const plan = await sample();
  expect(text.match(/ --> /g)).toHaveLength(plan.tasks.flatMap((task) => task.needs).length);
  expect(formatPlan(hostile, 'mermaid')).toBe(
    'flowchart LR\n  subgraph e0["sync:#34;]#59;� end #35;1 #60;img#62;\\"]\n    t0["tag"]\n  end\n',
  );
});

describe('a plan of more tasks than mermaid draws', () => {
  const copies = (count: number) =>
    Array.from({ length: count }, (_, index) => sync(`alpine:3.${index}`, `r.example/alpine:3.${index}`));
  const retag = sync('r.example/alpine:3.7', 'r.example/alpine:stable');

  it('is drawn by its entries', async () => {
    const { plan } = await planned([...copies(100), retag], {});
    expect(plan.tasks.flatMap(({ needs }) => needs).length).toBeGreaterThan(500);
    const [first, comment, ...boxes] = formatPlan(plan, 'mermaid').split('\n');
    expect(first).toBe('flowchart LR');
    expect(comment).toContain(`${plan.tasks.length} tasks are more than mermaid draws`);
    expect(boxes.slice(0, 100)).toEqual(copies(100).map(({ id }, index) => `  e${index}["${id}"]`));
    expect(boxes.slice(100)).toEqual(['  e100["sync:r.example/alpine:stable"]', '  e7 --> e100', '']);
    expect(formatPlan(plan, 'dot').match(/ -> /g)?.length).toBe(plan.tasks.flatMap(({ needs }) => needs).length);
  });

  it('is drawn by the entries that take others where all are too many, and says so', async () => {
    const { plan } = await planned([...copies(2000), retag], {});
    expect(formatPlan(plan, 'mermaid').split('\n')).toEqual([
      'flowchart LR',
      `  %% ${plan.tasks.length} tasks are more than mermaid draws; --format dot has them all`,
      '  e0["sync:r.example/alpine:3.7"]',
      '  e1["sync:r.example/alpine:stable"]',
      '  alone["1999 entries without others"]',
      '  e0 --> e1',
      '',
    ]);
  });
});

it('draws dot, in which names cannot break out of their label', async () => {
  expect(formatPlan(await sample(), 'dot')).toContain(
    'subgraph cluster_5 {\n    label="packages";\n    t0 [label="p.melange"];',
  );
  expect(formatPlan(hostile, 'dot')).toBe(
    'digraph slipway {\n  rankdir=LR;\n  node [shape=box];\n  subgraph cluster_0 {\n    label="sync:\\"];� end #1 <img>\\\\";\n    t0 [label="tag"];\n  }\n}\n',
  );
});
