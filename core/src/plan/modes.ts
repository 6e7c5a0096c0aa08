/** Which mode builds an entry, and what its build depends on. Modes are foreign code: what they throw becomes a failure here. */
import { keyOfOthers } from '../config/mode-keys.ts';
import type { BuildEntry } from '../config/model.ts';
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import type { Files, Mode, ModeInputs } from '../plugin/api.ts';
import { nearest } from '../config/suggest.ts';

/** `mode:` names it; otherwise exactly one mode must claim the source. */
export function chooseMode(entry: BuildEntry, modes: readonly Mode[]): Result<Mode, ConfigFailure> {
  const names = modes.map((mode) => mode.name);
  if (entry.mode !== undefined) {
    const named = modes.find((mode) => mode.name === entry.mode);
    if (named !== undefined) return ok(named);
    const meant = nearest(entry.mode, names);
    const hint = meant === undefined ? listed(names) : `did you mean "${meant}"?`;
    return fail(configFailure(`there is no build mode "${entry.mode}"`, hint, entry.at));
  }
  const claims: Mode[] = [];
  for (const mode of modes) {
    try {
      if (mode.claims(entry.source)) claims.push(mode);
    } catch (error) {
      return fail(
        configFailure(`build mode "${mode.name}" failed on "${entry.source}": ${sentence(error)}`, undefined, entry.at),
      );
    }
  }
  const [one, ...others] = claims;
  if (one === undefined) {
    return fail(
      configFailure(`no build mode claims "${entry.source}"`, `say which one with "mode:"; ${listed(names)}`, entry.at),
    );
  }
  if (others.length > 0) {
    const both = claims.map((mode) => `"${mode.name}"`).join(' and ');
    return fail(
      configFailure(`build modes ${both} all claim "${entry.source}"`, 'say which one with "mode:"', entry.at),
    );
  }
  const foreign = foreignKey(entry, one, modes);
  return foreign === undefined ? ok(one) : fail(foreign);
}

/** Nothing would come of it. Of an entry that names its mode the config was told. */
function foreignKey(entry: BuildEntry, mode: Mode, modes: readonly Mode[]): ConfigFailure | undefined {
  const has = ({ properties = {} }: Mode, key: string): boolean => Object.hasOwn(properties, key);
  const key = Object.keys(entry.options).find((each) => !has(mode, each));
  if (key === undefined) return undefined;
  const owners = modes.filter((other) => has(other, key)).map(({ name }) => name);
  return keyOfOthers(key, owners, mode.name, entry.at);
}

/** What the mode says of the entry; a failure has the entry's position unless it brings its own. */
export async function askMode(mode: Mode, entry: BuildEntry, files: Files): Promise<Result<ModeInputs, ConfigFailure>> {
  try {
    const inputs = await mode.inputs(entry, files);
    if (inputs.ok) return inputs;
    const { message, hint, at } = inputs.failure;
    return fail(configFailure(message, hint, at ?? entry.at));
  } catch (error) {
    const message = `build mode "${mode.name}" failed on "${entry.source}": ${sentence(error)}`;
    return fail(configFailure(message, 'this is a mistake in the plugin that brings the mode', entry.at));
  }
}

const APKO = 'apko';
const APKO_WITH_PACKAGES = 'melange+apko';

/** What the plan shows as the mode of an entry: whether packages are built before its image, too. */
export function plannedMode(mode: string, { melangeConfigs }: BuildEntry): string {
  return mode === APKO && melangeConfigs.length > 0 ? APKO_WITH_PACKAGES : mode;
}

/** The mode behind it, which a plugin brings. */
export function modeBehind(planned: string | undefined): string {
  return planned === APKO_WITH_PACKAGES ? APKO : (planned ?? '');
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'no plugin brings a build mode' : `the modes are ${names.join(', ')}`;
}

function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]?.slice(0, 300) ?? '';
}
