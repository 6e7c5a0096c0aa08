/** Two images for one destination that cannot be seen in the config, because a selection's tags bring them there. */
import { isDeepStrictEqual } from 'node:util';
import { placeOf, type Located } from '../config/collisions.ts';
import type { Entry, Selection } from '../config/model.ts';
import type { Position, RegistryFailure } from '../failure.ts';
import { formatReference, formatRepository } from '../reference.ts';
import { registryFailure } from '../registry/refusal.ts';

export interface EntryAt {
  readonly entry: Entry;
  readonly located: readonly Located[];
  /** Absent where the config has it written out. */
  readonly from?: Selection;
}

/** What a selection has in common with one other item. */
interface Clash {
  readonly other: Position;
  /** The selection's own. */
  readonly at: Position;
  readonly destinations: string[];
}

/** Destinations, and other items, that a message names. */
const NAMED = 3;

/**
 * The failure of each selection that shares a destination with an item that is written out, or with an earlier selection that has no
 * failure; by the selection's id. Entries that do the same are no clash. Two items that are written out were refused when the config was
 * read.
 */
export function findClashes(all: readonly EntryAt[]): ReadonlyMap<string, RegistryFailure> {
  const owners = new Map<string, Owner>();
  for (const { entry, located, from } of all) {
    if (from === undefined) for (const { destination, at } of located) claim(owners, destination, { entry, at });
  }
  const failures = new Map<string, RegistryFailure>();
  for (const [selection, chosen] of Map.groupBy(all, ({ from }) => from)) {
    if (selection === undefined) continue;
    const own = new Map<string, Owner>();
    const clashes = clashesOf(chosen, owners, own);
    if (clashes.length > 0) failures.set(selection.id, failureOf(selection, clashes));
    // A selection that fails makes no entries, so its destinations stay free for the next one.
    else for (const [place, owner] of own) owners.set(place, owner);
  }
  return failures;
}

interface Owner {
  readonly entry: Entry;
  readonly at: Position;
}

/** The owner that the destination had already. Undefined: it had none, and is claimed now. */
function claim(owners: Map<string, Owner>, destination: Located['destination'], claimed: Owner): Owner | undefined {
  const place = placeOf({ destination, at: claimed.at });
  const owner = owners.get(place);
  if (owner === undefined) owners.set(place, claimed);
  return owner;
}

/** The clashes of one selection: with others, and among its own tags. */
function clashesOf(
  chosen: readonly EntryAt[],
  others: ReadonlyMap<string, Owner>,
  own: Map<string, Owner>,
): readonly Clash[] {
  const clashes = new Map<string, Clash>();
  for (const { entry, located } of chosen) {
    for (const { destination, at } of located) {
      const owner = others.get(placeOf({ destination, at })) ?? claim(own, destination, { entry, at });
      if (owner === undefined || (owner.entry !== entry && isSame(owner.entry, entry))) continue;
      const key = `${owner.at.line}:${owner.at.column}`;
      const clash = clashes.get(key) ?? { at, other: owner.at, destinations: [] };
      clashes.set(key, clash);
      clash.destinations.push(formatReference(destination));
    }
  }
  return [...clashes.values()];
}

/** Whether the two do the same: the same image, by its name or by a digest that is known, to the same targets in the same way. */
function isSame(a: Entry, b: Entry): boolean {
  return isDeepStrictEqual(whatIsDone(a), whatIsDone(b));
}

/** All but where it stands, and what chose it. */
function whatIsDone(entry: Entry): object {
  const source = entry.kind === 'sync' && entry.source.kind === 'pinned' ? entry.source.digest : entry.source;
  return { ...entry, source, at: undefined, selection: undefined };
}

function failureOf({ source, at }: Selection, clashes: readonly Clash[]): RegistryFailure {
  const told = clashes.slice(0, NAMED).map((clash) => tell(formatRepository(source), clash));
  const rest = clashes.length - told.length;
  const message = `${told.join('; ')}${rest > 0 ? `; and so with ${rest} more items` : ''}`;
  const hint = 'one destination belongs to one entry: select other tags, as by "exclude", or send them elsewhere';
  const asked = { side: 'source', registry: source.registry } as const;
  return { ...registryFailure(asked, 'permanent', message, { hint }), at: clashes[0]?.at ?? at };
}

function tell(source: string, { at, other, destinations }: Clash): string {
  const count = destinations.length;
  const named = destinations.slice(0, NAMED).join(', ');
  const names = count > NAMED ? `${named} and ${count - NAMED} more` : named;
  if (at === other) return `several tags of ${source} go to one destination: ${names}`;
  const place = `line ${other.line}, column ${other.column}`;
  if (count === 1) return `the destination ${names} of a tag of ${source} is also that of ${place}`;
  return `${count} destinations of tags of ${source} are also those of ${place}: ${names}`;
}
