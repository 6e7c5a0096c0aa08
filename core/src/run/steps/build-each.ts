/** A mode that makes one platform at a time: a call for each, side by side, and one index of what they made. */
import PQueue from 'p-queue';
import { cancelled, fail, ok, type Failure, type Result } from '../../failure.ts';
import { joinLayouts, platformLayout, type PlatformLayout } from '../../oci/join-layouts.ts';
import { openLayout } from '../../oci/layout.ts';
import { formatPlatform, type Platform } from '../../oci/model.ts';
import type { BuildContext, Built, Mode, TaskContext } from '../../plugin/api.ts';
import { canonicalJson } from '../../trust/statement.ts';
import type { BuiltImage, StepContext, TaskSession } from '../engine.ts';

/** What a mode is asked for, without the context of the task. */
export type BuildRequest = Omit<BuildContext, keyof TaskContext>;

export interface Made {
  readonly built: BuiltImage;
  /** Those that were opened for it: the folder of each holds a part of the image. */
  readonly sessions: readonly TaskSession[];
}

interface Call {
  readonly step: StepContext;
  readonly mode: Mode;
  readonly request: BuildRequest;
}

interface Part {
  readonly layout: PlatformLayout;
  readonly built: Built;
  readonly session: TaskSession;
}

/** The failure of a platform names it; the builds of the others are then ended. */
export async function buildEach({ step, mode, request }: Call): Promise<Result<Made>> {
  const stop = new AbortController();
  const queue = new PQueue({ concurrency: step.engine.settings.limits.cpu });
  const call = { step: { ...step, signal: AbortSignal.any([step.signal, stop.signal]) }, mode, request };
  const results = await Promise.all(
    sorted(request.platforms).map((platform) =>
      queue.add(async () => {
        const part = await buildOne(call, platform);
        if (!part.ok) stop.abort();
        return part;
      }),
    ),
  );
  const failures = results.flatMap((part) => (part.ok ? [] : [part.failure]));
  const parts = results.flatMap((part) => (part.ok ? [part.value] : []));
  const failure = failures.find(({ reason }) => reason !== 'cancelled') ?? failures[0];
  if (failure !== undefined) {
    for (const { session } of parts) await session[Symbol.asyncDispose]();
    return fail(failure);
  }
  const [first, ...others] = parts;
  if (first === undefined) throw new Error('a build of no platform was asked for');
  return ok(join([first, ...others]));
}

/** So that what is joined has one order, whatever the entry's. */
function sorted(platforms: readonly Platform[]): readonly Platform[] {
  return distinct(platforms, formatPlatform).toSorted((a, b) => (formatPlatform(a) < formatPlatform(b) ? -1 : 1));
}

async function buildOne({ step, mode, request }: Call, platform: Platform): Promise<Result<Part>> {
  const { engine, task, signal } = step;
  if (signal.aborted) return fail(cancelled);
  const name = formatPlatform(platform);
  const session = await engine.context(task, `image.build@1/${mode.name}`, signal, name);
  const made = await inSession({ ...session, ...request, platforms: [platform] }, mode, platform);
  if (made.ok) return ok({ ...made.value, session });
  await session[Symbol.asyncDispose]();
  return fail(of(name, made.failure));
}

async function inSession(
  context: BuildContext,
  mode: Mode,
  platform: Platform,
): Promise<Result<Pick<Part, 'layout' | 'built'>>> {
  const built = await mode.build(context);
  if (!built.ok) return built;
  const opened = await openLayout(built.value.layout);
  const layout = opened.ok ? await platformLayout(opened.value, platform) : opened;
  return layout.ok ? ok({ layout: layout.value, built: built.value }) : layout;
}

function of(platform: string, failure: Failure): Failure {
  return failure.reason === 'cancelled' ? failure : { ...failure, message: `${platform}: ${failure.message}` };
}

function join(parts: readonly [Part, ...Part[]]): Made {
  const [first, ...others] = parts;
  const sboms = parts.flatMap(({ built }) => built.sboms ?? []);
  const materials = parts.flatMap(({ built }) => built.materials ?? []);
  return {
    built: {
      layout: joinLayouts([first.layout, ...others.map(({ layout }) => layout)]),
      sboms: distinct(sboms, ({ digest }) => digest),
      materials: distinct(materials, canonicalJson),
    },
    sessions: parts.map(({ session }) => session),
  };
}

/** The first of each key. */
function distinct<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const seen = new Map<string, T>();
  for (const item of items) if (!seen.has(keyOf(item))) seen.set(keyOf(item), item);
  return [...seen.values()];
}
