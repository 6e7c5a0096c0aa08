/** `rollback`: tags that a run moved or deleted, or one tag, are put back to what they named before. */
import { basename, dirname, join, resolve } from 'node:path';
import {
  configFailure,
  fail,
  findMove,
  formatFailures,
  formatTable,
  isAtWork,
  isRunId,
  MAX_JOURNAL,
  movesOfRun,
  ok,
  parseJournal,
  parseLocation,
  readRegular,
  rollBack,
} from '@slipway/core';
import type { Move, Result, Session } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import { askedOf, type Options } from '../options.ts';
import { painter } from '../paint.ts';
import { prepare } from '../prepare.ts';
import { openCommandSession, warningsTo } from '../session.ts';
import { VERSION } from '../version.ts';

export interface RollbackOptions extends Options {
  /** Also to an image that does not verify. */
  readonly unverified: boolean;
}

export async function rollbackCommand(io: Io, what: string, options: RollbackOptions): Promise<number> {
  const { json, unverified } = options;
  const prepared = await prepare(io, options, 'run');
  if (!prepared.ok) return refuse(io, json, 'rollback', prepared.failures);
  const signal = deadline(io, options);
  // What an earlier run remembered must not vouch for the image that is put back.
  const opened = await openCommandSession(io, {
    prepared: prepared.value,
    purpose: 'run',
    remember: false,
    moves: true,
    signal,
    report: warningsTo(io),
  });
  if (!opened.ok) return refuse(io, json, 'rollback', opened.failures);
  await using session = opened.value;
  const moves = await findMoves(io, session, what, options, signal);
  if (!moves.ok) return refuse(io, json, 'rollback', [moves.failure]);
  const told = { unverified, version: VERSION, ...askedOf(options), signal };
  const put = await rollBack(session.engine, moves.value, told);
  if (!put.ok) return refuse(io, json, 'rollback', [put.failure]);
  const rows = put.value;
  const exitCode = signal.aborted ? EXIT.interrupted : rows.some(({ failure }) => failure) ? EXIT.failed : EXIT.done;
  const back = rows.filter(({ outcome }) => outcome === 'published');
  if (back.some(({ before }) => before !== null))
    io.stderr('the next run moves these tags forward again, unless config.yaml changes before it\n');
  if (back.some(({ before }) => before === null))
    io.stderr('the next prune --delete deletes these tags again, unless config.yaml names them before it\n');
  const paint = painter(io);
  return answer(io, json, 'rollback', exitCode, { run: session.engine.run, entries: rows }, () =>
    rows.length === 0
      ? 'that run moved no tag that had named something before, and deleted none\n'
      : `${formatTable(rows, paint)}\n${formatFailures(rows, undefined, paint, io.cwd)}`,
  );
}

const JOURNAL = '.ndjson';
const BY_TAG = 'slipway rollback takes a tag too, and goes by what is attested of it';

/** What follows the last of them a killed run was about to write, and to do. */
function wholeLines(text: string): number {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.trim() !== '').length;
}

/** A run is named as its journal is; everything else is a reference. */
async function findMoves(
  io: Io,
  { engine, stateFolder }: Session,
  what: string,
  { config }: RollbackOptions,
  signal: AbortSignal,
): Promise<Result<readonly Move[]>> {
  // Also as a run's last line names its journal, and `report` takes it: with `.ndjson` it is no image of Docker Hub's.
  const run = basename(what, JOURNAL);
  const journal = join(dirname(resolve(io.cwd, config)), '.slipway', 'runs', `${run}${JOURNAL}`);
  const isJournal = what.endsWith(JOURNAL) && isRunId(run);
  if (isJournal && what !== `${run}${JOURNAL}` && resolve(io.cwd, what) !== journal)
    return fail(configFailure(`${what} is not in the folder of this config's journals`, `it would be ${journal}`));
  if (isJournal || isRunId(what)) {
    const text = readRegular(journal, MAX_JOURNAL);
    if (text === undefined)
      return fail(configFailure(`there is no journal of the run ${run}`, `it would be ${journal}`));
    if (await isAtWork(join(stateFolder, 'tmp'), run)) {
      const message = `the run ${run} is still at work: it would go on to move tags that were not put back`;
      return fail(configFailure(message, 'wait until it has ended, or interrupt it'));
    }
    const events = parseJournal(text);
    if (events.length === 0)
      return fail(configFailure(`nothing of ${journal} can be read: nobody knows what that run moved`, BY_TAG));
    const lost = wholeLines(text) - events.length;
    if (lost > 0)
      io.stderr(
        `warning: ${journal} cannot be read in ${lost} of its lines, and tags that they tell of stay as they are: ${BY_TAG}\n`,
      );
    return ok(movesOfRun(events));
  }
  const reference = parseLocation(what);
  if (!reference.ok) return reference;
  if (reference.value.kind !== 'tagged') {
    return fail(configFailure(`${what} is a digest, which never moves`, 'name the tag that is to be put back'));
  }
  const move = await findMove(engine, reference.value, signal);
  return move.ok ? ok([move.value]) : move;
}
