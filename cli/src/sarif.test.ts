/** The files of `--sarif`: as few as a code host takes, and none of an earlier run. */
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event, Row } from '@slipway/core';
import { expect, test } from 'vitest';
import { collectScans } from './sarif.ts';

const digest = (index: number): string => `sha256:${String(index).padStart(64, '0')}`;

test('hundreds of images are a few files, and those of a larger run before are gone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-sarif-'));
  await writeFile(join(folder, 'mine.sarif'), '{}');
  const write = (count: number): unknown => {
    const scans = collectScans();
    const rows = Array.from({ length: count }, (_, index) => {
      const id = `sync:r.example/${index}:1`;
      const platform = { digest: digest(index), platform: 'linux/amd64', status: 'scanned', packages: 1, findings: [] };
      const scan = {
        scanner: { name: 'trivy', version: '1', uri: 'u' },
        startedAt: '2026-01-01T00:00:00Z',
        finishedAt: '2026-01-01T00:00:01Z',
        platforms: [platform],
      };
      const image = { digest: digest(index), scan, packages: [], attachments: [] };
      scans.event({ t: 0, type: 'image', entry: id, image } as unknown as Event);
      return { id, destination: id.slice('sync:'.length), digest: digest(index) } as Row;
    });
    const at = { file: join(folder, 'config.yaml'), line: 1, column: 1 };
    return scans.write(folder, {
      rows,
      workspace: folder,
      placeOf: () => at,
      waiversOf: () => [],
      warn: () => undefined,
    });
  };
  expect(write(190)).toEqual({ ok: true, value: 10 });
  expect(await readdir(folder)).toContain('slipway-scan-10.sarif');
  expect(write(21)).toEqual({ ok: true, value: 2 });
  expect((await readdir(folder)).toSorted()).toEqual(['mine.sarif', 'slipway-scan-1.sarif', 'slipway-scan-2.sarif']);
});
