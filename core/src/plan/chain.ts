/**
 * The tasks of one entry, in order. What a step reads from its input is its input type in run/steps/; the path of a
 * reference is a field of what the step at its other end gives (run/engine.ts), or the whole of it when empty.
 */
import type { TrustLevel } from '../config/settings-model.ts';
import { unreachable } from '../failure.ts';
import type { Admission, Data, Step, Task, TaskContract } from './model.ts';
import { needsOf, out } from './out.ts';
import { packageTaskId, taskId } from './task-id.ts';

/** The task that waits for every image of a plan whose tags move together; each tag waits for it. */
const TOGETHER = 'together';

/** An image of another entry: the digest that its step `settles` gives in this run, or what its tag names now. */
export type Taken =
  | { readonly entry: string; readonly target: string; readonly settles: Settles }
  | { readonly current: string };

/** The step after which others may take the entry's image: its tag, unless tags wait for one another. */
export type Settles = 'tag' | 'verify' | 'copy' | 'push' | 'resolve';

/** `full`: everything. `mirror`: trust level `copy`. `unsigned`: a `--to` run without `signing.scratch`. */
export type Shape = 'full' | 'mirror' | 'unsigned';

interface AnyChain {
  readonly id: string;
  /** Reference, or path of the build's source. */
  readonly source: string;
  /** `registry/path` of the first target. */
  readonly repository: string;
  readonly targets: readonly string[];
  readonly trust: TrustLevel;
  readonly always: boolean;
  /** Its tag moves only when every image of the plan has passed. */
  readonly together: boolean;
}

interface Copying extends AnyChain {
  /** The source must prove something before it is copied: the contract that looks. */
  readonly admits?: Admission;
  /** Between registries: layers that they only point to are copied too, which not every tool can. */
  readonly foreignLayers: boolean;
}

export interface SyncChain extends Copying {
  readonly kind: 'sync';
  readonly shape: Shape;
  /** Where its source is another entry's target, but none that was scanned and signed. */
  readonly taken?: Taken;
}

/** The image of another entry, which was scanned and signed there, so the same attachments are judged and travel along. */
export interface RetagChain extends Copying {
  readonly kind: 'retag';
  readonly shape: 'retag' | 'unsigned';
  /** In one repository: the image is there already, so nothing is copied. */
  readonly inPlace: boolean;
  /** `pinned`: by digest, `sha256:…`. */
  readonly taken: Taken | { readonly pinned: string };
}

export interface BuildChain extends AnyChain {
  readonly kind: 'build';
  readonly shape: Shape;
  /** The contract's mode, as `apko`. */
  readonly mode: string;
  /** As `linux/arm64`. */
  readonly platforms: readonly string[];
  /** Text in the source → image of another entry. */
  readonly bases: ReadonlyMap<string, Taken>;
  /** Melange configs whose packages it takes. */
  readonly packages: readonly string[];
}

export type ChainEntry = SyncChain | RetagChain | BuildChain;

export function chainTasks(entry: ChainEntry): readonly Task[] {
  const { id, repository, targets } = entry;
  const admits = entry.kind === 'build' ? undefined : entry.admits;
  const tasks: Task[] = [];
  const ids: { [step in Step]?: string } = {};
  /** One text for each, however often it is named. */
  const idOf = (step: Step): string => (ids[step] ??= taskId(id, step));
  const add = (step: Step, contract: TaskContract, input: Data): void => {
    tasks.push({ id: idOf(step), contract, entry: id, input, needs: needsOf(input) });
  };
  const from = (step: Step, path = ''): Data => out(idOf(step), path);

  add('probe', 'core.probe@1', probeInput(entry));
  add('resolve', 'core.resolve@1', { probed: from('probe'), inPlace: isInPlace(entry) });
  if (admits !== undefined) add('admit', admits, { probed: from('resolve', 'probed') });
  const probed = from(admits === undefined ? 'resolve' : 'admit', 'probed');
  const image = enterImage();
  const all: { readonly [key: string]: Data } = entry.together ? { all: out(TOGETHER, '') } : {};
  const built = entry.kind === 'build' ? { built: from('build') } : {};
  switch (entry.shape) {
    case 'mirror':
      add('tag', 'core.tag@1', { probed, image, targets, ...all });
      return tasks;
    case 'retag':
      add('gate', 'core.gate@1', { image, probed });
      if (!entry.inPlace) add('attach', 'core.attach@1', { image, probed, gate: from('gate') });
      add('verify', 'core.verify@1', { image, after: from(entry.inPlace ? 'gate' : 'attach') });
      break;
    case 'unsigned':
      add('scan', 'image.scan@1', { image });
      add('gate', 'core.gate@1', { image, probed, scan: from('scan') });
      add('tag', 'core.tag@1', { probed, image, gate: from('gate'), targets, ...all });
      return tasks;
    case 'full':
      add('scan', 'image.scan@1', { image });
      add('sbom', 'sbom.make@1', { image, ...built });
      add('gate', 'core.gate@1', { image, probed, scan: from('scan') });
      add('sign', 'statement.sign@1', {
        image,
        probed,
        scan: from('scan'),
        sbom: from('sbom'),
        gate: from('gate'),
        ...built,
      });
      add('attach', 'core.attach@1', { image, sign: from('sign') });
      add('verify', 'core.verify@1', { image, after: from('attach') });
      break;
    default:
      unreachable(entry);
  }
  add('tag', 'core.tag@1', { probed, image, digest: from('verify', 'digest'), targets, ...all });
  return tasks;

  /** Brings the image into the destination repository by digest, and refers to it there. */
  function enterImage(): Data {
    if (entry.kind === 'build') {
      const { mode, platforms, bases } = entry;
      const packages = entry.packages.map((config) => out(packageTaskId(config), 'repository'));
      add('build', `image.build@1/${mode}`, { probed, platforms, packages, ...imagesOf(bases) });
      add('push', 'core.push@1', { built: from('build'), destination: repository });
      return from('push');
    }
    if (isInPlace(entry)) return from('resolve', 'image');
    const foreign = entry.foreignLayers ? { foreignLayers: true } : {};
    add('copy', 'image.copy@1', { probed, destination: repository, ...foreign });
    return from('copy');
  }
}

