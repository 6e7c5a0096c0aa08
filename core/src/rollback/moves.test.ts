import { expect, test } from 'vitest';
import type { Event, Row } from '../journal/events.ts';
import { sha256 } from '../oci/digest.ts';
import { formatReference, type Digest } from '../reference.ts';
import type { Fact } from '../trust/facts.ts';
import { predicateType } from '../trust/model.ts';
import { moveByFacts, movesOfRun } from './moves.ts';

const [OLD, NEW] = [sha256('old'), sha256('new')];

function row(destination: string, outcome: Row['outcome']): Row {
  const unknown = { findings: null, size: null, packages: null };
  return {
    id: 'sync:a',
    destination,
    digest: NEW,
    before: OLD,
    outcome,
    why: '',
    signed: false,
    seconds: 0,
    ...unknown,
  };
}

const done = (...rows: readonly Row[]): Event => ({ t: 0, type: 'entry.done', entry: 'sync:a', rows });
const move = (tag: string, from: string | null): Event => ({
  t: 0,
  type: 'tag.move',
  entry: 'sync:a',
  tag,
  from,
  to: NEW,
});

const moved = (...events: readonly Event[]) =>
  movesOfRun(events).map(({ destination, from, to }) => [formatReference(destination), from, to]);

test('what a run published is what it moved, each tag once', () => {
  expect(moved(done(row('r.example/a:1', 'published'), row('r.example/a:2', 'unchanged')))).toEqual([
    ['r.example/a:1', NEW, OLD],
  ]);
  expect(moved(move('r.example/a:1', OLD), done(row('r.example/a:1', 'published')))).toEqual([
    ['r.example/a:1', NEW, OLD],
  ]);
});

test('so is what it had begun to move when it failed at another tag, or was killed', () => {
  expect(moved(move('r.example/a:latest', OLD), done(row('r.example/a:1', 'failed')))).toEqual([
    ['r.example/a:latest', NEW, OLD],
  ]);
  expect(moved(move('r.example/a:1', OLD))).toEqual([['r.example/a:1', NEW, OLD]]);
});

test('a new tag has nothing to go back to', () => {
  expect(moved(move('r.example/a:1', null))).toEqual([]);
});

test('a tag that was deleted, or may have been, goes back to what it named', () => {
  const [tag, digest] = ['r.example/a:1', OLD];
  const begin: Event = { t: 0, type: 'tag.delete', tag, digest };
  const end: Event = { t: 1, type: 'tag.done', tag, digest, state: 'deleted' };
  expect(moved(begin, end)).toEqual([[tag, null, OLD]]);
  expect(moved(begin)).toEqual([[tag, null, OLD]]);
  expect(moved({ ...end, state: 'failed' })).toEqual([]);
});

function told(kind: 'copy' | 'provenance', time: string, previous: Readonly<Record<string, Digest | null>>): Fact {
  const content = { kind, [kind]: { previous } } as unknown as Fact['content'];
  const about = { referrer: sha256(time), subject: NEW, signer: 'ab', predicateType: predicateType[kind] };
  return { ...about, time, content };
}

test('without a journal, the newest statement about an image that names the tag says what it named before', () => {
  const target = 'r.example/a:1';
  const [older, newest] = [sha256('older'), sha256('newest')];
  const facts = [
    told('copy', '2026-11-01T00:00:00Z', { [target]: older }),
    told('provenance', '2026-11-03T00:00:00Z', { [target]: newest }),
    told('copy', '2026-11-04T00:00:00Z', { 'r.example/a:2': OLD }),
    // Signed again when the tag was there already.
    told('copy', '2026-11-05T00:00:00Z', { [target]: NEW }),
    told('copy', '2026-11-06T00:00:00Z', { [target]: null }),
  ];
  expect(moveByFacts(target, NEW, facts)?.to).toBe(newest);
  expect(moveByFacts(target, NEW, facts.slice(0, 1))?.to).toBe(older);
  expect(moveByFacts('r.example/a:3', NEW, facts)).toBeUndefined();
});
