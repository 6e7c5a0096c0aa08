/** The gate's rules for one entry: the policy of its kind, with the overrides and waivers whose pattern matches it. */
import type { GateOverride, GateRules, Policy, Waiver } from '../config/settings-model.ts';
import { glob } from '../plan/pattern.ts';

export interface Governed {
  /** As `build:ghcr.io/a/b:1`. */
  readonly id: string;
  /** Whose policy judges it: a sync into a repository that a build publishes to is judged as a build. */
  readonly kind: 'sync' | 'build';
  /** As `ghcr.io/a/b:1`; with `--to`, where it goes in this run. */
  readonly destination: string;
}

type Matched<T> = readonly { readonly rule: T; readonly matches: (entry: Governed) => boolean }[];

interface Compiled {
  readonly overrides: Matched<GateOverride>;
  readonly waivers: Matched<Waiver>;
}

/** A policy's patterns are compiled once, not once for each of thousands of entries. */
const compiled = new WeakMap<Policy, Compiled>();

/** Overrides apply in their order, so a later one has the last word on what it sets. */
export function rulesFor(policy: Policy, entry: Governed): GateRules {
  const { overrides, waivers } = compile(policy);
  const base = policy[entry.kind];
  const rules = overrides
    .filter((one) => one.matches(entry))
    .reduce((before, { rule }) => override(before, rule), base);
  return {
    ...rules,
    waivers: [...base.waivers, ...waivers.filter((one) => one.matches(entry)).map((one) => one.rule)],
  };
}

/** Waivers that hold for it on `today`, `2026-11-23`, UTC; whether they decide anything says the gate. */
export function waiversFor(policy: Policy, entry: Governed, today: string): readonly Waiver[] {
  return rulesFor(policy, entry).waivers.filter((waiver) => holdsOn(waiver, today));
}

/** Of a waiver or a finding, to be compared: people write ids as they find them, and no two differ by case alone. */
export function vulnerabilityKey({ id }: { readonly id: string }): string {
  return id.toUpperCase();
}

/** To the end of its last day, UTC. Both are written as `2026-11-23`, and so in the order of time. */
export function holdsOn({ expires }: { readonly expires: string }, today: string): boolean {
  return today <= expires;
}

function compile(policy: Policy): Compiled {
  const known = compiled.get(policy);
  if (known !== undefined) return known;
  const made: Compiled = {
    overrides: policy.overrides.map((rule) => ({ rule, matches: onEntry(rule.match) })),
    waivers: policy.waivers.map((rule) => ({
      rule,
      matches: rule.match === undefined ? () => true : onEntry(rule.match),
    })),
  };
  compiled.set(policy, made);
  return made;
}

function override(rules: GateRules, { match: _match, at: _at, ...change }: GateOverride): GateRules {
  return { ...rules, ...change };
}

/** A pattern may name an entry by its id, by the destination in it, or by where it goes in this run. */
function onEntry(pattern: string): (entry: Governed) => boolean {
  const matches = glob(pattern);
  return ({ id, destination }) => matches(id) || matches(id.slice(id.indexOf(':') + 1)) || matches(destination);
}
