/** `doctor`: tools and their versions, registries, referrers, credentials, identity; each with what mends it. */
import { join } from 'node:path';
import { cancelled, diagnose, formatDiagnoses, type Diagnosis, type Failure } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { painter } from '../paint.ts';
import { lackingHere, toolNeeds, whyNotSigned } from '../preflight.ts';
import { prepare, type Prepared } from '../prepare.ts';
import { openCommandSession } from '../session.ts';

export async function doctorCommand(io: Io, options: Options): Promise<number> {
  const signal = deadline(io, options);
  const prepared = await prepare(io, options, 'run', signal);
  if (!prepared.ok) return refuse(io, options.json, 'doctor', prepared.failures);
  const { warnings } = prepared.value;
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  const opened = await openCommandSession(io, { prepared: prepared.value, purpose: 'run', looks: true, signal });
  if (!opened.ok) return refuse(io, options.json, 'doctor', opened.failures);
  await using session = opened.value;
  const lacking = await lackingHere(io, prepared.value);
  const unsigned = whyNotSigned(io, prepared.value, options);
  const findings: readonly Diagnosis[] = [
    ...(await tools(prepared.value)),
    // How it would be signed is not well where it cannot be.
    ...(await diagnose(session.engine, signal)).filter(({ what }) => what !== 'signing' || unsigned.length === 0),
    ...tagLists(prepared.value),
    ...signing(prepared.value, unsigned, options),
    ...prepared.value.failed.map(({ selection, failure }) => failed(`selection ${selection.id}`, failure)),
    ...lacking.map((failure) => failed('this machine', failure)),
    ...folder(prepared.value, session.stateFolder),
  ];
  if (signal.aborted) return refuse(io, options.json, 'doctor', [cancelled]);
  const exitCode = findings.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.done;
  return answer(io, options.json, 'doctor', exitCode, { findings }, () => formatDiagnoses(findings, painter(io)));
}

/** Of a mirror nothing is signed anyway, wherever it goes. */
function signing(
  { planned, signing: signer }: Prepared,
  failures: readonly Failure[],
  { to }: Options,
): readonly Diagnosis[] {
  const isMirror = planned.plan.entries.every(({ trust }) => trust === 'copy');
  if (failures.length > 0 || signer !== undefined || to === undefined || isMirror)
    return failures.map((failure) => failed('signing', failure));
  const hint = 'set signing.scratch in the settings to try the whole chain';
  return [{ what: 'signing', state: 'warning', detail: 'nothing is signed or attached with this --to', hint }];
}

/** Whoever only looks does without it; a run would not. */
function folder({ config }: Prepared, used: string): readonly Diagnosis[] {
  const wanted = join(config.folder, '.slipway');
  if (used === wanted) return [];
  const hint = 'see who may write there, and whether the disk is full';
  return [
    {
      what: 'the folder .slipway',
      state: 'failed',
      detail: `${wanted} cannot be written, and a run keeps its journal there`,
      hint,
    },
  ];
}

/** Whose own lists of tags are read, so that nobody wonders where digests come from. */
function tagLists({ planned, host }: Prepared): readonly Diagnosis[] {
  const registries = [...planned.entries.values()].flatMap((entry) => [
    ...(entry.kind === 'sync' ? [entry.source.registry] : []),
    ...entry.targets.map(({ destination }) => destination.registry),
  ]);
  return [...new Set(registries)].flatMap((registry) => {
    const owner = host.owner(`tags.list@1/${registry}`)?.plugin;
    if (owner === undefined) return [];
    const detail = `read by ${owner.name}; not verified against the live service, so what is acted on is asked for itself`;
    return [{ what: `tag lists of ${registry}`, state: 'ok' as const, detail }];
  });
}

async function tools(prepared: Prepared): Promise<readonly Diagnosis[]> {
  return Promise.all(
    toolNeeds(prepared).map(async (need): Promise<Diagnosis> => {
      const what = `tool ${need.name}`;
      const found = await prepared.finder.find(need);
      if (found.ok) return { what, state: 'ok', detail: `${found.value.version} (${need.range}) ${found.value.path}` };
      return failed(what, found.failure);
    }),
  );
}

function failed(what: string, { message, hint }: Failure): Diagnosis {
  return { what, state: 'failed', detail: message, ...(hint === undefined ? {} : { hint }) };
}
