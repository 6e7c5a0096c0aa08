/** Puts together what a run needs, and takes it down again: registry, journal and folders. */
import { dirname, join } from 'node:path';
import type { Config } from '../config/model.ts';
import type { Settings, Signing } from '../config/settings-model.ts';
import { variableIn } from '../config/variable.ts';
import type { Variables } from '../exec/environment.ts';
import type { ToolFinder, UsedTool } from '../exec/model.ts';
import { createLearningRedactor, secretsFromEnv } from '../exec/redact.ts';
import { claimTmp, sweepTmp } from '../exec/tmp.ts';
import type { Event } from '../journal/events.ts';
import { openJournal } from '../journal/journal.ts';
import { removeOldRuns } from '../journal/recent.ts';
import { runId } from '../journal/run-id.ts';
import type { Planned } from '../plan/create.ts';
import { createLayoutServer } from '../oci/serve-layout.ts';
import { folderFiles } from '../plan/files.ts';
import type { Host } from '../plugin/host.ts';
import { formatRepository, type Repository } from '../reference.ts';
import type { Rehearsal } from '../registry/rehearsal.ts';
import { createFileFetcher } from '../registry/fetch-file.ts';
import { openMemory, type Memory } from '../trust/memory.ts';
import { openChallengeMemory } from './challenge-memory.ts';
import { createContexts } from './contexts.ts';
import { openDurations } from './durations.ts';
import type { Engine } from './engine.ts';
import { noNotes, openNotes } from './notes.ts';
import { packageIndexes } from './package-indexes.ts';
import { servingLocations } from './serve-locations.ts';
import { openRegistry, plainHttpRule } from './open-registry.ts';
import { ownMark } from './own-mark.ts';
import { openReferrersMemory } from './referrers-memory.ts';
import { createRecorder } from './recorder.ts';
import { createTagLists } from './tag-lists.ts';
import { refuseLinks } from './state-links.ts';
import { openUploadFiles } from './upload-files.ts';
import { workPlace } from './work-place.ts';

export interface SessionOptions {
  readonly config: Config;
  readonly settings: Settings;
  readonly planned: Planned;
  readonly host: Host;
  readonly finder: ToolFinder;
  readonly env: Variables;
  readonly version: string;
  readonly purpose: Engine['purpose'];
  /** Absent: a `--to` run that signs nothing. */
  readonly signing?: Signing;
  readonly signal: AbortSignal;
  /** Where events go besides the journal and the plugins. */
  readonly report: (event: Event) => void;
  readonly now?: () => Date;
  /** False: every bundle is verified anew, whatever an earlier run remembered. */
  readonly remember?: boolean;
  /** An image is done only if its platforms are. */
  readonly deep?: true;
  /** `.slipway` beside the config when absent. */
  readonly stateFolder?: string;
  /** Nothing is written to any registry or layout: what would be is kept, and counted. */
  readonly rehearsal?: Rehearsal;
}

export interface Session extends AsyncDisposable {
  readonly engine: Engine;
  /** How often each external tool was started. */
  tools(): readonly (UsedTool & { readonly started: number })[];
  readonly stateFolder: string;
}

