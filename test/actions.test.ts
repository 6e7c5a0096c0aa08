/** A run in a job of GitHub Actions, for real: its log, its summary, its outputs, and SARIF of what it found. */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { project } from './chain/project.ts';
import { leakyImage, source } from './chain/shorthand.ts';
import { freshPath, slipway, world, writeFiles } from './world.ts';

test('a run with an image that is published and one that is refused', async () => {
  const [good, leaky] = [await source('actions'), await source('actions-leaky', leakyImage('actions'))];
  const to = ({ path }: { readonly path: string }) =>
    `${world().destination.host}/${freshPath(path.split('/').at(-1) ?? '')}:1`;
  const [a, b] = [to(good), to(leaky)];
  const one = await project({
    sync: [
      { source: `hub.slipway.example/${good.path}:1`, destination: a },
      { source: `hub.slipway.example/${leaky.path}:1`, destination: b },
    ],
    settings: { policy: { sync: 'refuse' } },
  });
  await writeFiles(one.folder, { summary: '', output: '' });
  const env = {
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: one.folder,
    GITHUB_STEP_SUMMARY: join(one.folder, 'summary'),
    GITHUB_OUTPUT: join(one.folder, 'output'),
  };
  const ran = await slipway(['run', '--sarif', 'sarif'], { cwd: one.folder, env });
  expect(ran.code, ran.stdout + ran.stderr).toBe(3);

  const log = ran.stderr.split('\n');
  expect(log.filter((line) => line.startsWith('::group::'))).toEqual(
    expect.arrayContaining([expect.stringContaining(`published ${a}`), expect.stringContaining(`refused ${b}`)]),
  );
  expect(log.filter((line) => line === '::endgroup::')).toHaveLength(2);
  const [error = ''] = log.filter((line) => line.startsWith('::error '));
  expect(error).toMatch(/^::error file=config\.yaml,line=1,col=\d+,title=refused /);

  const summary = await readFile(env.GITHUB_STEP_SUMMARY, 'utf8');
  expect(summary).toMatch(/^## slipway run\n[\s\S]*\| refused \|[\s\S]*\| published \|/);
  const output = await readFile(env.GITHUB_OUTPUT, 'utf8');
  const digests = JSON.parse(/^digests<<(\S+)\n(.*)\n\1$/m.exec(output)?.[2] ?? '{}') as Readonly<
    Record<string, string>
  >;
  expect(digests[a]).toMatch(/^sha256:/);
  expect(/^refused<<(\S+)\n1\n\1$/m.test(output)).toBe(true);

  const names = await readdir(join(one.folder, 'sarif'));
  expect(names).toEqual(['slipway-scan-1.sarif']);
  const schema = createRequire(import.meta.url)('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json') as object;
  const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false, unicodeRegExp: false });
  const validate = ajv.compile(
    Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== 'id')),
  );
  const logs = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(one.folder, 'sarif', name), 'utf8')) as SarifLog),
  );
  for (const each of logs) expect(validate(each), JSON.stringify(validate.errors)).toBe(true);
  const runs = logs.flatMap((each) => each.runs);
  expect(new Set(runs.map(({ automationDetails }) => automationDetails.id))).toEqual(
    new Set([a, b].flatMap((to) => ['amd64', 'arm64'].map((name) => `slipway-scan/${to}/linux/${name}/`))),
  );
  const found = runs.find(({ automationDetails }) => automationDetails.id.includes(b))?.results;
  expect(found?.length).toBeGreaterThan(0);
  expect(found?.[0]).toMatchObject({
    locations: [{ physicalLocation: { artifactLocation: { uri: 'config.yaml' }, region: { startLine: 1 } } }],
  });
});

interface SarifLog {
  readonly runs: readonly {
    readonly automationDetails: { readonly id: string };
    readonly results: readonly unknown[];
  }[];
}
