/** What `why` has found, for people. Pure: data in, text out. */
import type { Change } from '../journal/events.ts';
import type { Search } from '../why/affected.ts';
import type { Explained } from '../why/explain.ts';
import type { Ahead } from '../why/ahead.ts';
import { clean, formatDigest, formatFailure, formatSeconds } from './wording.ts';

/** Names in a line; of a mirror, nothing has a scan. */
const MAX_UNKNOWN = 20;

export function formatExplained(all: readonly Explained[]): string {
  return all.map(explainedLines).join('\n');
}

function explainedLines({ destination, outcome, run, at, why, digest, before, changes, tasks }: Explained): string {
  const moved = outcome === 'published' ? ` ${formatDigest(before)} → ${formatDigest(digest)}` : '';
  const spent = tasks.reduce((sum, { ms }) => sum + ms, 0);
  return [
    `${destination}: ${outcome}${moved}`,
    `  in run ${run}, ${new Date(at).toISOString()}`,
    `  because: ${why}`,
    ...changes.map(changeLine),
    ...(tasks.length === 0 ? [] : [`  then, in ${formatSeconds(spent / 1000)} of work:`]),
    ...tasks.map(({ id, state, ms }) => `    ${stepOf(id).padEnd(8)} ${state.padEnd(9)} ${formatSeconds(ms / 1000)}`),
  ]
    .map(lineOf)
    .join('');
}

/** `folder`: what files are named from. */
export function formatAhead(all: readonly Ahead[], folder = ''): string {
  return all
    .map(({ id, goal, why, changes, steps, ms, dependents, failure }) => {
      if (failure !== undefined) {
        const [said = '', ...hint] = formatFailure(failure, folder);
        return [`${id}: could not be looked at`, `  because: ${said}`, ...hint.map((line) => `  ${line}`)]
          .map(lineOf)
          .join('');
      }
      return [
        `${id}: ${goal ? 'nothing to do' : 'has to run'}`,
        `  because: ${why}`,
        ...changes.map(changeLine),
        ...(goal
          ? []
          : [
              `  then: ${steps.join(' → ')}${ms === undefined ? '' : `, about ${formatSeconds(ms / 1000)} as it took before`}`,
            ]),
        ...(goal || dependents.length === 0 ? [] : [`  and after it: ${dependents.join(', ')}`]),
      ]
        .map(lineOf)
        .join('');
    })
    .join('\n');
}

export function formatAffected(vulnerability: string, { affected, looked, unknown, since }: Search): string {
  const lines = affected.flatMap(({ destination, digest, scannedAt, findings }) => [
    `${destination} ${formatDigest(digest)}, scanned ${scannedAt}`,
    ...findings.map(({ severity, package: name, installed, fixed, platform, layer }) => {
      const where = layer === undefined ? '' : `, layer ${formatDigest(layer)}`;
      return `  ${severity} in ${name} ${installed}${fixed === undefined ? ', no fix is known' : `, fixed in ${fixed}`} (${platform}${where})`;
    }),
  ]);
  const count =
    affected.length === 0 ? 'none has it' : `${affected.length} ${affected.length === 1 ? 'has' : 'have'} it`;
  lines.push(
    `${vulnerability}: of ${looked} scanned destinations ${count}${since === undefined ? '' : `, by the journals since ${since}`}`,
  );
  const named = unknown.slice(0, MAX_UNKNOWN).join(', ');
  const more = unknown.length - MAX_UNKNOWN;
  if (unknown.length > 0)
    lines.push(`not known of ${named}${more > 0 ? ` and ${more} more: --json has them all` : ''}`);
  return lines.map(lineOf).join('');
}

function changeLine({ part, from, to }: Change): string {
  const what = from === null ? 'new' : to === null ? 'gone' : `${short(from)} → ${short(to)}`;
  return `    ${part}: ${what}`;
}

/** Journals may be somebody else's: nothing in them, not even a name, may command a terminal. */
function lineOf(text: string): string {
  return `${clean(text)}\n`;
}

/** A digest is recognised by its beginning. */
function short(text: string): string {
  return text.includes(':') ? formatDigest(text) : text;
}

function stepOf(task: string): string {
  const step = task.lastIndexOf('#');
  return step < 0 ? task : task.slice(step + 1);
}