/** Everything on disk is under `.slipway` beside the config; losing all of it costs time only. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { config, settings, host, finder, env, signal } = options;
  const now = options.now ?? (() => new Date());
  const run = runId(now());
  const stateFolder = options.stateFolder ?? join(config.folder, '.slipway');
  refuseLinks(stateFolder);
  const tmp = join(stateFolder, 'tmp');
  await sweepTmp(tmp);
  const claimed = await claimTmp(tmp, run);
  const mark = ownMark(env);
  const { redact, learnt } = createLearningRedactor([...secretsFromEnv(env), ...secretsOf(settings, env)]);
  const userAgent = `slipway/${options.version}`;
  const plainHttp = plainHttpRule(settings);
  const journal = openJournal(join(stateFolder, 'runs', `${run}.ndjson`));
  const { emit, unrecorded } = createRecorder({ journal, now, report: options.report, plugins: host.emit });
  const durations = openDurations(stateFolder);
  const apiMemory = openReferrersMemory(stateFolder, now);
  const challenges = openChallengeMemory(stateFolder, now);
  const { repositories, destinations } = repositoriesOf(options.planned);
  const { registry, layouts, credentials, fetchJson } = openRegistry({
    settings,
    folder: config.folder,
    env,
    version: options.version,
    signal,
    apiMemory,
    uploads: openUploadFiles(join(stateFolder, 'uploads'), mark),
    challenges,
    // Whoever only looks needs no right to write.
    ...(options.remember === false || options.rehearsal !== undefined
      ? {}
      : { writes: (repository: Repository) => destinations.has(formatRepository(repository)) }),
    notice: (message) => emit({ type: 'warning', message: redact(message) }),
    learnt,
    ...(options.rehearsal === undefined ? {} : { rehearsal: options.rehearsal }),
  });
  const server = createLayoutServer(layouts);
  const fetcher = createFileFetcher({ userAgent, signal });
  const contexts = createContexts({
    ...{ host, finder, settings, env, redact, registry, plainHttp, fetchJson, emit },
    root: config.folder,
    work: await workPlace(stateFolder, claimed.path, mark),
    tmp: claimed.path,
    dockerConfigFor: (hosts) => credentials.dockerConfigFor(hosts, repositories),
  });

  const engine: Engine = {
    config,
    settings,
    planned: options.planned,
    host: servingLocations(host, server),
    registry,
    finishLayouts: () => layouts.finish(),
    files: folderFiles(config.folder),
    tagLists: createTagLists({ planned: options.planned, host, registry }),
    ...(options.remember === false ? { memory: forgetful, notes: noNotes } : await openRemembered(stateFolder, mark)),
    indexes: await packageIndexes(stateFolder, mark, fetcher.fetch),
    journal,
    durations,
    ...(options.signing === undefined ? {} : { signing: options.signing }),
    purpose: options.purpose,
    ...(options.deep === undefined ? {} : { deep: options.deep }),
    run,
    builder: builderId(env),
    now,
    emit,
    unrecorded,
    context: contexts.open,
  };
  return {
    engine,
    stateFolder,
    tools: contexts.tools,
    async [Symbol.asyncDispose]() {
      journal.close();
      removeOldRuns(dirname(journal.file), run);
      apiMemory.save();
      challenges.save();
      durations.save();
      await server.close();
      await registry.close();
      await fetcher.close();
      await claimed.release();
    },
  };
}

/** Values of the variables that the settings name as secret, whatever those are called. */
function secretsOf({ signing, scratch, registries }: Settings, env: Variables): readonly string[] {
  const names = [signing, scratch].flatMap((one) => [one?.identityTokenEnv, variableIn(one?.key)]);
  const logins = registries.map(({ login }) => (login?.kind === 'env' ? login.passwordEnv : undefined));
  const keys = registries.flatMap(({ key }) => key ?? []);
  return [...[...names, ...logins].flatMap((name) => (name === undefined ? [] : (env[name] ?? []))), ...keys];
}

async function openRemembered(folder: string, mark: string | undefined): Promise<Pick<Engine, 'memory' | 'notes'>> {
  return { memory: await openMemory(folder, mark), notes: await openNotes(folder, mark) };
}

const forgetful: Memory = { get: () => undefined, put: async () => {} };

/** Of the planned entries: all that are read or written, and, as text, those that are written. */
function repositoriesOf({ plan, entries }: Planned) {
  const planned = plan.entries.flatMap(({ id }) => entries.get(id) ?? []);
  const targets = planned.flatMap((entry) => entry.targets.map(({ destination }) => destination));
  const sources = planned.flatMap((entry) =>
    entry.kind === 'sync' ? [entry.source, ...(entry.referrers?.from === undefined ? [] : [entry.referrers.from])] : [],
  );
  return {
    repositories: [...targets, ...sources],
    destinations: new Set(targets.map((target) => formatRepository(target))),
  };
}

/** In GitHub Actions the workflow, as SLSA's GitHub builders name it; elsewhere a name that claims nothing. */
function builderId(env: Variables): string {
  const { GITHUB_SERVER_URL: server, GITHUB_WORKFLOW_REF: workflow } = env;
  return server !== undefined && workflow !== undefined
    ? `${server}/${workflow}`
    : 'https://slipway.example/builder/local';
}
