/** `image.build@1/<mode>`: the mode makes an OCI image layout, unless what it would use is what the published image has. */
import type { BuildEntry } from '../../config/model.ts';
import { ok, fail, configFailure, type Result } from '../../failure.ts';
import { checkPlatforms } from '../../oci/join-layouts.ts';
import { openLayout } from '../../oci/layout.ts';
import { modeBehind } from '../../plan/modes.ts';
import type { BuildContext, Mode } from '../../plugin/api.ts';
import { placeBases } from '../bases.ts';
import type { BuildOutput, ProbedBuild, StepContext } from '../engine.ts';
import { changesOf, editedFiles, inputKeys, keyParts, resolvedKeys, unsettledKeys } from '../keys.ts';
import { ownDigest } from '../targets.ts';
import { buildEach, type BuildRequest, type Made } from './build-each.ts';
import { provenanceKeys } from './probe.ts';
import { trySigningOf } from './sign-one.ts';

/** Inputs that changed which a warning names. */
const MAX_NAMED = 3;

export interface BuildInput {
  readonly probed: ProbedBuild;
  /** Folders that package tasks made, in the entry's order. */
  readonly packages: readonly string[];
  /** Text in the source → the other entry's target that it names; absent when there is none. */
  readonly images?: Readonly<Record<string, string>>;
}

export async function buildStep(
  step: StepContext<BuildEntry>,
  { probed, packages, images = {} }: BuildInput,
): Promise<Result<BuildOutput>> {
  const { engine, entry, task, planned, signal } = step;
  const { bases } = probed;
  if (probed.digest !== undefined) {
    step.log('its inputs are unchanged: not built again');
    return ok({ kind: 'reused', digest: probed.digest, keys: probed.keys });
  }
  const name = modeBehind(planned.mode);
  const mode = engine.host.modes.find((candidate) => candidate.name === name);
  if (mode === undefined)
    return fail(
      configFailure(`no plugin brings the build mode "${name}"`, 'list the plugin that does in the settings', entry.at),
    );
  const inputs = engine.planned.inputs.get(entry.id);
  if (inputs === undefined) throw new Error(`no inputs were planned for ${entry.id}`);
  const parts = await keyParts(engine, entry, name, inputs, bases);
  if (!parts.ok) return parts;
  const placed = await placeBases(engine, { named: inputs.bases, digests: bases, images });
  if (!placed.ok) return placed;
  const session = await engine.context(task, `image.build@1/${name}`, signal);
  // The session's folder holds what was built: after a success the push removes it, in every other case this function does.
  let needed = false;
  await using _ = { [Symbol.asyncDispose]: async () => void (needed || (await session[Symbol.asyncDispose]())) };
  const request: BuildRequest = {
    entry,
    inputs,
    platforms: entry.platforms ?? inputs.platforms,
    packageRepositories: packages,
    bases: placed.value,
    noCache: probed.stale,
  };
  const context: BuildContext = { ...session, ...request };
  let keys = inputKeys(parts.value);
  if (mode.resolve !== undefined) {
    const resolved = await mode.resolve(context);
    if (!resolved.ok) return resolved;
    keys = resolvedKeys(parts.value, resolved.value);
    const published = ownDigest(entry, probed.before);
    const made = provenanceKeys(entry, probed.facts);
    if (!probed.stale && published !== null && made?.resolved !== undefined && made.resolved === keys.resolved) {
      step.log('its packages are unchanged: not built again');
      return ok({ kind: 'reused', digest: published, keys });
    }
  }
  const able = await trySigningOf(step);
  if (!able.ok) return able;
  const startedAt = engine.now().toISOString();
  const made =
    mode.perPlatform === true && request.platforms.length > 1
      ? await buildEach({ step, mode, request })
      : await buildWhole(mode, context);
  if (!made.ok) return made;
  needed = true;
  // Files may have been edited since the probe made its keys: packages were built from what was there then or later, the image from what
  // was there a moment ago. `between`: edits before this build; `editedFiles`: edits until now.
  const between = changesOf(probed.keys, inputKeys(parts.value)).map(({ part }) => part);
  const edited = [...new Set([...between, ...(await editedFiles(engine, probed.keys))])];
  if (edited.length > 0) {
    keys = unsettledKeys(keys, edited);
    engine.emit({ type: 'warning', message: editedWhileBuilt(entry.id, edited) });
  }
  const sessions = [session, ...made.value.sessions];
  return ok({
    kind: 'built',
    built: made.value.built,
    keys,
    startedAt,
    finishedAt: engine.now().toISOString(),
    tools: [...new Map(sessions.flatMap((one) => one.toolsUsed()).map((tool) => [tool.name, tool])).values()],
    release: async () => {
      for (const one of sessions) await one[Symbol.asyncDispose]();
    },
  });
}

function editedWhileBuilt(entry: string, edited: readonly string[]): string {
  const more = edited.length > MAX_NAMED ? ` and ${edited.length - MAX_NAMED} more` : '';
  return `${edited.slice(0, MAX_NAMED).join(', ')}${more} changed while ${entry} was built: the next run builds it again`;
}

async function buildWhole(mode: Mode, context: BuildContext): Promise<Result<Made>> {
  const built = await mode.build(context);
  if (!built.ok) return built;
  const layout = await openLayout(built.value.layout);
  if (!layout.ok) return layout;
  // What the entry does not say its source may: a mode only guesses that from the outside.
  const { platforms } = context.entry;
  const asked = platforms === undefined ? ok(undefined) : await checkPlatforms(layout.value, platforms);
  return asked.ok ? ok({ built: { ...built.value, layout: layout.value }, sessions: [] }) : asked;
}
