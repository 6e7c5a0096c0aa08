/** `slipway update`: what the registries say now, and in what that differs from the lock and from the config. Writes nothing. */
import type { Config, SyncEntry } from '../config/model.ts';
import { ok, type Failure, type Position, type Result } from '../failure.ts';
import {
  formatReference,
  formatRepository,
  pin,
  type Digest,
  type Pinned,
  type Tag,
  type Tagged,
} from '../reference.ts';
import type { Expansion } from '../selection/expand.ts';
import { formatLock } from './format.ts';
import type { Repin } from './config-text.ts';
import { keyOfSelection, keyOfSource } from './key.ts';
import { lockable, type TaggedEntry } from './lockable.ts';
import { createLook, type Asked, type LookOptions } from './look.ts';
import { emptyLock, type Lock, type LockedImage, type LockedSelection, type LockedSource } from './model.ts';

export interface UpdateRequest extends LookOptions {
  /** As it was loaded: selections not expanded, `--to` not applied. */
  readonly config: Config;
  /** What was found for selections; those without an expansion keep what the lock has. */
  readonly expansions: readonly Expansion[];
  /** Absent: there is none yet. */
  readonly lock?: Lock;
  /** Entries to look up; the others keep what the lock has. */
  readonly concerned: (entry: SyncEntry) => boolean;
}

export type ChangeKind = 'new' | 'moved' | 'gone' | 'same';

export interface LockChange {
  /** Of the entry or the selection. */
  readonly id: string;
  /** With its tag. */
  readonly source: string;
  /** Which file has it. */
  readonly in: 'lock' | 'config';
  readonly kind: ChangeKind;
  readonly from?: Digest;
  readonly to?: Digest;
  /** Platforms of `to`, or of `from` where it is gone. Absent where they were not looked up. */
  readonly platforms?: readonly string[];
}

export interface Updated {
  readonly lock: Lock;
  /** Digests to be written into the config. */
  readonly repins: readonly Repin[];
  /** In the config's order, what is gone at the end. */
  readonly changes: readonly LockChange[];
  /** What could not be asked: there the lock and the config keep what they have. */
  readonly failures: readonly { readonly id: string; readonly failure: Failure }[];
  /** The lock or the config would have to be written. */
  readonly stale: boolean;
}

