/** `prune`: lists, and with `--delete` deletes, tags that this config made and names no longer. */
import { cancelled, configFailure, formatPruned, prune } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import { askedOf, type Options } from '../options.ts';
import { painter } from '../paint.ts';
import { whyNobodyCounts } from '../preflight.ts';
import { prepare } from '../prepare.ts';
import { openCommandSession, warningsTo } from '../session.ts';
import { VERSION } from '../version.ts';

export interface PruneOptions extends Options {
  readonly delete: boolean;
  readonly max?: number;
  readonly templated: boolean;
}

export async function pruneCommand(io: Io, options: PruneOptions): Promise<number> {
  const { json, only, exclude, max, templated } = options;
  const signal = deadline(io, options);
  // What the config names is all of it, whichever tags are looked at.
  const prepared = await prepare(io, { ...options, only: [], exclude: [] }, 'run', signal);
  if (!prepared.ok) return refuse(io, json, 'prune', prepared.failures);
  const { signing, planned, warnings } = prepared.value;
  const nobody = whyNobodyCounts(prepared.value);
  if (nobody !== undefined) return refuse(io, json, 'prune', [nobody]);
  if (planned.plan.entries.every(({ trust }) => trust === 'copy') || signing === undefined) {
    const hint = 'prune goes by signed attestations, which trust: copy leaves out';
    return refuse(io, json, 'prune', [configFailure('nothing here proves which tags this config made', hint)]);
  }
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  // A file that came with a checkout must not vouch for anything here.
  const opened = await openCommandSession(io, {
    prepared: prepared.value,
    purpose: 'run',
    remember: false,
    ...(options.delete ? { moves: true as const } : {}),
    signal,
    report: warningsTo(io),
  });
  if (!opened.ok) return refuse(io, json, 'prune', opened.failures);
  await using session = opened.value;
  const pruned = await prune(session.engine, signing, {
    delete: options.delete,
    only,
    exclude,
    templated,
    version: VERSION,
    signal,
    ...(max === undefined ? {} : { max }),
    ...askedOf(options),
  });
  if (signal.aborted && !options.delete) return refuse(io, json, 'prune', [cancelled]);
  if (!pruned.ok) return refuse(io, json, 'prune', [pruned.failure]);
  const { run, tags, closed, refused } = pruned.value;
  if (options.delete && refused !== undefined) {
    // The list is what has to be looked at before more is allowed.
    io.stderr(formatPruned(pruned.value, painter(io)));
    return refuse(io, json, 'prune', [refused]);
  }
  const exitCode = signal.aborted
    ? EXIT.interrupted
    : tags.some(({ failure }) => failure !== undefined)
      ? EXIT.failed
      : EXIT.done;
  return answer(
    io,
    json,
    'prune',
    exitCode,
    { ...(run === undefined ? {} : { run }), entries: tags, closed, ...(refused === undefined ? {} : { refused }) },
    () => formatPruned(pruned.value, painter(io)),
  );
}
