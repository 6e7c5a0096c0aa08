/** The contract suite: what each plugin's test begins with. */
import { configFailure, fail, ok, type Result } from '../failure.ts';
import { emitPlan } from '../plan/emit.ts';
import type { BuildContext, Built, TaskContext } from '../plugin/api.ts';
import type { ContractInput, ContractName, ContractOutput } from '../plugin/contract-api.ts';
import type { Host } from '../plugin/host.ts';
import { contractSchemas, isContractKey } from '../plugin/schemas.ts';
import { checkOf } from '../plugin/validate.ts';
import { folderFiles } from '../plan/files.ts';
import { checks, type Subject } from './checks.ts';
import { brokenSources, mutantsOf } from './mutants.ts';
import { truthOfBuild, truths } from './truth.ts';

/** `describe` and `it` of the test runner, as vitest has them. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>, timeout?: number) => unknown;
}

type Common = Pick<Subject, 'plugin' | 'options' | 'world' | 'against' | 'abortAfter'> & {
  /** Hostile inputs that are tried, 12 unless told; each may start a tool. */
  readonly hostile?: number;
  /** Milliseconds for one check, 60,000 unless told. */
  readonly timeout?: number;
};

export interface ContractCase<N extends ContractName> extends Common {
  readonly contract: N;
  /** As `implement` got it: the registry host, for `tags.list@1`, or the format, for `plan.emit@1`. */
  readonly part?: string;
  readonly input: () => Promise<ContractInput<N>>;
  readonly repeatable?: false | ((output: ContractOutput<N>) => unknown);
}

/** What a mode's `build` gets besides the task's context. */
export type ModeInput = Omit<BuildContext, keyof TaskContext>;

export interface ModeCase extends Common {
  readonly mode: string;
  readonly input: () => Promise<ModeInput>;
  /** Asked while the layout is still there. */
  readonly repeatable: false | ((built: { readonly layout: string }) => unknown);
}

/** Registers one test a check for a plugin's implementation of a contract. */
export function contractSuite<N extends ContractName>(runner: Runner, given: ContractCase<N>): void {
  const key = keyOf(given.contract, given.part);
  register(runner, `${given.plugin.name} implements ${key}`, contractSubject(given), given.timeout);
}

/** Registers one test a check for a mode that a plugin brings. */
export function modeSuite(runner: Runner, given: ModeCase): void {
  register(runner, `${given.plugin.name} brings the mode ${given.mode}`, modeSubject(given), given.timeout);
}

/** What an owner is of; throws where there could be none, which is a broken test. */
function keyOf(contract: ContractName, part?: string): string {
  const key = part === undefined ? contract : `${contract}/${part}`;
  if (isContractKey(key)) return key;
  throw new Error(
    `no plugin can implement ${key}: "part" says which host of tags.list@1, or which format of plan.emit@1`,
  );
}

/** As the engine asks: an emitter is given less than others are. */
function ask(
  host: Host,
  { contract, part = '' }: { readonly contract: ContractName; readonly part?: string | undefined },
  context: TaskContext,
  input: unknown,
): Promise<Result<unknown>> {
  if (contract === 'tags.list@1') return host.listTags(part, input as ContractInput<'tags.list@1'>, context);
  if (contract !== 'plan.emit@1') return host.call(contract, input as never, context);
  return emitPlan(host, part, input as ContractInput<'plan.emit@1'>, { ...context, root: context.files.root });
}

export function contractSubject<N extends ContractName>({
  contract,
  part,
  input,
  repeatable,
  hostile = 12,
  ...common
}: ContractCase<N>): Subject {
  keyOf(contract, part);
  const allowed = checkOf(contractSchemas[contract].input);
  const truth = truths[contract];
  return {
    ...common,
    input,
    run: (host, context, asked) => ask(host, { contract, part }, context, asked),
    ...(truth === undefined ? {} : { truth: truth as Subject['truth'] & {} }),
    mutants: async (asked) => mutantsOf(asked, (mutant) => allowed(mutant) === undefined, hostile),
    ...(repeatable === undefined ? {} : { repeatable: repeatable as Subject['repeatable'] & {} }),
  };
}

/** Without `inputs` the mode is asked for them, as the planner would. */
type HostileModeInput = Omit<ModeInput, 'inputs'> & Partial<Pick<ModeInput, 'inputs'>>;

export function modeSubject({ mode, input, repeatable, hostile = 12, ...common }: ModeCase): Subject {
  return {
    ...common,
    input,
    run: async (host, context, asked) => {
      const found = host.modes.find(({ name }) => name === mode);
      if (found === undefined) {
        return fail(configFailure(`the plugin brings no mode "${mode}"`));
      }
      const given = asked as HostileModeInput;
      const { entry } = given;
      const inputs =
        given.inputs === undefined ? await found.inputs(entry, folderFiles(context.files.root)) : ok(given.inputs);
      return inputs.ok ? found.build({ ...context, ...given, inputs: inputs.value }) : inputs;
    },
    truth: (output, asked) => truthOfBuild(output as Built, asked as ModeInput),
    // Only the entry and its source come from outside; the rest is the core's.
    mutants: async (asked, { root }) => {
      const { inputs, ...given } = asked as ModeInput;
      const { entry } = given;
      const byOptions = mutantsOf(entry.options, () => true, hostile).map((options): HostileModeInput => ({
        ...given,
        inputs,
        entry: { ...entry, options: options as typeof entry.options },
      }));
      const bySource = (await brokenSources(root, entry.source)).map((source): HostileModeInput => ({
        ...given,
        entry: { ...entry, source },
      }));
      return [...byOptions, ...bySource];
    },
    repeatable: repeatable as Subject['repeatable'] & {},
  };
}

function register({ describe, it }: Runner, title: string, subject: Subject, timeout = 60_000): void {
  describe(title, () => {
    for (const [name, check] of Object.entries(checks)) {
      if (name.includes('other implementation') && subject.against === undefined) {
        continue;
      }
      it(
        name,
        async () => {
          const problem = await check(subject);
          if (problem !== undefined) {
            throw new Error(`${subject.plugin.name}: ${problem}`);
          }
        },
        timeout,
      );
    }
  });
}
