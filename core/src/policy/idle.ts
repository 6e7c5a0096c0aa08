/** Patterns of the settings that are on nothing which the config has. Pure. */
import { relativePosition } from '../config/format.ts';
import type { Config, Entry } from '../config/model.ts';
import { quote } from '../config/quote.ts';
import type { Settings } from '../config/settings-model.ts';
import type { Position } from '../failure.ts';
import { entryNames, glob, writtenDestination } from '../plan/pattern.ts';
import { formatReference } from '../reference.ts';
import { mayConcern } from '../selection/names.ts';
import { plainText } from '../trust/strict.ts';

interface Item {
  readonly match?: string;
  readonly at?: Position;
}

/**
 * A sentence for each: a typing mistake in one leaves an image to a milder rule, or to none, and nobody would see that. Of a selection
 * that was not expanded it is not known what it will come to.
 */
export function idlePatterns(
  { policy, trust, check, folder }: Pick<Settings, 'policy' | 'trust' | 'check' | 'folder'>,
  { entries, selections }: Pick<Config, 'entries' | 'selections'>,
): readonly string[] {
  // Nothing would match, and that there is nothing is said already.
  if (entries.length === 0) return [];
  const written = (entry: Entry): readonly string[] => [entry.id, writtenDestination(entry)];
  const governed = (entry: Entry): readonly string[] => [
    ...written(entry),
    formatReference(entry.targets[0].destination),
  ];
  const among = (where: string, items: readonly Item[], namesOf: (entry: Entry) => readonly string[]) => {
    const patterns = items.filter(({ match }) => match !== undefined);
    // Put together once for all patterns, and for none where there are none: both can be many.
    const names = patterns.length === 0 ? [] : [...new Set(entries.flatMap(namesOf))];
    return patterns
      .filter(({ match = '' }) => isIdle(match, names))
      .map(({ match = '', at }) => {
        const place = at === undefined ? '' : `${relativePosition(at, folder)}: `;
        return `${place}${quote(plainText(match))} of ${where} matches no entry, and so changes nothing; slipway plan lists the entries`;
      });
  };
  return [
    ...among('policy.overrides', policy.overrides, governed),
    ...among('policy.waivers', policy.waivers, governed),
    ...among('trust', trust, written),
    ...among('check.waivers', check?.waivers ?? [], entryNames),
  ];

  function isIdle(pattern: string, names: readonly string[]): boolean {
    return !names.some(glob(pattern)) && !selections.some((each) => mayConcern(pattern, each));
  }
}
