/** Numbers and names as people read them. Everything from outside loses its control characters: a log is not a terminal. */
import { relativePosition } from '../config/format.ts';
import type { Row } from '../journal/events.ts';
import type { Failure } from '../failure.ts';
import { headline } from './failure.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `5.7 MB`; powers of 1000, as registries show sizes. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power] ?? 'B'}`;
}

/** `24 images`, `1 image`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `0.4 s`, `2 min 03 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** `1C 2H 0M 3L`; `none`; `-` when it was not scanned, which is not the same; nor is `none, end of life`. */
export function formatFindings({
  findings,
  unscanned = [],
  endOfLife = [],
}: Pick<Row, 'findings' | 'unscanned' | 'endOfLife'>): string {
  const ended = endOfLife.length === 0 ? '' : ', end of life';
  if (findings === null) return unscanned.length === 0 ? '-' : `unscanned${ended}`;
  const { CRITICAL, HIGH, MEDIUM, LOW, UNKNOWN } = findings;
  const left = `${unscanned.length === 0 ? '' : `, ${unscanned.length} unscanned`}${ended}`;
  if (CRITICAL + HIGH + MEDIUM + LOW + UNKNOWN === 0) return `none${left}`;
  const unknown = UNKNOWN === 0 ? '' : ` ${UNKNOWN}?`;
  return `${CRITICAL}C ${HIGH}H ${MEDIUM}M ${LOW}L${unknown}${left}`;
}

/** `sha256:0123456789ab`, or `-`. */
export function formatDigest(digest: string | null): string {
  return digest === null ? '-' : digest.slice(0, digest.indexOf(':') + 13);
}

/** Headline and hint, a line each. `folder`: what files are named from. */
export function formatFailure(failure: Failure, folder = ''): readonly string[] {
  const lines = [clean(`${placeOf(failure, folder)}${headline(failure)}`)];
  if (failure.hint !== undefined) lines.push(`  → ${clean(failure.hint)}`);
  return lines;
}

/** Where the config is to blame, or may be, as where no tag is selected; and before what is said of it. */
export function placeOf({ class: kind, at }: Failure, folder = ''): string {
  return kind === 'permanent' && at !== undefined ? `${relativePosition(at, folder)}: ` : '';
}

/** What commands a terminal, and what nobody sees: marks that reorder a line, and those by which two names look like one. */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Cf}]/gu;

/** One line: what strangers say must not end a line of ours and begin one of its own. */
export function clean(text: string): string {
  return visible(text.replace(/[\r\n\u0085\u2028\u2029]+/g, ' '));
}

/** At most so many characters; what is left out ends in `…`. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Lines and tabs stay as they are. */
export function visible(text: string): string {
  return text.replace(UNSEEN, '�');
}
