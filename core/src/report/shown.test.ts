import { expect, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { formatShown } from './shown.ts';

test('what strangers say of an image is on lines of ours, and draws nothing', () => {
  const foreign = 'linux\u001b]0;mine\u0007\u001b[31m\r\n::error::forged\u2028digest sha256:0\u202e';
  const text = formatShown({
    reference: 'r.example/a:1',
    digest: sha256('a'),
    mediaType: 'application/vnd.oci.image.index.v1+json',
    size: 1,
    subjects: [
      {
        digest: sha256('b'),
        platform: foreign,
        referrers: [{ digest: sha256('c'), type: foreign, claims: foreign, verified: null }],
      },
    ],
  });
  expect(text.split('\n')).toHaveLength(6);
  expect(text).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
});
