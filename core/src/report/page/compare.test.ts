import { expect, test } from 'vitest';
import type { ImageEvidence } from '../../journal/events.ts';
import { comparePackages } from './compare.ts';

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
