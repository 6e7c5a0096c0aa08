/**
 * Whether an image was ever meant for a tag. All that we sign for an image holds wherever it lies; only its provenance, or its copy
 * attestation, names the tags that it was published under. Without that, a registry could answer a tag with any image of ours.
 */
import { formatReference, isLocation } from '../reference.ts';
import type { Entry } from '../config/model.ts';
import { factsOf, type Fact } from '../trust/facts.ts';
import type { Engine } from './engine.ts';

/** What the facts of the image lack; undefined when they name `target`, as `registry/repository:tag`, or what it is a retag of. */
export function lacksName(
  { planned }: Pick<Engine, 'planned'>,
  entry: Entry,
  target: string,
  facts: readonly Fact[],
): string | undefined {
  // A layout is carried to where it is needed, and is then called otherwise.
  if (isLocation(entry.targets[0].destination)) return undefined;
  const retagOf = planned.origins.get(entry.id);
  // Whoever names an image by its digest means that one, whatever it was published under.
  if (retagOf !== undefined && entry.kind === 'sync' && entry.source.kind === 'pinned') return undefined;
  const origin = retagOf === undefined ? entry : planned.entries.get(retagOf);
  // Of what is not in this config's reach nobody knows the tags.
  if (origin === undefined) return undefined;
  const names = origin === entry ? [target] : origin.targets.map(({ destination }) => formatReference(destination));
  const named =
    origin.kind === 'build'
      ? factsOf(facts, 'provenance').map(({ content }) => content.provenance.targets)
      : factsOf(facts, 'copy').map(({ content }) => content.copy.targets);
  if (named.some((targets) => names.some((name) => targets.includes(name)))) return undefined;
  return `${origin.kind === 'build' ? 'provenance' : 'copy'} for this tag`;
}
