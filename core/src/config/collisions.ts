/** Two images cannot have one name: whichever came last would win. */
import { dirname } from 'node:path';
import { configFailure, type ConfigFailure, type Position } from '../failure.ts';
import { settleLocation } from '../location.ts';
import { formatReference, type Tagged } from '../reference.ts';

export interface Located {
  readonly destination: Tagged;
  readonly at: Position;
}

/** A failure at every destination that an earlier one has already, naming where that is. */
export function checkCollisions(all: readonly Located[], why?: string): ConfigFailure[] {
  const first = new Map<string, Position>();
  const failures: ConfigFailure[] = [];
  for (const { destination, at } of all) {
    const name = formatReference(destination);
    const place = placeOf({ destination, at });
    const earlier = first.get(place);
    if (earlier === undefined) {
      first.set(place, at);
    } else {
      const same = earlier.line === at.line && earlier.column === at.column;
      const message = same
        ? `two of the tags here go to the destination ${name}`
        : `the destination ${name} is already in line ${earlier.line}, column ${earlier.column}`;
      failures.push(configFailure(message, why ?? 'one destination belongs to one entry', at));
    }
  }
  return failures;
}

/** A place in the file system may be named in full, or from the config's folder. */
export function placeOf({ destination, at }: Located): string {
  return formatReference(settleLocation(destination, dirname(at.file)));
}