/** One task between all images and all tags, so that there are as many edges as entries, and not their square. */
export function togetherTask(entries: readonly ChainEntry[]): Task {
  const input: Data = { passed: entries.map((entry) => out(taskId(entry.id, passes(entry)), '')) };
  return { id: TOGETHER, contract: 'core.together@1', entry: null, input, needs: needsOf(input) };
}

function isInPlace(entry: ChainEntry): boolean {
  return entry.kind === 'retag' && entry.inPlace;
}

/** The last step before the tag. */
function passes({ kind, shape }: ChainEntry): Step {
  if (shape === 'unsigned') return 'gate';
  if (shape === 'mirror') return kind === 'build' ? 'push' : 'copy';
  return 'verify';
}

/** A task that several images may share: one per melange config. */
export function packageTask(config: string, architectures: readonly string[], needs: readonly string[]): Task {
  const repositories = needs.map((need) => out(packageTaskId(need), 'repository'));
  const input: Data = { config, architectures, repositories };
  return { id: packageTaskId(config), contract: 'package.build@1', entry: null, input, needs: needsOf(input) };
}

/** What the entry waits for stands in its probe: whatever else it does comes after that. */
function probeInput(entry: ChainEntry): Data {
  const { source, targets, trust, always } = entry;
  return { source, targets, trust, always, ...(entry.kind === 'build' ? basesOf(entry.bases) : takenOf(entry)) };
}

function takenOf({ source, taken }: SyncChain | RetagChain): { readonly [key: string]: Data } {
  if (taken === undefined) return {};
  if ('pinned' in taken) return { pinned: taken.pinned };
  return 'entry' in taken ? { of: digestOf(taken) } : { current: { [source]: taken.current } };
}

/**
 * `bases`: text in the source → digest that an entry comes to in this run. `current`: text in the source → the target
 * whose present digest is used, because its entry does not run here.
 */
function basesOf(bases: ReadonlyMap<string, Taken>): { readonly [key: string]: Data } {
  const made: [string, Data][] = [];
  const current: [string, Data][] = [];
  for (const [text, base] of bases) {
    if ('entry' in base) made.push([text, digestOf(base)]);
    else current.push([text, base.current]);
  }
  return {
    ...(made.length === 0 ? {} : { bases: Object.fromEntries(made) }),
    ...(current.length === 0 ? {} : { current: Object.fromEntries(current) }),
  };
}

/** `images`: text in the source → the target whose repository has the image. A Dockerfile is never edited for `--to`. */
function imagesOf(bases: ReadonlyMap<string, Taken>): { readonly [key: string]: Data } {
  const images = [...bases].map(([text, base]) => [text, 'entry' in base ? base.target : base.current] as const);
  return images.length === 0 ? {} : { images: Object.fromEntries(images) };
}

function digestOf({ entry, settles }: Extract<Taken, { readonly entry: string }>): Data {
  return out(taskId(entry, settles), settles === 'resolve' ? 'image.digest' : 'digest');
}
