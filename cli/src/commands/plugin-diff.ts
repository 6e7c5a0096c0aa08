/** `plugin diff A B`: what changes when one plugin is put in the place of another. */
import {
  configFailure,
  createHost,
  fail,
  loadPlugins,
  ok,
  openLookup,
  parseReference,
  pin,
  readScanInput,
  type Checked,
  type Failure,
  type FoundTool,
  type Host,
  type Result,
  type ScanInput,
  type Session,
  type Settings,
  type ToolFinder,
} from '@slipway/core';
import {
  comparable,
  compareCopies,
  compareSboms,
  compareScans,
  seedPackages,
  startScriptedRegistry,
  type Comparable,
  type ComparedCase,
  type Implementation,
} from '@slipway/core/testing';
import { createToolFinder } from '@slipway/tools';
import { answer, EXIT, refuse } from '../answer.ts';
import { ourPlugins } from '../default-plugins.ts';
import type { Io } from '../io.ts';
import { readSettings } from '../load.ts';
import { VERSION } from '../version.ts';

export interface PluginDiffOptions {
  readonly settings?: string;
  readonly contract?: string;
  readonly image?: string;
  readonly json: boolean;
}

const COMMAND = 'plugin diff';

/** Exit 0: nothing differs; 1: something does. */
export async function pluginDiffCommand(
  io: Io,
  names: readonly [a: string, b: string],
  options: PluginDiffOptions,
): Promise<number> {
  const refused = (failures: readonly Failure[]): number => refuse(io, options.json, COMMAND, failures);
  const loaded = await readSettings(io, options, io.cwd);
  if (!loaded.ok) return refused(loaded.failures);
  const settings = loaded.value;
  const finder = createToolFinder({ env: io.env });
  const [a, b] = [await hostOf(names[0], settings), await hostOf(names[1], settings)];
  if (!a.ok || !b.ok) return refused([...(a.ok ? [] : a.failures), ...(b.ok ? [] : b.failures)]);
  const contract = contractOf([a.value, b.value], names, options.contract);
  if (!contract.ok) return refused([contract.failure]);
  const open = (host: Host): ReturnType<typeof openLookup> =>
    openLookup({ settings, host, finder, env: io.env, version: VERSION, folder: io.cwd, signal: io.interrupt });
  const one = await open(a.value);
  if (!one.ok) return refused([one.failure]);
  await using first = one.value;
  const other = await open(b.value);
  if (!other.ok) return refused([other.failure]);
  await using second = other.value;
  const sides = [
    await sideOf(a.value, first, contract.value, finder, io),
    await sideOf(b.value, second, contract.value, finder, io),
  ] as const;
  const [ours, theirs] = sides;
  if (!ours.ok || !theirs.ok) return refused(sides.flatMap((side) => (side.ok ? [] : side.failures)));
  const cases = await compare(contract.value, [ours.value, theirs.value], first, options.image);
  if (io.interrupt.aborted) return EXIT.interrupted;
  if (!cases.ok) return refused([cases.failure]);
  const plugins = [ours.value, theirs.value].map(({ name, version, tools }) => ({ name, version, tools }));
  const exitCode = cases.value.every(({ equal }) => equal) ? EXIT.done : EXIT.failed;
  const body = { contract: contract.value, plugins, cases: cases.value };
  return answer(io, options.json, COMMAND, exitCode, body, () => describe(contract.value, plugins, cases.value));
}

/** The plugin alone, with the options that the settings give it. */
async function hostOf(name: string, settings: Settings): Promise<Checked<Host>> {
  const own = ourPlugins.get(name);
  const setting = settings.plugins.find((each) => each.name === name) ?? { name, options: {} };
  const plugins = await loadPlugins({
    settings: { folder: settings.folder, plugins: [setting] },
    defaults: own === undefined ? new Map() : new Map([[name, own]]),
  });
  return plugins.ok ? createHost(plugins.value, {}) : plugins;
}