export async function updateLock(request: UpdateRequest): Promise<Updated> {
  const { config, expansions, concerned } = request;
  const look = createLook(request);
  const before = request.lock ?? emptyLock;
  const sources = new Map<string, LockedSource>();
  const selections = new Map<string, LockedSelection>();
  const changes: LockChange[] = [];
  const repins: Repin[] = [];
  const failures: { readonly id: string; readonly failure: Failure }[] = [];

  const pinned = config.entries.filter(isPinned).filter(concerned);
  const tagged = lockable(config);
  const work = [
    ...pinned.map((entry) => ({ at: entry.at, done: repinned(entry) })),
    ...tagged.map((entry) => ({ at: entry.at, done: concerned(entry) ? lockSource(entry) : keepSource(entry.id) })),
    ...config.selections.map((selection) => {
      const found = expansions.find((each) => each.selection.id === selection.id);
      return { at: selection.at, done: found === undefined ? keepSelection(selection.id) : lockSelection(found) };
    }),
  ];
  for (const { done } of work.toSorted((a, b) => compare(a.at, b.at))) {
    const looked = await done;
    for (const change of looked.changes) changes.push(change);
    if (looked.failure !== undefined) failures.push(looked.failure);
  }
  for (const change of gone()) changes.push(change);
  const lock: Lock = { sources, selections };
  return { lock, repins, changes, failures, stale: repins.length > 0 || !sameLock(before, lock) };

  async function repinned(entry: PinnedEntry): Promise<Looked> {
    const { id, at, source } = entry;
    const tag: Tagged = { kind: 'tagged', registry: source.registry, path: source.path, tag: source.tag };
    const to = await look.headOf(tag, at);
    if (!to.ok) return refused(id, to.failure);
    const change = { id, source: formatReference(tag), in: 'config' as const, to: to.value };
    if (to.value === source.digest) return { changes: [{ ...change, kind: 'same' }] };
    const image = await look.imageOf(pin(source, to.value, source.tag), entry);
    if (!image.ok) return refused(id, image.failure);
    repins.push({ at, from: source.digest, to: to.value });
    return { changes: [{ ...change, kind: 'moved', from: source.digest, platforms: image.value.platforms }] };
  }

  async function lockSource(entry: TaggedEntry): Promise<Looked> {
    const old = before.sources.get(entry.id);
    const key = keyOfSource(entry);
    const image = await imageOf(entry.source, entry, old, old?.key === key);
    if (!image.ok) {
      await keepSource(entry.id);
      return refused(entry.id, image.failure);
    }
    const source = formatReference(entry.source);
    sources.set(entry.id, { key, source, ...image.value });
    // If the entry had another source before, its image has not moved: it is a new one.
    return { changes: [changeOf(entry.id, source, old?.source === source ? old : undefined, image.value)] };
  }

  async function lockSelection({ selection, selected, failure }: Expansion): Promise<Looked> {
    const { id, source } = selection;
    const old = before.selections.get(id);
    const keep = async (why: Failure): Promise<Looked> => {
      await keepSelection(id);
      return refused(id, why);
    };
    if (failure !== undefined) return keep(failure);
    const key = keyOfSelection(selection);
    const images = await Promise.all(
      (selected?.tags ?? []).map(async (tag) => {
        const reference: Tagged = { kind: 'tagged', ...source, tag };
        return { tag, reference, image: await imageOf(reference, selection, old?.tags.get(tag), old?.key === key) };
      }),
    );
    const tags = new Map<Tag, LockedImage>();
    const found: LockChange[] = [];
    for (const { tag, reference, image } of images) {
      if (!image.ok) return keep(image.failure);
      tags.set(tag, image.value);
      found.push(changeOf(id, formatReference(reference), old?.tags.get(tag), image.value));
    }
    selections.set(id, { key, source: formatRepository(source), tags });
    const left = [...(old?.tags ?? [])].filter(([tag]) => !tags.has(tag));
    return { changes: [...found, ...left.map(([tag, image]) => goneOf(id, `${old?.source}:${tag}`, image))] };
  }

  /** `trusted`: what the lock has was made for the same entry, so that the same digest need not be looked at again. */
  async function imageOf(
    reference: Tagged,
    asked: Asked,
    old: LockedImage | undefined,
    trusted: boolean,
  ): Promise<Result<LockedImage>> {
    const digest = await look.headOf(reference, asked.at);
    if (!digest.ok) return digest;
    if (trusted && old?.digest === digest.value) return ok(old);
    return look.imageOf(pin(reference, digest.value, reference.tag), asked);
  }

  function refused(id: string, failure: Failure): Looked {
    return { changes: [], failure: { id, failure } };
  }

  function keepSource(id: string): Promise<Looked> {
    const old = before.sources.get(id);
    if (old !== undefined) sources.set(id, old);
    return Promise.resolve({ changes: [] });
  }

  function keepSelection(id: string): Promise<Looked> {
    const old = before.selections.get(id);
    if (old !== undefined) selections.set(id, old);
    return Promise.resolve({ changes: [] });
  }

  /** What the lock has of entries that the config has no more. */
  function gone(): readonly LockChange[] {
    const ids = new Set([...tagged, ...config.selections].map(({ id }) => id));
    return [
      ...[...before.sources].filter(([id]) => !ids.has(id)).map(([id, image]) => goneOf(id, image.source, image)),
      ...[...before.selections]
        .filter(([id]) => !ids.has(id))
        .flatMap(([id, { source, tags }]) => [...tags].map(([tag, image]) => goneOf(id, `${source}:${tag}`, image))),
    ];
  }
}

/** What became of one entry or selection. */
interface Looked {
  readonly changes: readonly LockChange[];
  readonly failure?: Updated['failures'][number];
}

type PinnedEntry = SyncEntry & { readonly source: Pinned & { readonly tag: Tag } };

/** Without a tag nobody can say what the source would be now. */
function isPinned(entry: Config['entries'][number]): entry is PinnedEntry {
  return entry.kind === 'sync' && entry.source.kind === 'pinned' && entry.source.tag !== undefined;
}

function changeOf(id: string, source: string, old: LockedImage | undefined, image: LockedImage): LockChange {
  const change = { id, source, in: 'lock' as const, to: image.digest, platforms: image.platforms };
  if (old === undefined) return { ...change, kind: 'new' };
  return old.digest === image.digest ? { ...change, kind: 'same' } : { ...change, kind: 'moved', from: old.digest };
}

function goneOf(id: string, source: string, { digest, platforms }: LockedImage): LockChange {
  return { id, source, in: 'lock', kind: 'gone', from: digest, platforms };
}

function compare(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}

/** Whether both are one text. */
export function sameLock(a: Lock, b: Lock): boolean {
  return formatLock(a) === formatLock(b);
}
