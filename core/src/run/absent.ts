/** The failure of an image that a registry does not have, said alike wherever it is met. */
import type { Position, RegistryFailure } from '../failure.ts';
import { formatReference, type Reference } from '../reference.ts';
import type { Side } from '../registry/model.ts';

export function absent(reference: Reference, side: Side, hint: string, at?: Position): RegistryFailure {
  return {
    reason: 'registry',
    class: 'permanent',
    side,
    host: reference.registry,
    message: `${formatReference(reference)} is not in its registry`,
    hint,
    ...(at === undefined ? {} : { at }),
  };
}
