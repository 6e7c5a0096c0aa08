/** The manners that every plugin must have, each as a function that says what is wrong. */
import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { processesMarked, signalProcess } from '../exec/descendants.ts';
import type { ToolFinder } from '../exec/model.ts';
import type { Result } from '../failure.ts';
import type { JsonSchema, Plugin, TaskContext } from '../plugin/api.ts';
import { defaultLimits } from '../plugin/hooks.ts';
import { createHost, type Host } from '../plugin/host.ts';
import { loadPlugins } from '../plugin/load.ts';
import { checkOptions } from '../plugin/validate.ts';
import { readPlugin } from '../plugin/shape.ts';
import { createTestContext, type TestWorld } from './context.ts';
import { differences, takeSnapshot } from './snapshot.ts';
import { withVariables } from './variables.ts';

export interface Subject {
  readonly plugin: Plugin;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Fresh for each check: its folders must not be shared with another. */
  readonly world: () => Promise<TestWorld>;
  /** Makes the input and asks the plugin once. */
  readonly run: (host: Host, context: TaskContext, input: unknown) => Promise<Result<unknown>>;
  readonly input: () => Promise<unknown>;
  /** What of an output is not so, if anything; its shape was checked before. */
  readonly truth?: (output: unknown, input: unknown, world: TestWorld) => Promise<string | undefined>;
  /** Hostile variants of an input. */
  readonly mutants: (input: unknown, world: TestWorld) => Promise<readonly unknown[]>;
  /** What must be equal when it runs twice; `false`: nothing is promised. The whole output when absent. */
  readonly repeatable?: false | ((output: unknown) => unknown);
  /** Another implementation, whose results must be equal. */
  readonly against?: { readonly plugin: Plugin; readonly options?: Readonly<Record<string, unknown>> };
  /** Milliseconds after which the abort check aborts when no tool was started before. */
  readonly abortAfter?: number;
}

/** `undefined`: it is as it should be; otherwise what is wrong, for the author to read. */
export type Check = (subject: Subject) => Promise<string | undefined>;

const MARK = 'SLIPWAY_TEST_MARK';
/** Milliseconds from abort to the end of everything. */
const ABORT_LIMIT = 2000;
/** The host must not answer in the plugin's place before it is seen that the plugin does not. */
const LIMITS = { ...defaultLimits, stop: 2 * ABORT_LIMIT };

export const checks: Readonly<Record<string, Check>> = {
  'has the shape and the API version of a plugin, and strict options': shapeAndOptions,
  'gives an output that its contract allows': validOutput,
  'gives the same result twice': sameTwice,
  'gives the same result as the other implementation': sameAsOther,
  'ends within two seconds of an abort and leaves no process': endsOnAbort,
  'starts only the tools that it declares': declaredTools,
  'writes only below its own folders': ownFolders,
  'answers hostile input with a failure and never throws': neverThrows,
};

async function shapeAndOptions({ plugin }: Subject): Promise<string | undefined> {
  const shape = readPlugin(plugin);
  if (shape.kind !== 'plugin') {
    return shape.message;
  }
  const schema: JsonSchema = plugin.options ?? { type: 'object', additionalProperties: false };
  const checked = checkOptions(schema, { [`no-such-option-${randomUUID()}`]: true });
  if (checked.kind === 'schema') {
    return `its options schema is wrong: ${checked.message}`;
  }
  return checked.kind === 'ok'
    ? 'its options schema lets an unknown option pass: set additionalProperties to false'
    : undefined;
}

async function validOutput(subject: Subject): Promise<string | undefined> {
  const world = await subject.world();
  const input = await subject.input();
  const truth = (output: unknown) => subject.truth?.(output, input, world);
  const result = await runOnce({ ...subject, input: async () => input }, world, truth);
  return result.ok && typeof result.value === 'string' ? result.value : problemOf(result);
}

