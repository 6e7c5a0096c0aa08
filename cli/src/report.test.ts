/** `report` of journals that somebody has copied, or named otherwise: compared with earlier runs, and with no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command, folderWith } from '../testing.ts';

const ID = 'build:r.example/a:1';
const digest = `sha256:${'ab'.repeat(32)}`;

/** A run in which the image had these. */
function journal(run: string, ...ids: readonly string[]): string {
  const findings = ids.map((id) => {
    return { id, severity: 'HIGH', package: 'musl', installed: '1', platforms: ['linux/amd64'] };
  });
  const platforms = [{ digest, platform: 'linux/amd64', status: 'scanned', packages: 1, findings }];
  const scanner = { name: 'trivy', version: '1', uri: 'u' };
  const scan = { scanner, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z', platforms };
  const row = { id: ID, destination: 'r.example/a:1', digest, outcome: 'unchanged', before: digest, why: 'w' };
  const rest = { findings: null, signed: true, size: null, packages: null, seconds: 1 };
  return [
    { t: 0, type: 'run.start', run, command: 'run', version: '1', entries: [ID], tasks: [] },
    { t: 1, type: 'image', entry: ID, image: { digest, scan, packages: [], attachments: [] } },
    { t: 2, type: 'entry.done', entry: ID, rows: [{ ...row, ...rest }] },
    { t: 3, type: 'run.done', exitCode: 0, seconds: 1 },
  ]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
}

test('whatever a journal is called, it is compared with what ran before it', async () => {
  const [first, second, third] = [1, 2, 3].map((day) => `2026010${day}-100000-00abcdef`);
  const files = {
    [`${first}.ndjson`]: journal(first ?? '', 'CVE-1'),
    [`${second}.ndjson`]: journal(second ?? '', 'CVE-1', 'CVE-2'),
    'copy-of-second.ndjson': journal(second ?? '', 'CVE-1', 'CVE-2'),
    [`${third}.ndjson`]: journal(third ?? '', 'CVE-3'),
  };
  const cwd = folderWith(files);
  const news = async (name: string): Promise<unknown> => {
    const made = await command({ cwd, env: {} }, 'report', `${name}.ndjson`, '--dir', 'out');
    expect(made.code, made.stderr).toBe(0);
    const { images } = JSON.parse(readFileSync(join(cwd, 'out', 'run.json'), 'utf8')) as {
      readonly images: readonly { readonly news?: { readonly new: readonly string[] } }[];
    };
    return images[0]?.news?.new;
  };
  expect(await news('copy-of-second')).toEqual(['CVE-2']);
  expect(await news(second ?? '')).toEqual(['CVE-2']);
  expect(await news(third ?? '')).toEqual(['CVE-3']);
  expect(await news(first ?? '')).toBeUndefined();
});
