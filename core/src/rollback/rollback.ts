/**
 * Puts tags back. A tag moves only if it still is where it was moved to, the older image is there, and that image verifies as
 * a consumer would verify it; it is compared just before and read again just after, as when it was published.
 */
import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { Asked, Row } from '../journal/events.ts';
import {
  formatPinned,
  formatReference,
  formatRepository,
  pin,
  type Digest,
  type Pinned,
  type Reference,
  type Tagged,
} from '../reference.ts';
import { formatDigest } from '../report/wording.ts';
import { believe, lookTask } from '../run/believe.ts';
import type { Engine } from '../run/engine.ts';
import { readImage } from '../run/steps/image.ts';
import { movedByOther, moveTag } from '../run/steps/tag.ts';
import { checkAttached } from '../run/steps/attached.ts';
import { factsOf } from '../trust/facts.ts';
import { trustFailure } from '../trust/strict.ts';
import { absent } from '../run/absent.ts';
import { moveByFacts, type Move } from './moves.ts';

export interface RollbackOptions {
  /** Also to an image that does not verify; the rows and the journal say so. */
  readonly unverified: boolean;
  readonly version: string;
  /** For the journal. */
  readonly asked?: Asked;
  readonly signal: AbortSignal;
}

const TASK = lookTask('rollback');

/** The move that the attestations of what `reference` names now tell of. */
export async function findMove(engine: Engine, reference: Reference, signal: AbortSignal): Promise<Result<Move>> {
  const text = formatReference(reference);
  const head = await engine.registry.head(reference, 'destination');
  if (!head.ok) return head;
  if (head.value === undefined) return fail(absent(reference, 'destination', 'check the name and the tag'));
  const { signing } = engine;
  if (signing === undefined) return fail(nothingKnown(text, 'the settings name no signer whose word would count'));
  const believed = await believe({ engine, task: TASK, signal }, pin(reference, head.value.digest), signing);
  if (!believed.ok) return believed;
  const move = moveByFacts(text, head.value.digest, believed.value);
  return move === undefined ? fail(nothingKnown(text, 'no attestation of ours says what it named before')) : ok(move);
}

/** Puts each tag back, one after the other, and writes a journal of its own, without which no tag moves. A row a tag. */
export async function rollBack(
  engine: Engine,
  moves: readonly Move[],
  options: RollbackOptions,
): Promise<Result<readonly Row[]>> {
  const started = performance.now();
  const ids = moves.map(({ destination }) => `rollback:${formatReference(destination)}`);
  engine.emit({
    type: 'run.start',
    run: engine.run,
    command: 'rollback',
    version: options.version,
    entries: ids,
    tasks: [],
    ...(options.asked === undefined ? {} : { asked: options.asked }),
  });
  const unrecorded = engine.unrecorded();
  if (unrecorded !== undefined) return fail(unrecorded);
  const rows: Row[] = [];
  for (const [index, move] of moves.entries()) {
    const from = performance.now();
    const id = ids[index] ?? '';
    const back = options.signal.aborted ? undefined : await putBack(engine, id, move, options);
    const row = { ...rowOf(move, id, back), seconds: (performance.now() - from) / 1000 };
    rows.push(row);
    engine.emit({ type: 'entry.done', entry: id, rows: [row] });
  }
  const exitCode = options.signal.aborted ? 130 : rows.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
  engine.emit({ type: 'run.done', exitCode, seconds: (performance.now() - started) / 1000 });
  return ok(rows);
}

interface Back {
  readonly moved: boolean;
  readonly lacks: readonly string[];
}

async function putBack(
  engine: Engine,
  id: string,
  { destination, from, to }: Move,
  { unverified, signal }: RollbackOptions,
): Promise<Result<Back>> {
  const now = await engine.registry.head(destination, 'destination');
  if (!now.ok) return now;
  const subject = pin(destination, to);
  if (now.value?.digest === to) {
    const lacks = await lacksOf(engine, subject, signal);
    return lacks.ok ? ok({ moved: false, lacks: lacks.value }) : lacks;
  }
  // Before anything is said of the older image: what would help with that does not help here.
  if ((now.value?.digest ?? null) !== from) return fail(movedSince(destination, from, now.value?.digest ?? null));
  const there = await engine.registry.head(subject, 'destination');
  if (!there.ok) return there;
  if (there.value === undefined)
    return fail(absent(subject, 'destination', 'the older image was removed: nothing can be put back'));
  const lacks = await lacksOf(engine, subject, signal);
  if (!lacks.ok) return lacks;
  if (lacks.value.length > 0 && !unverified) return fail(doesNotVerify(subject, lacks.value));
  const moved = await moveTag(engine, id, destination, to, from);
  if (!moved.ok) return moved;
  const unwritten = (await engine.finishLayouts()).get(formatRepository(destination));
  return unwritten === undefined ? ok({ moved: moved.value, lacks: lacks.value }) : fail(unwritten);
}

/** What kind of image it is, its own attestations say: the config may have changed since. */
async function lacksOf(engine: Engine, subject: Pinned, signal: AbortSignal): Promise<Result<readonly string[]>> {
  const { signing } = engine;
  if (signing === undefined) return ok(['a signer to verify with']);
  const step = { engine, task: TASK, signal };
  const believed = await believe(step, subject, signing);
  if (!believed.ok) return believed;
  const image = await readImage(engine.registry, subject);
  if (!image.ok) return image;
  const kind = factsOf(believed.value, 'provenance').length > 0 ? 'build' : 'sync';
  const checked = await checkAttached(step, kind, image.value, true);
  return checked.ok ? ok(checked.value.lacks) : checked;
}

function rowOf({ destination, from, to }: Move, id: string, back: Result<Back> | undefined): Omit<Row, 'seconds'> {
  const common = { id, destination: formatReference(destination), findings: null, size: null, packages: null };
  if (back === undefined)
    return { ...common, digest: from, before: from, outcome: 'cancelled', why: 'interrupted', signed: false };
  if (!back.ok) {
    const { failure } = back;
    return { ...common, digest: from, before: from, outcome: 'failed', why: failure.message, signed: false, failure };
  }
  const { moved, lacks } = back.value;
  if (!moved)
    return {
      ...common,
      digest: to,
      before: to,
      outcome: 'unchanged',
      why: 'it is back already',
      signed: lacks.length === 0,
    };
  const done = from === null ? 'put back after it was deleted' : `rolled back from ${formatDigest(from)}`;
  const why = lacks.length === 0 ? done : `${done}, unverified: it lacks ${lacks.join(', ')}`;
  return { ...common, digest: to, before: from, outcome: 'published', why, signed: lacks.length === 0 };
}

function movedSince(destination: Tagged, from: Digest | null, now: Digest | null): Failure {
  const hint = 'if a later run of yours moved it, roll that one back first; else find out who publishes this tag';
  return { ...movedByOther(destination, from, now), hint };
}

function doesNotVerify(subject: Pinned, lacks: readonly string[]): Failure {
  const hint =
    'slipway show tells what is attached to it; --unverified puts the tag back all the same, and is recorded';
  return trustFailure(`${formatPinned(subject)} does not verify: it lacks ${lacks.join(', ')}`, hint);
}

function nothingKnown(text: string, why: string): Failure {
  const hint = 'name the run that moved it: its journal is in .slipway/runs of the machine that ran it';
  return trustFailure(`nothing is known of where ${text} was before: ${why}`, hint);
}
