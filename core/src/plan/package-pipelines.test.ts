import { expect, it } from 'vitest';
import { packagePipelines } from './package-pipelines.ts';
import { memoryFiles } from './sample.ts';

const STEP = 'pipeline: [{runs: make}]';

async function usedBy(config: string, files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const found = await packagePipelines(memoryFiles(files), config, files[config] ?? '');
  return found.map(({ path }) => path);
}

it('are those beside the config and in the root that it uses, also by others, in subpackages and in tests', async () => {
  const files = {
    'p/a.yaml': `
pipeline: [{uses: near}, {pipeline: [{uses: team/far}]}, {uses: fetch}]
subpackages: [{name: b, pipeline: [{uses: sub}], test: {pipeline: [{uses: probe}]}}]
test: {pipeline: [{uses: check}]}
`,
    'p/pipelines/near.yaml': 'pipeline: [{uses: inner}, {uses: near}]',
    'pipelines/near.yaml': STEP,
    'pipelines/inner.yaml': STEP,
    'pipelines/team/far.yaml': 'runs: make',
    'pipelines/sub.yaml': STEP,
    'pipelines/probe.yaml': STEP,
    'pipelines/check.yaml': STEP,
    'pipelines/unused.yaml': STEP,
  };
  const root = ['check', 'inner', 'probe', 'sub', 'team/far'].map((name) => `pipelines/${name}.yaml`);
  expect(await usedBy('p/a.yaml', files)).toEqual(['p/pipelines/near.yaml', ...root]);
});

it('are found once in a pipeline that holds itself', async () => {
  const files = { 'a.yaml': 'pipeline: &steps [{uses: near}, {pipeline: *steps}]', 'pipelines/near.yaml': STEP };
  expect(await usedBy('a.yaml', files)).toEqual(['pipelines/near.yaml']);
});

it('are none of another program, and none outside of the folder', async () => {
  const files = {
    'a.yaml': 'pipeline: [{uses: fetch}, {uses: ../secret}, {uses: /etc/x}, {uses: broken}, {uses: deep}]',
    'pipelines/fetch.yaml': 'stages: [build]',
    'pipelines/broken.yaml': 'runs: [[[',
    'pipelines/deep.yaml': '['.repeat(100_000),
    'secret.yaml': STEP,
  };
  expect(await usedBy('a.yaml', files)).toEqual([]);
});
