/** What a report says of tags that were deleted. */
import { expect, test } from 'vitest';
import type { Event } from '../../journal/events.ts';
import { reportData } from './data.ts';
import { reportPage } from './page.ts';
import { samplePrune, sampleRun } from './sample.ts';

const RUN = '20261125-203000-1a2b3c';
const run = samplePrune();
const text = (html: string): string => html.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');

test('each tag has how that ended, what it named, and how it is put back', () => {
  const data = reportData(run);
  const [gone, moved, refused] = data.deletions;
  const named = gone?.digest ?? '';
  expect(gone?.commands.map(({ command }) => command)).toEqual([`crane tag ghcr.io/example/image@${named} 1`]);
  // Nobody has touched it.
  expect(moved?.commands.map(({ command }) => command)).toEqual(['slipway show ghcr.io/example/image:2']);
  expect(refused?.commands).toHaveLength(2);
  const page = reportPage(data);
  expect(page).toContain('<h1>3 tags: 2 not deleted, 1 deleted</h1>');
  expect(text(page)).toContain(`deleted ghcr.io/example/image:1 named ${named}`);
  expect(text(page)).toContain('the registry does not delete tags');
  expect(page.slice(page.indexOf('id="check-heading"'))).toContain(`<pre>slipway rollback ${RUN}</pre>`);
  expect(page).not.toContain('class="cards"');
});

test('of a run that was killed, the tag that it was at may be gone', () => {
  const data = reportData(run.slice(0, 2));
  expect(data.deletions).toMatchObject([{ state: 'unfinished', asked: true }]);
  const page = reportPage(data);
  expect(page).toContain('<h1>1 tag: the run has no end yet, or was killed, 1 may be gone</h1>');
  expect(page).toContain('slipway show ghcr.io/example/image:1');
});

test('a run that deletes nothing has no word of it', () => {
  expect(reportPage(reportData(sampleRun({ images: 2 })))).not.toContain('Deleted tags');
});

test('a later run does not take a tag for what it named before it was deleted', () => {
  const [tag, digest] = ['ghcr.io/example/image:1', `sha256:${'a'.repeat(64)}`];
  const begun = sampleRun({ images: 2 }).slice(0, 1);
  const [id = ''] = begun.flatMap((event) => (event.type === 'run.start' ? event.entries : []));
  const row = { destination: tag, digest: null, before: null, outcome: 'cancelled', why: 'interrupted' } as const;
  const known = { findings: null, signed: false, size: null, packages: null, seconds: 0 };
  const cut: Event = { t: 1, type: 'entry.done', entry: id, rows: [{ id, ...row, ...known }] };
  const made: Event = { ...cut, rows: [{ id, ...row, ...known, digest, outcome: 'published' }] };
  const deleted: Event = { t: 2, type: 'tag.done', tag, digest, state: 'deleted' };
  const tagIn = (...past: readonly (readonly Event[])[]) =>
    reportData(
      [...begun, cut],
      past.map((events) => ({ run: 'r', events })),
    ).images.find(({ destination }) => destination === tag)?.tag;
  expect(tagIn([made])).toBe(digest);
  expect(tagIn([deleted], [made])).toBeNull();
});