async function sameTwice(subject: Subject): Promise<string | undefined> {
  const { repeatable = (output: unknown) => output } = subject;
  if (repeatable === false) {
    return undefined;
  }
  const world = await subject.world();
  const first = await runOnce(subject, world, repeatable);
  const second = await runOnce(subject, world, repeatable);
  if (!first.ok || !second.ok) {
    return problemOf(first) ?? problemOf(second);
  }
  return isDeepStrictEqual(first.value, second.value)
    ? undefined
    : `${show(first.value)} the first time, ${show(second.value)} the second`;
}

async function sameAsOther(subject: Subject): Promise<string | undefined> {
  const { against, repeatable = (output: unknown) => output } = subject;
  if (against === undefined || repeatable === false) {
    return undefined;
  }
  const ours = await runOnce(subject, await subject.world(), repeatable);
  const theirs = await runOnce(
    { ...subject, plugin: against.plugin, options: against.options ?? {} },
    await subject.world(),
    repeatable,
  );
  if (!ours.ok || !theirs.ok) {
    return problemOf(ours) ?? problemOf(theirs);
  }
  return isDeepStrictEqual(ours.value, theirs.value)
    ? undefined
    : `${show(ours.value)} here, ${show(theirs.value)} from ${against.plugin.name}`;
}

async function endsOnAbort(subject: Subject): Promise<string | undefined> {
  const id = randomUUID();
  // Also what the plugin starts behind our back inherits this.
  return withVariables({ [MARK]: id }, async () => {
    try {
      return await abortOnce(subject, id);
    } finally {
      for (const pid of markedProcesses(id)) signalProcess(pid, 'SIGKILL');
    }
  });
}

