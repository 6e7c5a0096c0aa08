/** Keys that modes add to a build entry. */
import { configFailure, type ConfigFailure, type Position } from '../failure.ts';
import type { ModeProperties } from './config-schema.ts';
import type { Fields } from './fields.ts';

/**
 * The values of such keys in an entry. When the entry names its mode, keys of other modes are failures; without `mode:`
 * they are told when the plan is made, since which mode claims the source is not known yet.
 */
export function checkModeKeys(item: Fields, mode: string | undefined, modeProperties: ModeProperties) {
  const values: [string, unknown][] = [];
  const problems: { readonly key: string; readonly failure: ConfigFailure }[] = [];
  const own = mode !== undefined && Object.hasOwn(modeProperties, mode) ? modeProperties[mode] : undefined;
  for (const [key, value] of Object.entries(item)) {
    const owners = Object.keys(modeProperties).filter((name) => Object.hasOwn(modeProperties[name] ?? {}, key));
    if (CORE_KEYS.has(key) || owners.length === 0) continue;
    values.push([key, value]);
    if (own !== undefined && !Object.hasOwn(own, key)) {
      problems.push({ key, failure: keyOfOthers(key, owners, mode ?? '') });
    }
  }
  return { values: Object.fromEntries(values), problems };
}

export function keyOfOthers(key: string, owners: readonly string[], mode: string, at?: Position): ConfigFailure {
  return configFailure(
    `the key "${key}" belongs to the mode ${owners.join(' or ')}, not to ${mode}`,
    'leave it out',
    at,
  );
}

/** No mode can redefine these. */
const CORE_KEYS: ReadonlySet<string> = new Set([
  'source',
  'destination',
  'always',
  'tags',
  'melangeConfigs',
  'dockerOptions',
  'buildOnMainOnly',
  'buildOnArm',
  'platforms',
  'mode',
]);
