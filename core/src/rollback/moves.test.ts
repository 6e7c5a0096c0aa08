import { expect, test } from 'vitest';
import type { Event, Row } from '../journal/events.ts';
import { sha256 } from '../oci/digest.ts';
import { formatReference } from '../reference.ts';
import { movesOfRun } from './moves.ts';

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
