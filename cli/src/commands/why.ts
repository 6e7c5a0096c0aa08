/** `why`: from the journals why entries ran, from the registries why they would; `--cve` finds images by vulnerability. */
import { dirname, join, resolve } from 'node:path';
import {
  cancelled,
  configFailure,
  explain,
  findAffected,
  formatAffected,
  formatAhead,
  formatExplained,
  lookAhead,
  probeAll,
  recentRuns,
} from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { prepare } from '../prepare.ts';
import { openCommandSession } from '../session.ts';

export interface WhyOptions extends Options {
  readonly resolve: boolean;
  /** As `CVE-2026-1234`. */
  readonly cve?: string;
}

export async function whyCommand(io: Io, pattern: string, options: WhyOptions): Promise<number> {
  const { json, cve } = options;
  if (cve !== undefined && (options.resolve || pattern !== '*')) {
    const hint = 'ask them apart: of a vulnerability all images that have it are named';
    return refuse(io, json, 'why', [
      configFailure(`--cve goes with no ${options.resolve ? '--resolve' : 'pattern'}`, hint),
    ]);
  }
  if (options.resolve) return whyNow(io, pattern, options);
  const state = join(dirname(resolve(io.cwd, options.config)), '.slipway', 'runs');
  if (cve !== undefined) {
    const found = findAffected(recentRuns(state), cve);
    if (found.looked === 0) return refuse(io, json, 'why', [noJournal(state, 'a scan', 'slipway scan makes new ones')]);
    return answer(io, json, 'why', EXIT.done, { ...found }, () => formatAffected(cve, found));
  }
  const entries = explain(recentRuns(state), pattern);
  if (entries.length === 0)
    return refuse(io, json, 'why', [
      noJournal(state, `an entry that matches "${pattern}"`, 'slipway why --resolve asks the registries'),
    ]);
  return answer(io, json, 'why', EXIT.done, { entries }, () => formatExplained(entries));
}

async function whyNow(io: Io, pattern: string, options: WhyOptions): Promise<number> {
  const { json } = options;
  const signal = deadline(io, options);
  const only = pattern === '*' ? options.only : [...options.only, pattern];
  const prepared = await prepare(io, { ...options, only }, 'plan', signal);
  if (!prepared.ok) return refuse(io, json, 'why', prepared.failures);
  const opened = await openCommandSession(io, { prepared: prepared.value, purpose: 'run', looks: true, signal });
  if (!opened.ok) return refuse(io, json, 'why', opened.failures);
  await using session = opened.value;
  const { engine } = session;
  const answers = await probeAll(engine, signal);
  if (signal.aborted) return refuse(io, json, 'why', [cancelled]);
  const entries = lookAhead(engine.planned.plan, answers, (task) => engine.durations.of(task));
  const exitCode = answers.some(({ failure }) => failure !== undefined) ? EXIT.failed : EXIT.done;
  return answer(io, json, 'why', exitCode, { entries }, () => formatAhead(entries, io.cwd));
}

function noJournal(state: string, what: string, besides: string) {
  return configFailure(
    `no journal in ${state} has ${what}`,
    `journals are written by slipway run on this machine; ${besides}`,
  );
}
