/** The failure of an image that a registry does not have, said alike wherever it is met. */
import type { Position, RegistryFailure } from '../failure.ts';
import { placeName } from '../location.ts';
import { formatReference, isLocation, type Reference } from '../reference.ts';
import type { Side } from '../registry/model.ts';

export function absent(reference: Reference, side: Side, hint: string, at?: Position): RegistryFailure {
  return {
    reason: 'registry',
    class: 'permanent',
    side,
    host: placeName(reference),
    message: `${formatReference(reference)} is not in its ${isLocation(reference) ? 'layout' : 'registry'}`,
    hint,
    ...(at === undefined ? {} : { at }),
  };
}