/** The one asked for, else the only one that both implement. */
function contractOf(hosts: readonly Host[], names: readonly string[], asked: string | undefined): Result<Comparable> {
  const common = comparable.filter((contract) => hosts.every((host) => host.owner(contract) !== undefined));
  const chosen =
    asked === undefined ? common : common.filter((contract) => [contract, withoutVersion(contract)].includes(asked));
  const [only, ...more] = chosen;
  if (only !== undefined && more.length === 0) return ok(only);
  const who = names.join(' and ');
  if (more.length > 0)
    return fail(configFailure(`${who} both implement ${chosen.join(', ')}`, 'say which with --contract'));
  const what = asked === undefined ? 'have no contract in common' : `do not both implement ${asked}`;
  const known =
    common.length === 0 ? `these can be compared: ${comparable.join(', ')}` : `both implement ${common.join(', ')}`;
  return fail(configFailure(`${who} ${what}`, known));
}

function withoutVersion(contract: string): string {
  return contract.slice(0, contract.lastIndexOf('@'));
}

type Compared = Implementation & {
  readonly version: string;
  readonly tools: readonly Pick<FoundTool, 'name' | 'version'>[];
};

/** Fails when a tool that the plugin needs is not there. */
async function sideOf(
  host: Host,
  session: Session,
  contract: Comparable,
  finder: ToolFinder,
  io: Io,
): Promise<Checked<Compared>> {
  const found = await Promise.all(host.toolNeeds(contract).map((need) => finder.find(need)));
  const failures = found.flatMap((each) => (each.ok ? [] : [each.failure]));
  if (failures.length > 0) return { ok: false, failures };
  const tools = found.flatMap((each) => (each.ok ? [{ name: each.value.name, version: each.value.version }] : []));
  const { name = '', version = '' } = host.owner(contract)?.plugin ?? {};
  let asked = 0;
  const context = () => {
    asked += 1;
    const task = { id: `${COMMAND} ${asked}`, contract, entry: null, input: {}, needs: [] };
    return session.engine.context(task, contract, io.interrupt);
  };
  return { ok: true, value: { name, version, tools, host, context } };
}

async function compare(
  contract: Comparable,
  pair: readonly [Compared, Compared],
  session: Session,
  image: string | undefined,
): Promise<Result<readonly ComparedCase[]>> {
  if (contract === 'image.copy@1') return ok(await compareCopies(pair));
  await using sample = await startScriptedRegistry();
  const input = await imageOf(session, image, sample);
  if (!input.ok) return input;
  return ok(await (contract === 'sbom.make@1' ? compareSboms : compareScans)(pair, input.value));
}

async function imageOf(
  session: Session,
  image: string | undefined,
  sample: Awaited<ReturnType<typeof startScriptedRegistry>>,
): Promise<Result<ScanInput>> {
  const named = parseReference(image ?? `${sample.host}/compare/packages:sample`);
  if (!named.ok) return named;
  const { registry } = session.engine;
  if (image !== undefined) return readScanInput(registry, named.value);
  const { digest } = seedPackages(sample, named.value.path);
  return readScanInput(registry, pin(named.value, digest));
}

function describe(
  contract: Comparable,
  plugins: readonly Pick<Compared, 'name' | 'version' | 'tools'>[],
  cases: readonly ComparedCase[],
): string {
  const who = plugins.map(({ name, version, tools }) => {
    const uses = tools.map((tool) => `${tool.name} ${tool.version}`).join(', ');
    return `${name} ${version}${uses === '' ? '' : ` (${uses})`}`;
  });
  const lines = cases.flatMap(({ name, equal, differences, neither }) => [
    `${equal ? 'equal  ' : 'differs'}  ${name}${neither === undefined ? '' : `: neither can (${neither})`}`,
    ...differences.map((difference) => `         ${difference}`),
  ]);
  const different = cases.filter(({ equal }) => !equal).length;
  const sum = different === 0 ? 'nothing differs' : `${different} of ${cases.length} differ`;
  return `${contract}: ${who.join(' and ')}\n${lines.join('\n')}\n${sum}\n`;
}
