import { expect, test } from 'vitest';
import type { ImageEvidence } from '../../journal/events.ts';
import type { PlatformScan } from '../../trust/model.ts';
import { compareFindings, comparePackages } from './compare.ts';

function listed(...versions: readonly string[]): ImageEvidence {
  const packages = versions.map((version) => ({ name: 'lodash', version }));
  const platforms = ['linux/amd64', 'linux/arm64'].map((platform) => ({ platform, packages }));
  return { digest: 'sha256:1', packages: platforms, attachments: [] };
}

test('of a package that an image has in several versions, a change of any of them is one', () => {
  expect(comparePackages(listed('3.10.1', '4.17.20'), listed('3.10.2', '4.17.20'))).toEqual([
    { name: 'lodash', from: '3.10.1, 4.17.20', to: '3.10.2, 4.17.20' },
  ]);
  // In whichever order they are listed.
  expect(comparePackages(listed('3.10.1', '4.17.20'), listed('4.17.20', '3.10.1'))).toEqual([]);
  expect(comparePackages(listed('3.10.1', '4.17.20'), listed('4.17.20'))).toEqual([
    { name: 'lodash', from: '3.10.1, 4.17.20', to: '4.17.20' },
  ]);
});

function scanned(...platforms: readonly (readonly [platform: string, ...ids: readonly string[]])[]): ImageEvidence {
  const looked = platforms.map(([platform, ...ids]): PlatformScan => ({
    digest: `sha256:${'1'.repeat(64)}` as PlatformScan['digest'],
    platform,
    status: ids.includes('unscanned') ? 'unscanned' : 'scanned',
    packages: 1,
    findings: ids
      .filter((id) => id !== 'unscanned')
      .map((id) => ({ id, severity: 'HIGH', package: 'musl', installed: '1', platforms: [platform] })),
  }));
  const [scanner, at] = [{ name: 's', version: '1', uri: 'pkg:golang/s' }, '2026-11-25T00:00:00Z'];
  return { ...listed('1'), scan: { scanner, startedAt: at, finishedAt: at, platforms: looked } };
}

test('a vulnerability is not gone from a platform that nobody could look into any more', () => {
  const before = scanned(['linux/amd64', 'CVE-1', 'CVE-2'], ['linux/arm64', 'CVE-2', 'CVE-3']);
  const gone = (now: ImageEvidence) => compareFindings(before, now)?.gone.map(({ id }) => id);
  expect(gone(scanned(['linux/amd64'], ['linux/arm64', 'unscanned']))).toEqual(['CVE-1']);
  expect(gone(scanned(['linux/amd64'], ['linux/arm64']))).toEqual(['CVE-1', 'CVE-2', 'CVE-3']);
  // The image has that platform no more.
  expect(gone(scanned(['linux/amd64']))).toEqual(['CVE-1', 'CVE-2', 'CVE-3']);
});
