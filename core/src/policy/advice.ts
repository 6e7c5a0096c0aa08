/** What mends a refusal of the gate: each kind of reason otherwise. Pure. */
import type { UsedWaiver } from '../failure.ts';
import { plainText } from '../trust/strict.ts';
import type { Judgement } from './gate.ts';

/** Ended waivers that are named. */
const NAMED = 3;

export interface Refused extends Pick<Judgement, 'reasons' | 'expiredWaivers'> {
  /** Nobody here can build what upstream publishes. */
  readonly kind: 'sync' | 'build';
  /** A plugin's gate has a reason too. */
  readonly byPlugin: boolean;
}

export function adviceOn({ reasons, expiredWaivers, kind, byPlugin }: Refused): string {
  const unread = reasons.find((reason) => reason === 'unscanned' || reason === 'unscannable');
  return [
    ...(reasons.includes('fixable') || reasons.includes('unfixed')
      ? [onFindings(reasons.includes('fixable'), expiredWaivers, kind)]
      : []),
    ...(unread === undefined
      ? []
      : [
          `no waiver covers what cannot be scanned: "${unread}: report" accepts it, in policy.overrides for this entry alone`,
        ]),
    ...(reasons.includes('endOfLife')
      ? [
          `${kind === 'build' ? 'build on' : 'take an image of'} a release that still gets advisories; no waiver covers an end of life: "endOfLife: report" accepts it, in policy.overrides for this entry alone`,
        ]
      : []),
    ...(byPlugin ? ["a plugin's gate refuses it, which no waiver changes: do as its sentence says"] : []),
  ].join('; ');
}

function onFindings(isFixable: boolean, ended: readonly UsedWaiver[], kind: Refused['kind']): string {
  const withoutIt = kind === 'build' ? 'do without the package' : 'take another image';
  const withFixes = kind === 'build' ? 'rebuild with fixed packages' : 'take an image that has the fixes';
  const better = isFixable ? withFixes : withoutIt;
  if (ended.length === 0) return `${better}, or add a waiver with a reason and an end date to the policy`;
  const named = ended.slice(0, NAMED).map(({ id, expires }) => `that of ${plainText(id)} on ${expires}`);
  const more = ended.length > NAMED ? ` and ${ended.length - NAMED} more` : '';
  const [one, it] = ended.length === 1 ? ['a waiver', 'it'] : ['waivers', 'each'];
  return `${one} ended: ${named.join(', ')}${more}; ${better}, or give ${it} a new end date`;
}
