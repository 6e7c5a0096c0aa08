/** The `exec` that a plugin gets: its declared tools only, with limits, and every end as a value. */
import { cancelled, errorCode, fail, ok, type Failure, type Result, type ToolFailure } from '../failure.ts';
import type { Exec, ExecOptions, Plugin } from '../plugin/api.ts';
import { toolEnvironment, writeDockerConfig, type DockerConfig, type Variables } from './environment.ts';
import type { FoundTool, ToolFinder } from './model.ts';
import { runProcess, type ProcessOutcome } from './process.ts';
import { createRedactor, secretsFromEnv, type Redactor } from './redact.ts';
import { removeTree } from './tmp.ts';
import { makeHome, makeNoCredentials } from './work-folders.ts';

export interface ExecDependencies {
  readonly plugin: Pick<Plugin, 'name' | 'needs'>;
  /** What runs, for messages: `image.copy@1`. */
  readonly hook: string;
  readonly finder: ToolFinder;
  /** Where tools run unless a call says otherwise. */
  readonly workFolder: string;
  /** The run's own temporary folder; it exists. */
  readonly tmpFolder: string;
  /** The credentials of these registry hosts, and of no other. */
  readonly dockerConfigFor: (hosts: readonly string[]) => Promise<DockerConfig>;
  readonly redact: Redactor;
  readonly signal: AbortSignal;
  /** Milliseconds for one call, unless the call says less or more. */
  readonly timeout: number;
  /** Called for each tool that is started. */
  readonly onTool: (name: string, version: string) => void;
  /** Called with each line of a tool's stderr, redacted. */
  readonly log: (line: string) => void;
  /** The environment that the allow-list reads; ours when absent. */
  readonly env?: Variables;
}

const MAX_OUTPUT = 32 * 1024 * 1024;
/** Lines of stderr that a failure carries. */
const SHOWN_LINES = 20;
const SHOWN_CHARACTERS = 300;

/** Builds the `exec` of one task. Never throws; see {@link Exec}. */
export function createExec(dependencies: ExecDependencies): Exec {
  return async (tool, args, options = {}) => {
    const found = await findTool(dependencies, tool);
    if (!found.ok) {
      return found;
    }
    if (dependencies.signal.aborted) {
      return fail(whyStopped(tool, dependencies.signal));
    }
    const prepared = await prepare(dependencies, tool, options);
    if (!prepared.ok) return prepared;
    const { credentials, env } = prepared.value;
    try {
      const redact = hiding(options.env ?? {}, dependencies.redact);
      return await start({ ...dependencies, redact }, found.value, args, options, env);
    } finally {
      if (credentials !== undefined) {
        await removeTree(credentials).catch(() => {});
      }
    }
  };
}

