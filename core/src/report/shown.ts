/** What `show` has found, for people. Pure: data in, text out. */
import type { ShownImage } from '../run/show.ts';
import { plainText } from '../trust/strict.ts';
import { formatBytes } from './wording.ts';

/** A key's fingerprint is recognised by its beginning; an identity is shown as it is. */
function describeSigner(claims: string): string {
  return /^[0-9a-f]{64}$/.test(claims) ? `key ${claims.slice(0, 12)}` : plainText(claims, 80);
}

export function formatShown(image: ShownImage): string {
  const lines = [image.reference, `digest ${image.digest}`, `${image.mediaType}, ${formatBytes(image.size)} in all`];
  for (const { digest, platform, referrers } of image.subjects) {
    lines.push(`${plainText(platform ?? 'index')} ${digest}`);
    for (const [position, { type, claims, verified }] of referrers.entries()) {
      const branch = position === referrers.length - 1 ? '└─' : '├─';
      const state = verified === null ? ' not checked, no signer is set' : verified ? ' verified' : ' not ours';
      lines.push(`  ${branch} ${plainText(type)}${state}${claims === null ? '' : ` (${describeSigner(claims)})`}`);
    }
  }
  if (image.sbom !== undefined) lines.push('', image.sbom);
  return `${lines.join('\n')}\n`;
}
