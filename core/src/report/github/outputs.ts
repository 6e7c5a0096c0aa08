/** What later steps and jobs read of a run: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings */
import type { Outcome, Row } from '../../journal/events.ts';
import { isPublic } from '../../journal/named.ts';

/** GitHub allows 1 MiB for all outputs of a job, which it counts in UTF-16; the rest is left to other steps. */
const MAX_DIGESTS = 400_000;

const OUTCOMES: readonly Outcome[] = ['published', 'unchanged', 'refused', 'failed', 'skipped', 'cancelled'];

export interface OutputsInput {
  readonly run: string;
  readonly rows: readonly Row[];
  readonly exitCode: number;
  /** The one entry that was asked for, when it was one. */
  readonly entry?: string;
}

/**
 * Of what may be built on alone, never of what was refused. `digests`: destination → digest, as JSON; left out where it would not
 * fit. `digest`: of the one entry that was asked for.
 */
export function stepOutputs({ run, rows, exitCode, entry }: OutputsInput): Readonly<Record<string, string>> {
  const counts = OUTCOMES.map((outcome) => [outcome, String(rows.filter((row) => row.outcome === outcome).length)]);
  const digests = JSON.stringify(
    Object.fromEntries(
      rows.flatMap((row) => (row.digest !== null && isPublic(row) ? [[row.destination, row.digest]] : [])),
    ),
  );
  const digest = rows.find((row) => row.id === entry && isPublic(row))?.digest;
  return {
    run,
    'exit-code': String(exitCode),
    ...(Object.fromEntries(counts) as Record<Outcome, string>),
    ...(digests.length > MAX_DIGESTS ? {} : { digests }),
    ...(digest === undefined || digest === null ? {} : { digest }),
  };
}

/**
 * What jobs before this one came to, a line an entry with its digest, against what this run found in its place. Who moves a
 * tag between two jobs is noticed by nobody else.
 */
export function movedSince(handed: string, rows: readonly Row[]): readonly string[] {
  return handed.split('\n').flatMap((line) => {
    const [, id, was] = /^(.+) (sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.exec(line) ?? [];
    const row = rows.find((each) => each.id === id && isPublic(each));
    if (row === undefined || row.digest === null || row.digest === was) return [];
    return [`${id} is ${row.digest} now, and was ${was} when its own job ended: somebody else has moved it`];
  });
}

/**
 * The lines for the file `$GITHUB_OUTPUT`. `delimiter` gives an unguessable word; a value that holds it all the same gets
 * another, so that no value can end itself and begin another output.
 */
export function formatOutputs(values: Readonly<Record<string, string>>, delimiter: () => string): string {
  return Object.entries(values)
    .map(([name, value]) => {
      let end = delimiter();
      while (value.includes(end)) end = delimiter();
      return `${name}<<${end}\n${value}\n${end}\n`;
    })
    .join('');
}