interface Prepared {
  /** A folder, for the caller to remove. */
  readonly credentials: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** The folders of one call: its home, and the credentials that it may use. */
async function prepare(dependencies: ExecDependencies, tool: string, options: ExecOptions): Promise<Result<Prepared>> {
  const { plugin, tmpFolder, dockerConfigFor, env = process.env } = dependencies;
  const hosts = options.hosts ?? [];
  const config = hosts.length > 0 ? await dockerConfigFor(hosts) : undefined;
  try {
    const credentials = config === undefined ? undefined : writeDockerConfig(tmpFolder, config);
    const dockerConfig = credentials ?? makeNoCredentials(tmpFolder);
    const folders = { home: makeHome(tmpFolder), tmp: tmpFolder, dockerConfig };
    return ok({ credentials, env: toolEnvironment(env, plugin.needs.env ?? [], options.env ?? {}, folders) });
  } catch (error) {
    const message = `the folders for ${tool} could not be made (${errorCode(error)})`;
    return fail(toolFailure(tool, 'permanent', message, 'see whether the disk is full'));
  }
}

/** A declared tool; a `plugin` failure when it is not declared. */
export async function findTool(
  { plugin, hook, finder }: Pick<ExecDependencies, 'plugin' | 'hook' | 'finder'>,
  tool: string,
): Promise<Result<FoundTool>> {
  const need = plugin.needs.tools.find(({ name }) => name === tool);
  if (need !== undefined) {
    return finder.find(need);
  }
  return fail({
    reason: 'plugin',
    class: 'permanent',
    plugin: plugin.name,
    hook,
    message: `plugin ${plugin.name} started "${tool}", which it does not declare in needs.tools`,
    hint: 'its author must add the tool and the accepted versions to needs.tools',
  });
}

/** Also hides what this one call hands to the tool as a secret. */
function hiding(env: Variables, redact: Redactor): Redactor {
  const secrets = secretsFromEnv(env);
  if (secrets.length === 0) return redact;
  const own = createRedactor(secrets);
  return Object.assign((text: string) => redact(own(text)), {
    values: (text: string) => redact.values(own.values(text)),
  });
}

async function start(
  dependencies: ExecDependencies,
  tool: FoundTool,
  args: readonly string[],
  options: ExecOptions,
  env: Readonly<Record<string, string>>,
): ReturnType<Exec> {
  dependencies.onTool(tool.name, tool.version);
  const timeout = options.timeout ?? dependencies.timeout;
  const outcome = await runProcess({
    path: tool.path,
    args,
    cwd: options.cwd ?? dependencies.workFolder,
    env,
    timeout,
    maxOutput: options.maxOutput ?? MAX_OUTPUT,
    signal: dependencies.signal,
    redact: dependencies.redact,
    onStderrLine: dependencies.log,
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (outcome.end === 'exit' && outcome.code === 0) {
    return ok({ stdout: dependencies.redact.values(outcome.stdout), stderr: outcome.stderr });
  }
  return fail(failureOf(tool.name, outcome, timeout, dependencies));
}

function failureOf(
  tool: string,
  outcome: ProcessOutcome,
  timeout: number,
  { signal, redact }: ExecDependencies,
): Failure {
  switch (outcome.end) {
    case 'exit': {
      // Some tools say on stdout why they failed. Cut before, half a secret would not be known for one.
      const said = outcome.stderr.trim() === '' ? redact(outcome.stdout).slice(-8192) : outcome.stderr;
      const output = lastLines(said);
      const last = output.split('\n').at(-1) ?? '';
      const message = `${tool} ended with exit code ${outcome.code}${last === '' ? '' : `: ${cut(last)}`}`;
      if (output.includes('no space left on device')) {
        const full = toolFailure(
          tool,
          'permanent',
          `${tool} found no space left on the disk`,
          'free some space where .slipway is',
        );
        return { ...full, exitCode: outcome.code, output };
      }
      const again = looksTransient(output);
      const hint = again
        ? 'the network or the other side had a problem: trying again can help'
        : `read what ${tool} says above`;
      const failure = toolFailure(tool, again ? 'transient' : 'permanent', message, hint);
      return { ...failure, exitCode: outcome.code, ...words(said) };
    }
    case 'signal':
      // Nobody of ours sent it: mostly the kernel, out of memory.
      return {
        ...toolFailure(
          tool,
          'transient',
          `${tool} was ended by ${outcome.signal}`,
          'the machine may have run out of memory: try fewer --jobs',
        ),
        ...words(outcome.stderr),
      };
    case 'timeout':
      return {
        ...toolFailure(
          tool,
          'transient',
          `${tool} did not end within ${seconds(timeout)}`,
          'raise the time limit of a task in the settings (limits.task)',
        ),
        ...words(outcome.stderr),
      };
    case 'overflow':
      return toolFailure(
        tool,
        'permanent',
        `${tool} wrote more output than it may`,
        `see whether this is the right ${tool}`,
      );
    case 'cancelled':
      return whyStopped(tool, signal);
    case 'not-started':
      return toolFailure(
        tool,
        'permanent',
        `${tool} could not be started: ${redact(outcome.message)}`,
        'slipway doctor shows which tools are found where',
      );
  }
}

/** A task's time limit also comes as an abort, with a reason of its own. */
function whyStopped(tool: string, signal: AbortSignal): Failure {
  const reason: unknown = signal.reason;
  if (!(reason instanceof Error) || reason.name !== 'TimeoutError') {
    return cancelled;
  }
  return toolFailure(
    tool,
    'transient',
    `${tool} did not end within the task's time limit`,
    'raise the time limit of a task in the settings (limits.task)',
  );
}

function toolFailure(tool: string, again: 'transient' | 'permanent', message: string, hint: string): ToolFailure {
  return { reason: 'tool', class: again, tool, message, hint };
}

const TRANSIENT: readonly RegExp[] = [
  /connection (?:refused|reset|timed out)|ECONNREFUSED|ECONNRESET|ETIMEDOUT|broken pipe|no route to host|network is unreachable/i,
  /i\/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout exceeded|unexpected EOF/i,
  /temporary failure in name resolution|server misbehaving/i,
  /\b(?:status(?: code)?|HTTP(?:\/[0-9.]+)?|code|error|unexpected|response)\b[^\n0-9]{0,24}\b(?:408|429|50[0234])\b/i,
  /\b(?:429 too many requests|500 internal server error|502 bad gateway|503 service unavailable|504 gateway time-?out)\b|TOOMANYREQUESTS/i,
];

/** Whether the last lines of a tool's stderr speak of the network or of a registry that is busy. */
export function looksTransient(output: string): boolean {
  return TRANSIENT.some((pattern) => pattern.test(output));
}

/** Nothing where the tool said nothing: an empty line would be shown as its words. */
function words(stderr: string): { readonly output?: string } {
  const output = lastLines(stderr);
  return output === '' ? {} : { output };
}

function lastLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-SHOWN_LINES)
    .join('\n');
}

function cut(line: string): string {
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS)}…`;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}
