/** Asks two implementations of one contract the same, and says in what their results differ. */
import type { Result } from '../failure.ts';
import type { TaskContext } from '../plugin/api.ts';
import type { ContractName, ContractOutput, ScanInput } from '../plugin/contract-api.ts';
import type { Host } from '../plugin/host.ts';
import { parseRepository, pin, type Repository } from '../reference.ts';
import type { Finding } from '../trust/model.ts';
import { installedPackages } from '../trust/spdx.ts';
import { imageKinds } from './sample-kinds.ts';
import { startScriptedRegistry, type ScriptedRegistry } from './scripted-registry.ts';

/** One plugin, on a host of its own. */
export interface Implementation {
  readonly name: string;
  readonly host: Pick<Host, 'call'>;
  /** A fresh context for one task; disposed of after it. */
  readonly context: () => Promise<TaskContext & AsyncDisposable>;
}

export interface ComparedCase {
  /** What both were given. */
  readonly name: string;
  readonly equal: boolean;
  /** One sentence each, with the names of the plugins. */
  readonly differences: readonly string[];
  /** Both failed, in the words of the first: equal, and yet nothing to rely on. */
  readonly neither?: string;
}

/** The contracts whose results can be compared. */
export const comparable = ['image.copy@1', 'image.scan@1', 'sbom.make@1'] as const satisfies readonly ContractName[];
export type Comparable = (typeof comparable)[number];

type Pair<T> = readonly [a: T, b: T];

/**
 * Copies an image of each kind from a throw-away registry to two others, and compares all that is there afterwards. Two
 * refusals count as equal, whatever their words.
 */
export async function compareCopies(pair: Pair<Implementation>): Promise<readonly ComparedCase[]> {
  await using source = await startScriptedRegistry();
  const cases: ComparedCase[] = [];
  for (const [position, [name, seed]] of Object.entries(imageKinds).entries()) {
    const path = `compare/kind-${position}`;
    const { digest } = seed(source, path);
    await using a = await startScriptedRegistry();
    await using b = await startScriptedRegistry();
    const copy = ({ host, context }: Implementation, to: ScriptedRegistry) =>
      inContext(context, (task) =>
        host.call(
          'image.copy@1',
          { sources: [pin(at(source, path), digest)], destination: pin(at(to, path), digest) },
          task,
        ),
      );
    const results = [await copy(pair[0], a), await copy(pair[1], b)] as const;
    cases.push(
      compared(name, pair, results, () => [
        ...named(pair, setDifference(contentOf(a, path), contentOf(b, path)), 'stored'),
        ...named(pair, setDifference(new Set(a.tags(path)), new Set(b.tags(path))), 'made the tag'),
      ]),
    );
  }
  return cases;
}

/** Lists the packages of one image with both; a case a child. */
export async function compareSboms(pair: Pair<Implementation>, input: ScanInput): Promise<readonly ComparedCase[]> {
  const results = await both(pair, (host, task) => host.call('sbom.make@1', input, task));
  return input.children.map(({ digest, platform }) => {
    const packages = ({ documents }: ContractOutput<'sbom.make@1'>): ReadonlySet<string> => {
      const document = documents.find((each) => each.digest === digest);
      return new Set(document === undefined ? [] : sbomPackages(document.spdx));
    };
    const name = `packages of ${platform.os}/${platform.architecture}`;
    return compared(name, pair, results, (a, b) => named(pair, setDifference(packages(a), packages(b)), 'found'));
  });
}

/** Scans one image with both; a case a child. */
export async function compareScans(pair: Pair<Implementation>, input: ScanInput): Promise<readonly ComparedCase[]> {
  const results = await both(pair, (host, task) => host.call('image.scan@1', input, task));
  return input.children.map(({ digest, platform }) => {
    const found = ({ platforms }: ContractOutput<'image.scan@1'>): ReadonlySet<string> => {
      const scan = platforms.find((each) => each.digest === digest);
      const ended = scan?.endOfLife === true ? ['that its system is at its end of life'] : [];
      return new Set([`that it is ${scan?.status ?? 'unscanned'}`, ...ended, ...(scan?.findings ?? []).map(lineOf)]);
    };
    const name = `findings of ${platform.os}/${platform.architecture}`;
    return compared(name, pair, results, (a, b) => named(pair, setDifference(found(a), found(b)), 'found'));
  });
}

/** The packages that a document lists, in an order of their own, without what only one tool says of them. */
export function sbomPackages(spdx: unknown): readonly string[] {
  return [...new Set(installedPackages(spdx))].sort();
}

function lineOf({ id, severity, package: name, installed, fixed }: Finding): string {
  return `${id} (${severity}) in ${name} ${installed}, ${fixed === undefined ? 'not fixed' : `fixed in ${fixed}`}`;
}

async function both<T>(
  pair: Pair<Implementation>,
  ask: (host: Implementation['host'], task: TaskContext) => Promise<Result<T>>,
): Promise<Pair<Result<T>>> {
  const [a, b] = pair;
  return [
    await inContext(a.context, (task) => ask(a.host, task)),
    await inContext(b.context, (task) => ask(b.host, task)),
  ];
}

async function inContext<T>(context: Implementation['context'], work: (task: TaskContext) => Promise<T>): Promise<T> {
  await using task = await context();
  return await work(task);
}

function compared<T>(
  name: string,
  [a, b]: Pair<Implementation>,
  [ours, theirs]: Pair<Result<T>>,
  differencesOf: (a: T, b: T) => readonly string[],
): ComparedCase {
  if (ours.ok && theirs.ok) {
    const differences = differencesOf(ours.value, theirs.value);
    return { name, equal: differences.length === 0, differences };
  }
  if (!ours.ok && !theirs.ok) return { name, equal: true, differences: [], neither: ours.failure.message };
  const say = (who: Implementation, result: Result<T>): string =>
    `${who.name}: ${result.ok ? 'succeeded' : result.failure.message}`;
  return { name, equal: false, differences: [say(a, ours), say(b, theirs)] };
}

interface SetDifference {
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

function setDifference(a: ReadonlySet<string>, b: ReadonlySet<string>): SetDifference {
  return { onlyA: [...a].filter((item) => !b.has(item)).sort(), onlyB: [...b].filter((item) => !a.has(item)).sort() };
}

function named([a, b]: Pair<Implementation>, { onlyA, onlyB }: SetDifference, did: string): readonly string[] {
  return [
    ...onlyA.map((item) => `only ${a.name} ${did} ${item}`),
    ...onlyB.map((item) => `only ${b.name} ${did} ${item}`),
  ];
}

/** The digest names the bytes, and the registry took none that did not match; only a manifest's type could still differ. */
function contentOf(registry: ScriptedRegistry, repository: string): ReadonlySet<string> {
  const { manifests, blobs } = registry.stored(repository);
  return new Set([
    ...manifests.map(({ digest, type }) => `the manifest ${digest} (${type})`),
    ...blobs.map((digest) => `the blob ${digest}`),
  ]);
}

function at(registry: ScriptedRegistry, path: string): Repository {
  const repository = parseRepository(`${registry.host}/${path}`);
  if (!repository.ok) throw new Error(repository.failure.message);
  return repository.value;
}
