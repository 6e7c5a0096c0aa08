/** `why` as programs read it: its answers are what the published schema says, also those of `--cve`. */
import { expect, it } from 'vitest';
import { answerOf, command, folderWith } from '../testing.ts';

const ID = 'build:r.example/a:1';
const RUN = '20260101-100000-00abcdef';
const digest = `sha256:${'ab'.repeat(32)}`;

/** A run that found CVE-2026-1. */
function journal(): string {
  const finding = { id: 'CVE-2026-1', severity: 'HIGH', package: 'musl', installed: '1', platforms: ['linux/amd64'] };
  const platforms = [{ digest, platform: 'linux/amd64', status: 'scanned', packages: 1, findings: [finding] }];
  const scanner = { name: 'trivy', version: '1', uri: 'u' };
  const scan = { scanner, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z', platforms };
  const row = { id: ID, destination: 'r.example/a:1', digest, outcome: 'unchanged', before: digest, why: 'w' };
  const rest = { findings: null, signed: true, size: null, packages: null, seconds: 1 };
  return [
    { t: 0, type: 'run.start', run: RUN, command: 'run', version: '1', entries: [ID], tasks: [] },
    { t: 1, type: 'image', entry: ID, image: { digest, scan, packages: [], attachments: [] } },
    { t: 2, type: 'entry.done', entry: ID, rows: [{ ...row, ...rest }] },
    { t: 3, type: 'run.done', exitCode: 0, seconds: 1 },
  ]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
}

it.each([
  ['of an image that has it', 'CVE-2026-1', 1],
  ['of one that nobody has', 'CVE-2026-2', 0],
])('the answer about a vulnerability is as published, %s', async (_, id, count) => {
  const cwd = folderWith({ [`.slipway/runs/${RUN}.ndjson`]: journal() });
  const found = await command({ cwd }, 'why', '--cve', id, '--json');
  expect(found.code).toBe(0);
  const answer = answerOf(found) as unknown as { readonly affected: readonly unknown[]; readonly since: string };
  expect(answer.affected).toHaveLength(count);
  expect(answer.since).toBe(RUN);
});

it.each([
  [['--resolve'], 'no --resolve'],
  [['r.example/b:*'], 'no pattern'],
])('a vulnerability is asked for alone, since nothing else would narrow it: %j', async (more, said) => {
  const cwd = folderWith({ 'config.yaml': '', [`.slipway/runs/${RUN}.ndjson`]: journal() });
  const { code, stderr } = await command({ cwd }, 'why', '--cve', 'CVE-2026-1', ...more);
  expect([code, stderr]).toEqual([2, expect.stringContaining(`--cve goes with ${said}`)]);
});

it('who asks for a vulnerability without a journal is told what finds one', async () => {
  const { code, stderr } = await command({ cwd: folderWith({}) }, 'why', '--cve', 'CVE-2026-1');
  expect([code, stderr]).toEqual([2, expect.stringContaining('slipway scan')]);
  expect(stderr).not.toContain('--resolve');
});
