/** A selection whose tags are known, as entries. */
import type { Located } from '../config/collisions.ts';
import type { Selection, SyncEntry, Target } from '../config/model.ts';
import { parseDestination, parseFurtherTag } from '../config/targets.ts';
import type { ConfigFailure, RegistryFailure } from '../failure.ts';
import { formatRepository, type Tag } from '../reference.ts';
import { registryFailure } from '../registry/refusal.ts';

/** Entries of one selection: each takes some twenty kilobytes until the run ends. */
export const MAX_ENTRIES = 50_000;

export interface MadeEntry {
  readonly entry: SyncEntry;
  /** Its targets, at the templates that they come from. */
  readonly located: readonly Located[];
}

/**
 * One entry for each tag, in the tags' order. A tag of which a template makes no valid destination is a problem: no tag is left out
 * silently.
 */
export function entriesOf(
  selection: Selection,
  tags: readonly Tag[],
): { readonly made: readonly MadeEntry[]; readonly problems: readonly ConfigFailure[] } {
  const made: MadeEntry[] = [];
  const problems: ConfigFailure[] = [];
  for (const tag of tags) {
    const one = entryOf(selection, tag);
    if ('problem' in one) problems.push(one.problem);
    else made.push(one);
  }
  return { made, problems };
}

export function tooMany(source: Selection['source'], found: number): RegistryFailure {
  const message = `${found} tags of ${formatRepository(source)} are selected, and more than ${MAX_ENTRIES} cannot be at once`;
  const hint = 'select fewer, as by "latest", or by several selections in configs of their own';
  return registryFailure({ side: 'source', registry: source.registry }, 'permanent', message, { hint });
}

function entryOf(selection: Selection, tag: Tag): MadeEntry | { readonly problem: ConfigFailure } {
  const {
    id,
    at,
    source,
    select: _,
    destination: _shown,
    destinations,
    values,
    always,
    position: _position,
    ...options
  } = selection;
  const [template, ...others] = destinations;
  const filled = { ...values, tag };
  const because = (failure: ConfigFailure, place: Located['at']) => ({
    problem: {
      ...failure,
      message: `with the tag ${tag} of ${formatRepository(source)}, ${failure.message}`,
      at: place,
    },
  });
  const own = parseDestination(template.text, filled);
  if (!own.ok) return because(own.failure, template.at);
  const { target, name } = own.value;
  const targets: [Target, ...Target[]] = [target];
  const located: Located[] = [{ destination: target.destination, at: template.at }];
  for (const other of others) {
    const further = parseFurtherTag(other.text, target.destination, filled);
    if (!further.ok) return because(further.failure, other.at);
    targets.push(further.value);
    located.push({ destination: further.value.destination, at: other.at });
  }
  return {
    entry: {
      ...options,
      kind: 'sync',
      id: `sync:${name}`,
      at,
      targets,
      always,
      source: { kind: 'tagged', ...source, tag },
      selection: id,
    },
    located,
  };
}
