/** What the commands that only look have found, for people: `plan --resolve`, `verify`, `doctor`. Pure: data in, text out. */
import type { Plan } from '../plan/model.ts';
import type { Diagnosis } from '../run/diagnose.ts';
import type { ProbeAnswer, VerifiedTarget } from '../run/look.ts';
import { headline } from './failure.ts';
import { noPaint, type Paint, type State } from './table.ts';
import { clean } from './wording.ts';

interface Line {
  readonly state: State;
  /** What the state is called here. */
  readonly word: string;
  readonly text: string;
  readonly hint?: string | undefined;
}

/** Why each entry would run, or not; in the plan's order. */
export function formatProbes(plan: Plan, probes: readonly ProbeAnswer[], paint: Paint = noPaint): string {
  const skipped = new Set(plan.entries.filter(({ skip }) => skip !== undefined).map(({ id }) => id));
  const lines = probes.map(({ id, goal, why, failure }): Line => {
    if (failure !== undefined)
      return { state: 'failed', word: 'FAIL', text: `${id}: ${headline(failure)}`, hint: failure.hint };
    if (skipped.has(id)) return { state: 'skipped', word: 'skip', text: `${id}: ${why.replace(/^skipped: /, '')}` };
    return goal
      ? { state: 'unchanged', word: 'done', text: `${id}: ${why}` }
      : { state: 'run', word: 'run', text: `${id}: ${why}` };
  });
  const counted = countWords(lines, { run: 'to run', done: 'done', skip: 'skipped', FAIL: 'could not be looked at' });
  return `${show(lines, paint)}${counted}\n`;
}

/** Each destination, and what it lacks. */
export function formatVerified(targets: readonly VerifiedTarget[], paint: Paint = noPaint): string {
  const lines = targets.map((target): Line => {
    const { destination, digest, ok, failure } = target;
    const text = `${destination} ${digest ?? '-'}: ${stateOf(target)}`;
    return ok ? { state: 'ok', word: 'ok', text } : { state: 'failed', word: 'FAIL', text, hint: failure?.hint };
  });
  return `${show(lines, paint)}${countWords(lines, { ok: 'as they should be', FAIL: 'not' })}\n`;
}

function stateOf({ ok, trust, missing, backup, failure }: VerifiedTarget): string {
  if (failure !== undefined) return headline(failure);
  if (backup === true) return 'a backup of what a sync overwrote, not verified';
  if (!ok) return missing.includes('tag') ? 'there is no such tag' : `missing: ${missing.join(', ')}`;
  return trust === 'copy' ? 'a copy (trust: copy), neither scanned nor signed' : 'complete';
}

/** What was looked at, and how to mend it. */
export function formatDiagnoses(findings: readonly Diagnosis[], paint: Paint = noPaint): string {
  return show(
    findings.map(({ what, state, detail, hint }): Line => ({
      state,
      word: state === 'failed' ? 'FAIL' : state,
      text: `${what}: ${detail}`,
      hint,
    })),
    paint,
  );
}

function show(lines: readonly Line[], paint: Paint): string {
  const width = lines.reduce((widest, { word }) => Math.max(widest, word.length), 0);
  return lines
    .flatMap(({ state, word, text, hint }) => [
      `${paint(state, word.padEnd(width))}  ${clean(text)}\n`,
      ...(hint === undefined ? [] : [`${' '.repeat(width)}  → ${clean(hint)}\n`]),
    ])
    .join('');
}

/** `3 to run, 1 done`; only what there is. */
function countWords(lines: readonly Line[], names: Readonly<Record<string, string>>): string {
  const counts = Object.entries(names).map(([word, name]) => ({
    name,
    count: lines.filter((line) => line.word === word).length,
  }));
  const said = counts.filter(({ count }) => count > 0).map(({ name, count }) => `${count} ${name}`);
  return said.length === 0 ? 'nothing to look at' : said.join(', ');
}
