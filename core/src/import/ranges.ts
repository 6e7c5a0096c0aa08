/** Ranges of versions as other tools write them, in the words that `select.semver` reads. */
import { parseRange } from '../selection/versions.ts';

export interface ImportedRange {
  readonly range: string;
  /** Versions as `1.2.0-rc.1` were in it. */
  readonly prerelease: boolean;
}

/** Skopeo's: https://github.com/Masterminds/semver/tree/v3.2.0#basic-comparisons. `undefined`: there are no words for it. */
export function rangeOfSkopeo(text: string): ImportedRange | undefined {
  const range = text
    .split('||')
    .map((part) => excluding(part.trim().replaceAll('=<', '<=').replaceAll('=>', '>=')))
    .join(' || ');
  return checked(range, /\d-[0-9A-Za-z]/.test(range));
}

/** `>=1 !=1.5.0` → `>=1 <1.5.0 || >=1 >1.5.0`: ours has no `!=`. */
function excluding(part: string): string {
  const not = /,?\s*!=\s*([^\s,|]+)/.exec(part);
  if (not === null) return part;
  const [found, version = ''] = not;
  // Of a version that is not complete many are excluded, and no comparison says which.
  if (!/^v?\d+\.\d+\.\d+/.test(version)) return '!';
  const rest = part.replace(found, ' ').trim();
  return ['<', '>'].map((comparison) => excluding(`${rest} ${comparison}${version}`.trim())).join(' || ');
}

/**
 * Regsync's: comparisons between spaces, all versions complete (`<=1.2` leaves out 1.2.1), and prereleases are versions like any:
 * https://github.com/regclient/regclient/blob/v0.11.7/internal/semver/semver.go
 */
export function rangeOfRegsync(text: string): ImportedRange | undefined {
  const parts = text.trim().split(/\s+/).map(complete);
  return parts.includes(undefined) ? undefined : checked(parts.join(' '), true);
}

function complete(part: string): string | undefined {
  const pattern = /^(?<comparison>>=|<=|>|<|=|\^|~|)v?(?<numbers>\d+(?:\.\d+){0,2})(?<rest>[-+].+)?$/;
  const { comparison = '', numbers = '', rest = '' } = pattern.exec(part)?.groups ?? {};
  if (numbers === '') return undefined;
  const [major = 0, minor = 0, patch = 0] = numbers.split('.').map(Number);
  const version = `${major}.${minor}.${patch}${rest}`;
  const below = (...next: readonly number[]): string => `>=${version} <${next.join('.')}`;
  if (comparison === '~') return below(major, minor + 1, 0);
  if (comparison !== '^') return `${comparison === '' ? '=' : comparison}${version}`;
  return major > 0 ? below(major + 1, 0, 0) : minor > 0 ? below(0, minor + 1, 0) : below(0, 0, patch + 1);
}

function checked(range: string, prerelease: boolean): ImportedRange | undefined {
  return range === '' || parseRange(range) === undefined ? undefined : { range, prerelease };
}
