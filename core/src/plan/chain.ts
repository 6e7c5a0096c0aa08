/**
 * The tasks of one entry, in order. Paths of `$out` references are the fields that the step at their other end gives:
 *
 *   probe why · resolve source · copy, push digest · build "" (its layout), sboms, materials · scan "" · sbom documents ·
 *   gate verdict · sign bundles · attach referrers · verify digest · tag digest · package repository
 */
import type { TrustLevel } from '../config/model.ts';
import type { Data, Step, Task } from './model.ts';
import { needsOf, out } from './out.ts';

/**
 * `full`: everything. `mirror`: trust level `copy`. `retag`: the image of another entry, which was scanned and signed
 * there, so the same attachments are judged and travel along.
 */
export type Shape = 'full' | 'mirror' | 'retag';

/** An image of another entry: what that entry's tag step gives in this run, or what its tag names now. */
export type Taken = { readonly entry: string } | { readonly current: string };

export interface ChainEntry {
  readonly id: string;
  /** Reference, or path of the build's source. */
  readonly source: string;
  /** `registry/path` of the first target. */
  readonly repository: string;
  readonly targets: readonly string[];
  readonly trust: TrustLevel;
  readonly always: boolean;
  readonly shape: Shape;
  /** Of a retag in one repository: the image is there already, so nothing is copied. */
  readonly inPlace: boolean;
  /** Of a sync whose source is another entry's target. */
  readonly taken?: Taken;
  /** Of a retag by digest: `sha256:…`. */
  readonly pinned?: string;
  readonly build?: {
    /** The contract's mode, as `apko`. */
    readonly mode: string;
    /** As `linux/arm64`. */
    readonly platforms: readonly string[];
    /** Text in the source → image of another entry. */
    readonly bases: ReadonlyMap<string, Taken>;
    /** Melange configs whose packages it takes. */
    readonly packages: readonly string[];
  };
}

export function chainTasks(entry: ChainEntry): readonly Task[] {
  const { id, repository, shape, build } = entry;
  const tasks: Task[] = [];
  const add = (step: Step, contract: string, input: Data): void => {
    tasks.push({ id: `${id}#${step}`, contract, entry: id, input, needs: needsOf(input) });
  };
  const from = (step: Step, path: string): Data => out(`${id}#${step}`, path);

  add('probe', 'core.probe@1', probeInput(entry));
  add('resolve', 'core.resolve@1', { source: entry.source, targets: entry.targets, why: from('probe', 'why') });
  const image = enterImage();
  if (shape === 'mirror') {
    add('tag', 'core.tag@1', { digest: image, targets: entry.targets });
    return tasks;
  }
  if (shape === 'retag') {
    add('gate', 'core.gate@1', { subject: image, scan: 'attached' });
    if (entry.inPlace) {
      add('verify', 'core.verify@1', { subject: image, gate: from('gate', 'verdict') });
    } else {
      add('attach', 'core.attach@1', { subject: image, bundles: 'of the source', gate: from('gate', 'verdict') });
      add('verify', 'core.verify@1', { subject: image, attached: from('attach', 'referrers') });
    }
  } else {
    add('scan', 'image.scan@1', { repository, subject: image });
    add('sbom', 'sbom.make@1', { repository, subject: image, ...(build === undefined ? {} : { built: from('build', 'sboms') }) });
    add('gate', 'core.gate@1', { subject: image, scan: from('scan', '') });
    add('sign', 'statement.sign@1', {
      subject: image,
      gate: from('gate', 'verdict'),
      scan: from('scan', ''),
      sbom: from('sbom', 'documents'),
      ...(build === undefined ? {} : { materials: from('build', 'materials') }),
    });
    add('attach', 'core.attach@1', { subject: image, bundles: from('sign', 'bundles') });
    add('verify', 'core.verify@1', { subject: image, attached: from('attach', 'referrers') });
  }
  add('tag', 'core.tag@1', { digest: from('verify', 'digest'), targets: entry.targets });
  return tasks;

  /** Brings the image into the destination repository by digest, and gives the reference to that digest. */
  function enterImage(): Data {
    if (build !== undefined) {
      add('build', `image.build@1/${build.mode}`, {
        source: entry.source,
        platforms: build.platforms,
        resolution: from('resolve', ''),
        packages: build.packages.map((config) => out(packageTaskId(config), 'repository')),
      });
      add('push', 'core.push@1', { layout: from('build', ''), destination: repository });
      return from('push', 'digest');
    }
    if (entry.inPlace) return from('resolve', 'source');
    add('copy', 'image.copy@1', { source: from('resolve', 'source'), destination: repository });
    return from('copy', 'digest');
  }
}

/** A task that several images may share: one per melange config. */
export function packageTask(config: string, architectures: readonly string[], needs: readonly string[]): Task {
  const repositories = needs.map((need) => out(packageTaskId(need), 'repository'));
  const input: Data = { config, architectures, repositories };
  return { id: packageTaskId(config), contract: 'package.build@1', entry: null, input, needs: needsOf(input) };
}

export function packageTaskId(config: string): string {
  return `package:${config}`;
}

/** What the entry waits for stands in its probe: whatever else it does comes after that. */
function probeInput(entry: ChainEntry): Data {
  const { source, targets, trust, always, taken, pinned, build } = entry;
  return {
    source,
    targets,
    trust,
    always,
    ...(taken === undefined ? {} : { needs: [digestOf(taken)] }),
    ...(pinned === undefined ? {} : { pinned }),
    ...(build === undefined || build.bases.size === 0
      ? {}
      : { bases: Object.fromEntries([...build.bases].map(([text, base]) => [text, digestOf(base)])) }),
  };
}

function digestOf(taken: Taken): Data {
  return 'entry' in taken ? out(`${taken.entry}#tag`, 'digest') : { current: taken.current };
}
