/** What later steps and jobs read of a run: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings */
import type { Outcome, Row } from '../../journal/events.ts';

/** GitHub allows 1 MiB for all outputs of a job, which it counts in UTF-16; the rest is left to other steps. */
const MAX_DIGESTS = 400_000;

const OUTCOMES: readonly Outcome[] = ['published', 'unchanged', 'refused', 'failed', 'skipped', 'cancelled'];

/** `digests`: destination → digest, as JSON; left out where it would not fit. */
export function stepOutputs(run: string, rows: readonly Row[], exitCode: number): Readonly<Record<string, string>> {
  const counts = OUTCOMES.map((outcome) => [outcome, String(rows.filter((row) => row.outcome === outcome).length)]);
  const digests = JSON.stringify(
    Object.fromEntries(rows.flatMap(({ destination, digest }) => (digest === null ? [] : [[destination, digest]]))),
  );
  return {
    run,
    'exit-code': String(exitCode),
    ...(Object.fromEntries(counts) as Record<Outcome, string>),
    ...(digests.length > MAX_DIGESTS ? {} : { digests }),
  };
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
