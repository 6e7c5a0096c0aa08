/** A plan as workflows. Equal plans give equal bytes; nothing of the day or the branch is in them. */
import { configFailure, fail, ok, type EmitInput, type EmitOutput, type Failure, type Result } from '@slipway/core';
import { unacceptedSigner } from './identities.ts';
import { splitJobs, type Part } from './split.ts';
import {
  endScratchRegistry,
  login,
  preparation,
  publishesToGhcr,
  scratchRegistry,
  slipway,
  usesGhcr,
} from './steps.ts';
import { expression, format, type Job, type Workflow } from './workflow.ts';

const PULL_REQUEST = 'pull-request';

/** Bytes of a workflow: https://docs.github.com/en/actions/reference/limits */
const MAX_FILE = 500_000;

export interface Options {
  readonly runsOn: string;
  /** As cron has it, in UTC. */
  readonly schedule: string;
}

export function emit(input: EmitInput, options: Options): Result<EmitOutput> {
  const workflows = workflowsOf(input, options);
  if (!workflows.ok) return workflows;
  const files = [...workflows.value].map(([name, workflow]) => ({
    path: `workflows/${name}.yml`,
    content: format(workflow),
  }));
  const tooLarge = files.find(({ content }) => Buffer.byteLength(content) > MAX_FILE);
  if (tooLarge !== undefined) return fail(tooMuch(tooLarge.path, Buffer.byteLength(tooLarge.content)));
  const publishing = [...workflows.value.keys()].filter((name) => name !== PULL_REQUEST);
  const warning = unacceptedSigner(input, publishing);
  return ok({ files, ...(warning === undefined ? {} : { warnings: [warning] }) });
}

function tooMuch(path: string, bytes: number): Failure {
  return configFailure(
    `${path} would have ${bytes} bytes, and GitHub takes ${MAX_FILE} of a workflow`,
    'leave --split away: one job does all entries side by side; or make several configs',
  );
}

function workflowsOf(input: EmitInput, options: Options): Result<ReadonlyMap<string, Workflow>> {
  const found = new Map<string, Workflow>();
  const secrets = productionSecrets(input);
  if (input.split) {
    const jobs = splitJobs(input, secrets, publisher(input, options));
    if (!jobs.ok) return jobs;
    found.set('run', regular('run', input, options, jobs.value));
  } else {
    const publishing = publisher(input, options);
    for (const kind of kindsOf(input)) {
      const step = slipway(input, { name: `slipway ${kind}`, command: kind, secrets });
      found.set(kind, regular(kind, input, options, { [kind]: publishing({ name: kind, step }) }));
    }
  }
  const scan = slipway(input, { name: 'slipway scan', command: 'scan', secrets });
  found.set('scan', {
    ...common('scan', { schedule: [{ cron: options.schedule }], workflow_dispatch: {} }),
    jobs: { scan: publisher(input, options)({ name: 'scan', step: scan }) },
  });
  found.set(PULL_REQUEST, pullRequest(input, options));
  return ok(found);
}

function kindsOf({ plan }: EmitInput): readonly ('build' | 'sync')[] {
  const syncs = plan.selections.length > 0 || plan.entries.some(({ kind }) => kind === 'sync');
  return [
    ...(plan.entries.some(({ kind }) => kind === 'build') ? ['build' as const] : []),
    ...(syncs ? ['sync' as const] : []),
  ];
}

/** For pushes to main, every week, and by hand. */
function regular(
  name: string,
  { context }: EmitInput,
  { schedule }: Options,
  jobs: Readonly<Record<string, Job>>,
): Workflow {
  const on = { push: { branches: [context.main] }, schedule: [{ cron: schedule }], workflow_dispatch: {} };
  return { ...common(name, on), jobs };
}

function common(name: string, on: Workflow['on']): Omit<Workflow, 'jobs'> {
  return {
    name,
    on,
    permissions: {},
    // What runs is let to its end; what comes after takes everything that has changed by then.
    concurrency: { group: `slipway-${name}-${expression('github.ref')}`, 'cancel-in-progress': false },
    defaults: { run: { shell: 'bash' } },
  };
}

/** Jobs that may publish and sign, which share all but what is particular to each. */
function publisher(input: EmitInput, { runsOn }: Options): (part: Part) => Job {
  const { context } = input;
  const permissions: Job['permissions'] = {
    contents: 'read',
    ...(publishesToGhcr(input) ? { packages: 'write' } : usesGhcr(input) ? { packages: 'read' } : {}),
    ...(context.production.keyless ? { 'id-token': 'write' } : {}),
  };
  const before = [...preparation(input), ...login(input)];
  return ({ name, needs, outputs, step }) => ({
    name,
    // By hand, any branch may be chosen.
    if: `github.ref == 'refs/heads/${context.main.replaceAll("'", "''")}'`,
    'runs-on': runsOn,
    ...(needs === undefined ? {} : { needs }),
    permissions,
    ...(outputs === undefined ? {} : { outputs }),
    steps: [...before, step],
  });
}

function productionSecrets({ context }: EmitInput): readonly string[] {
  return [...context.secrets, ...context.production.secrets];
}

/** Everything but publishing: to a registry that ends with the job, never with the production key. */
function pullRequest(input: EmitInput, { runsOn }: Options): Workflow {
  const { context } = input;
  const compare = slipway(input, {
    name: 'Compare the workflows with the config',
    id: 'compare',
    command: 'emit github --check',
    secrets: [],
    args: input.split ? ' --split' : '',
  });
  const run = slipway(input, {
    name: 'slipway run',
    command: 'run',
    secrets: [...context.secrets, ...(context.scratch?.secrets ?? [])],
    args: ' --to "$SLIPWAY_SCRATCH"',
  });
  return {
    ...common(PULL_REQUEST, { pull_request: { branches: [context.main] } }),
    concurrency: { group: `slipway-${PULL_REQUEST}-${expression('github.ref')}`, 'cancel-in-progress': true },
    jobs: {
      try: {
        name: 'try',
        'runs-on': runsOn,
        permissions: {
          contents: 'read',
          ...(usesGhcr(input) ? { packages: 'read' } : {}),
          ...(context.scratch?.keyless === true ? { 'id-token': 'write' } : {}),
        },
        steps: [...preparation(input), ...login(input), compare, ...scratchRegistry(), run, endScratchRegistry()],
      },
    },
  };
}
