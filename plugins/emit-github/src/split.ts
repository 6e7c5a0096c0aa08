/** A job for each entry: what needs what is what the plan says, and a digest goes from job to job as an output. */
import { createHash } from 'node:crypto';
import { configFailure, fail, ok, type EmitInput, type Result } from '@slipway/core';
import { slipway } from './steps.ts';
import { expression, literal, type Job, type Step } from './workflow.ts';

/** Each is a machine to start, and the file would come near its limit. */
const MAX_JOBS = 1_000;

/** What is particular to a job. */
export interface Part extends Pick<Job, 'name' | 'needs' | 'outputs'> {
  readonly step: Step;
}

export function splitJobs(
  input: EmitInput,
  secrets: readonly string[],
  jobOf: (part: Part) => Job,
): Result<Readonly<Record<string, Job>>> {
  const { entries, selections } = input.plan;
  const count = entries.length + selections.length;
  if (input.context.together) {
    return fail(
      configFailure(
        'publish: together moves no tag before every image has passed, and a job knows nothing of the others',
        'leave --split away, or set publish: each',
      ),
    );
  }
  if (count > MAX_JOBS) {
    return fail(
      configFailure(
        `${count} entries would be ${count} jobs, and no more than ${MAX_JOBS} are written`,
        'leave --split away: one job does all entries side by side; or make several configs',
      ),
    );
  }
  if (count === 0) return fail(configFailure('the config has no entry, so there is no job to make', 'add an entry'));
  const part = (id: string, pattern: string, needs: readonly string[]) =>
    [jobId(id), jobOf(partOf(input, secrets, { id, pattern, needs: needs.toSorted() }))] as const;
  return ok(
    Object.fromEntries([
      ...entries.map(({ id, needs }) => part(id, escapeGlob(id), needs)),
      // Which tags there are is known when it runs: they are one job.
      ...selections.map(({ id }) => part(id, escapeGlob(id).replaceAll('\\{tag\\}', '*'), [])),
    ]),
  );
}

interface Piece {
  readonly id: string;
  /** What `--only` takes. */
  readonly pattern: string;
  readonly needs: readonly string[];
}

const OUTPUTS = { digest: expression('steps.slipway.outputs.digest') };

function partOf(input: EmitInput, secrets: readonly string[], { id, pattern, needs }: Piece): Part {
  const handed = needs.map((need) => `${literal(need)} ${expression(`needs.${jobId(need)}.outputs.digest`)}\n`);
  const env = {
    SLIPWAY_ENTRY: literal(pattern),
    // What the jobs before came to: the command warns when it finds another image in its place.
    ...(needs.length === 0 ? {} : { SLIPWAY_NEEDS: handed.join('') }),
  };
  return {
    name: literal(id),
    ...(needs.length === 0 ? {} : { needs: needs.map(jobId) }),
    outputs: OUTPUTS,
    step: slipway(input, { name: 'slipway run', command: 'run', secrets, env, args: ' --only "$SLIPWAY_ENTRY"' }),
  };
}

/** Letters, digits, `-` and `_`, beginning with a letter; readable, and different for different entries. */
export function jobId(entry: string): string {
  const readable = entry.replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^[-0-9]+|-+$/g, '');
  return `${readable.slice(0, 60)}-${createHash('sha256').update(entry).digest('hex').slice(0, 8)}`;
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]{}()!+@|]/g, '\\$&');
}
