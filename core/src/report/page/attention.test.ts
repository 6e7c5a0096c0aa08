/** What a report shows first: each cause once, refusals among failures, and where the rest is. */
import { expect, test } from 'vitest';
import type { Failure, UsedWaiver } from '../../failure.ts';
import type { Event, Row } from '../../journal/events.ts';
import { reportData } from './data.ts';
import { reportPage } from './page.ts';

const tooMany: Failure = {
  reason: 'registry',
  class: 'transient',
  side: 'source',
  host: 'docker.io',
  status: 429,
  message: 'docker.io answered 429',
};
const tool = (message: string): Failure => ({ reason: 'tool', class: 'permanent', tool: 'apko', message });
const policy = (index: number): Failure => ({
  reason: 'policy',
  class: 'policy',
  refusals: [`CVE-${index} (HIGH) in musl`],
  message: `the gate refused r/a-${index}:1: CVE-${index}`,
});

function row(index: number, failure: Failure, more: Partial<Row> = {}): Row {
  return {
    id: `build:r/a-${index}:1`,
    destination: `r/a-${index}:1`,
    digest: null,
    outcome: failure.reason === 'policy' ? 'refused' : 'failed',
    before: null,
    why: failure.message,
    findings: null,
    signed: false,
    size: null,
    packages: null,
    seconds: 1,
    failure,
    ...more,
  };
}

/** A row an entry, a second apart. */
function attention(...entries: readonly (readonly Row[])[]): string {
  const events = entries.map((rows, index): Event => ({
    t: index * 1000,
    type: 'entry.done',
    entry: rows[0]?.id ?? '',
    rows,
  }));
  const page = reportPage(reportData(events));
  return page.slice(page.indexOf('What needs attention'), page.indexOf('id="images-heading"'));
}
const cards = (html: string): number => html.match(/<li data-outcome=/g)?.length ?? 0;
const text = (html: string): string => html.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');

test('what has one cause is one card, with the one that ended first and the names of the others', () => {
  const shown = attention(
    [row(0, tool('bad flag'))],
    ...[1, 2, 3].map((index) => [row(index, { ...tooMany, message: `docker.io answered 429 for r/a-${index}` })]),
  );
  expect(cards(shown)).toBe(2);
  expect(text(shown)).toContain('r/a-1:1 first, after 1.0 s');
  expect(text(shown)).toContain('and 2 more images for the same cause');
  expect(text(shown)).toContain('r/a-3:1 after 3.0 s');
  expect(text(shown)).toContain('3 at the source registry docker.io');
});

test('targets of one entry are one card, and different answers of a registry are not', () => {
  const failure = tool('r/a-0:1 cannot be built');
  const missing: Failure = { ...tooMany, status: 404, message: 'docker.io has no x' };
  const shown = attention(
    [row(0, failure), row(0, failure, { destination: 'r/a-0:latest' })],
    [row(1, missing)],
    [row(2, { ...missing, message: 'docker.io has no y' })],
  );
  expect(cards(shown)).toBe(3);
  expect(text(shown)).toContain('and 1 more image for the same cause');
});

test('refusals have their share, and a link leads to what is left out of each kind', () => {
  const failures = Array.from({ length: 30 }, (_, index) => [row(index, tool(`error ${index}`))]);
  const refusals = Array.from({ length: 12 }, (_, index) => [row(100 + index, policy(index))]);
  const shown = attention(...failures, ...refusals);
  expect(shown.match(/<li data-outcome="failed">/g)).toHaveLength(10);
  expect(shown.match(/<li data-outcome="refused">/g)).toHaveLength(10);
  expect(shown).toContain('<a href="#outcome=failed">20 more failed</a>');
  expect(shown).toContain('<a href="#outcome=refused">2 more refused</a>');
  expect(cards(attention(...failures, ...refusals.slice(0, 3)))).toBe(20);
  expect(attention(...refusals)).not.toContain('more refused');
});

test('what was skipped for a need keeps the hint of what to do', () => {
  const need: Failure = {
    reason: 'need',
    class: 'permanent',
    need: 'r/base:1',
    message: 'r/base:1 has no scan',
    hint: 'run its entry too',
  };
  const shown = attention([row(0, need, { outcome: 'skipped' })]);
  expect(text(shown)).toContain('1 image skipped: r/base:1 has no scan → run its entry too');
});

const waiver = (id: string, expires: string): UsedWaiver => ({ id, reason: `${id} is not reachable`, expires });
function waived(...waivers: readonly UsedWaiver[]): readonly Row[] {
  const index = waivers.length;
  const { failure: _none, ...published } = row(index, tooMany, { outcome: 'published', digest: 'sha256:ab' });
  return [{ ...published, waived: waivers }];
}

test('of what is public by waivers, those that end within two weeks of the run stand open, the first to end first', () => {
  const shown = attention(
    waived(waiver('CVE-3', '1970-03-01')),
    waived(waiver('CVE-2', '1970-01-15'), waiver('CVE-1', '1970-01-01')),
    waived(waiver('CVE-3', '1970-03-01'), waiver('CVE-2', '1970-01-15'), waiver('CVE-4', '1970-01-16')),
  );
  expect(text(shown)).toContain(
    'Waivers end soon: 3 images pass the policy only by 4 waivers: 2 end within 14 days of this run.',
  );
  const [open = '', closed = ''] = text(shown).split('2 waivers that hold longer');
  expect(open).toMatch(
    /CVE-1 until 1970-01-01, the day of this run, in 1 image: CVE-1 is not reachable .*CVE-2 until 1970-01-15, 14 days after this run, in 2 images/,
  );
  expect(closed).toMatch(/CVE-4 until 1970-01-16, 15 days after this run, in 1 image: .*CVE-3 until 1970-03-01/);
  expect(shown).toContain('<a href="#waiver=CVE-2&amp;until=1970-01-15">2 images</a>');
});

test('waivers that hold longer are one line', () => {
  const shown = attention(waived(waiver('CVE-3', '1970-03-01')));
  expect(text(shown)).toContain('1 image passes the policy only by 1 waiver: the first ends on 1970-03-01.');
  expect(shown.indexOf('CVE-3')).toBeGreaterThan(shown.indexOf('<details>'));
  expect(text(shown)).not.toContain('soon');
});

test('an image that is refused for more than what waivers cover is told with those', () => {
  const failure: Failure = { ...policy(1), waived: [waiver('CVE-2', '2027-01-31')] } as Failure;
  expect(text(attention([row(1, failure)]))).toContain(
    'CVE-1 (HIGH) in musl waived all the same: CVE-2 until 2027-01-31 (CVE-2 is not reachable)',
  );
  expect(attention([row(1, policy(1))])).not.toContain('waived');
});

test('images whose system is at its end of life are a line, though nothing else is to be seen to', () => {
  const { failure: _failure, ...done } = row(0, tool('none'), {
    outcome: 'published',
    digest: `sha256:${'a'.repeat(64)}`,
  });
  const of = (index: number, endOfLife: readonly string[]): readonly Row[] => [
    { ...done, id: `build:r/a-${index}:1`, destination: `r/a-${index}:1`, endOfLife },
  ];
  const shown = attention(of(0, ['alpine 3.16']), of(1, ['alpine 3.16', '<b>']));
  expect(text(shown)).toContain(
    '2 images have an operating system at its end of life (&lt;b&gt;, alpine 3.16), which gets no advisories any more: new vulnerabilities in it are not found.',
  );
  expect(shown).toContain('findings=end-of-life');
});
