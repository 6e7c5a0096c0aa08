/** The failure of an image that a registry does not have, said alike wherever it is met. */
import type { Position, RegistryFailure } from '../failure.ts';
import { placeName } from '../location.ts';
import { formatReference, isLocation, type Reference } from '../reference.ts';
import type { Side } from '../registry/model.ts';

export function absent(reference: Reference, side: Side, hint: string, at?: Position): RegistryFailure {
  const inFiles = isLocation(reference);
  return {
    reason: 'registry',
    class: 'permanent',
    side,
    host: placeName(reference),
    message: `${formatReference(reference)} is not in its ${inFiles ? 'layout' : 'registry'}`,
    // Nobody hides a tag of a file from whoever may read it.
    hint: inFiles && reference.kind === 'tagged' ? 'check the path and the tag' : hint,
    ...(at === undefined ? {} : { at }),
  };
}