async function abortOnce(subject: Subject, id: string): Promise<string | undefined> {
  const abort = new AbortController();
  const { world, plugin } = { world: await subject.world(), plugin: marked(subject.plugin) };
  const timer = setTimeout(() => abort.abort(), subject.abortAfter ?? 1000);
  try {
    const env = { ...(world.env ?? process.env), [MARK]: id };
    const aborted = new Promise<void>((resolve) =>
      abort.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    const onTool = (): void => void setTimeout(() => abort.abort(), 20);
    const running = runOnce({ ...subject, plugin }, { ...world, env }, undefined, { signal: abort.signal, onTool });
    await Promise.race([running, aborted]);
    if (abort.signal.aborted) {
      const late = await Promise.race([
        running.then(() => false),
        new Promise<true>((resolve) => setTimeout(resolve, ABORT_LIMIT, true)),
      ]);
      if (late) {
        return `it did not settle within ${ABORT_LIMIT} ms of the abort`;
      }
    }
    const left = markedProcesses(id);
    return left.length === 0 ? undefined : `${left.length} process(es) it started are still running`;
  } finally {
    clearTimeout(timer);
  }
}

function markedProcesses(id: string): readonly number[] {
  return processesMarked(`${MARK}=${id}`).filter((pid) => pid !== process.pid);
}

/** The same plugin, whose tools may see the mark. */
function marked(plugin: Plugin): Plugin {
  const { name, version, api, options, needs } = plugin;
  return {
    name,
    version,
    api,
    ...(options === undefined ? {} : { options }),
    needs: { ...needs, env: [...(needs.env ?? []), MARK] },
    apply: (hooks, given) => plugin.apply(hooks, given),
  };
}

async function declaredTools(subject: Subject): Promise<string | undefined> {
  const world = await subject.world();
  const declared = new Set(subject.plugin.needs.tools.map(({ name }) => name));
  const undeclared = new Set<string>();
  const finder = await prefound(world.finder, subject.plugin);
  const env = world.env ?? { ...process.env };
  const watch = (context: TaskContext): TaskContext => ({
    ...context,
    exec: (tool, args, options) => {
      if (!declared.has(tool)) {
        undeclared.add(tool);
      }
      return context.exec(tool, args, options);
    },
  });
  // Whatever it starts without asking us is not found.
  const PATH = await mkdtemp(join(world.work, 'no-tools-'));
  const result = await withVariables({ PATH }, () => runOnce(subject, { ...world, finder, env }, undefined, { watch }));
  return undeclared.size > 0
    ? `it started ${[...undeclared].join(', ')}, which needs.tools does not list`
    : problemOf(result);
}

/** Finds every declared tool now, so that an emptied PATH does not hide them. */
async function prefound(finder: ToolFinder, plugin: Plugin): Promise<ToolFinder> {
  const found = new Map(
    await Promise.all(plugin.needs.tools.map(async (need) => [need.name, await finder.find(need)] as const)),
  );
  return { find: async (need) => found.get(need.name) ?? finder.find(need) };
}

async function ownFolders(subject: Subject): Promise<string | undefined> {
  const world = await subject.world();
  // A world of the test's own may keep things where the next lines point elsewhere.
  const [finder, input, env] = [
    await prefound(world.finder, subject.plugin),
    await subject.input(),
    world.env ?? { ...process.env },
  ];
  // The machine's own folders: nobody sweeps there after a plugin.
  const machine = await mkdtemp(join(world.work, 'machine-'));
  const places = [
    { folder: world.root, leave: world.work, before: await takeSnapshot(world.root, world.work) },
    { folder: machine, leave: '', before: await takeSnapshot(machine, '') },
  ];
  const result = await withVariables({ HOME: machine, TMPDIR: machine }, () =>
    runOnce({ ...subject, input: async () => input }, { ...world, finder, env }),
  );
  const changed: string[] = [];
  for (const { folder, leave, before } of places)
    changed.push(...differences(before, await takeSnapshot(folder, leave)));
  return changed.length > 0 ? `it changed ${changed.slice(0, 5).join(', ')}` : problemOf(result);
}

async function neverThrows(subject: Subject): Promise<string | undefined> {
  const world = await subject.world();
  for (const mutant of await subject.mutants(await subject.input(), world)) {
    const result = await runOnce({ ...subject, input: async () => mutant }, world, undefined, {
      signal: AbortSignal.timeout(15_000),
    });
    if (!result.ok && result.failure.reason === 'plugin') {
      return `${result.failure.message}, for the input ${show(mutant)}`;
    }
  }
  return undefined;
}

interface RunExtras {
  readonly signal?: AbortSignal;
  readonly onTool?: () => void;
  readonly watch?: (context: TaskContext) => TaskContext;
}

/** One task in a context of its own; `project` is applied while its folders are still there. */
async function runOnce(
  subject: Subject,
  world: TestWorld,
  project: (output: unknown) => unknown = (output) => output,
  { watch = (context) => context, ...extras }: RunExtras = {},
): Promise<Result<unknown>> {
  const input = await subject.input();
  const host = await hostOf(subject);
  const context = await createTestContext({ ...world, plugin: subject.plugin, ...extras });
  try {
    const result = await subject.run(host, watch(context), input);
    return result.ok ? { ok: true, value: await project(result.value) } : result;
  } finally {
    await context.close();
  }
}

/** A host with this plugin alone; throws when it does not load, which is a broken test. */
async function hostOf({ plugin, options = {} }: Pick<Subject, 'plugin' | 'options'>): Promise<Host> {
  const settings = { folder: '/', plugins: [{ name: plugin.name, options }] };
  const loaded = await loadPlugins({ settings, defaults: new Map([[plugin.name, async () => plugin]]) });
  const hosted = loaded.ok ? await createHost(loaded.value, {}, { limits: LIMITS }) : loaded;
  if (!hosted.ok) {
    throw new Error(hosted.failures.map(({ message }) => message).join('\n'));
  }
  return hosted.value;
}

function problemOf(result: Result<unknown>): string | undefined {
  if (result.ok) {
    return undefined;
  }
  const output =
    result.failure.reason === 'tool' && result.failure.output !== undefined ? `\n${result.failure.output}` : '';
  return `it failed: ${result.failure.message}${output}`;
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 400) ?? 'nothing';
}
