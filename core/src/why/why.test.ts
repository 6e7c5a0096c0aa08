import { describe, expect, test } from 'vitest';
import type { Failure } from '../failure.ts';
import type { Event, Row } from '../journal/events.ts';
import type { PastRun } from '../journal/recent.ts';
import { build, planned, sync } from '../plan/sample.ts';
import { sampleRun } from '../report/page/sample.ts';
import { formatAffected, formatAhead, formatExplained } from '../report/why.ts';
import type { Scan } from '../trust/model.ts';
import { findAffected } from './affected.ts';
import { lookAhead } from './ahead.ts';
import { explain } from './explain.ts';

const digest = (byte: string): string => `sha256:${byte.repeat(32)}`;
const ID = 'build:r.example/app:1';

function row(more: Partial<Row>): Row {
  return {
    id: ID,
    destination: 'r.example/app:1',
    digest: digest('aa'),
    outcome: 'published',
    before: digest('bb'),
    why: 'changed: file Dockerfile',
    findings: null,
    signed: true,
    size: null,
    packages: null,
    seconds: 1,
    ...more,
  };
}

function scan(...ids: readonly string[]): Scan {
  const findings = ids.map((id) => ({
    id,
    severity: 'HIGH' as const,
    package: 'musl',
    installed: '1.2.4',
    fixed: '1.2.5',
    layer: digest('11'),
    platforms: ['linux/amd64'],
  }));
  const times = { startedAt: '2026-11-23T10:00:00Z', finishedAt: '2026-11-23T10:00:05Z' };
  const platform = { digest: digest('a1'), platform: 'linux/amd64', status: 'scanned', packages: 3, findings };
  return { scanner: { name: 'trivy', version: '1', uri: 'u' }, ...times, platforms: [platform] } as unknown as Scan;
}

const chain = (entry: string): Event => ({
  t: 1,
  type: 'entry.chain',
  entry,
  why: 'changed: file Dockerfile',
  tasks: [{ id: `${entry}#build`, contract: 'image.build@1/docker', entry }],
  changes: [{ part: 'file Dockerfile', from: '0123456789ab', to: 'ba9876543210' }],
});
const done = (...rows: readonly Row[]): Event => ({ t: 2, type: 'entry.done', entry: rows[0]?.id ?? '', rows });
const ended: Event = { t: 1, type: 'task.done', task: `${ID}#build`, state: 'ok', ms: 2500 };
const image = (of: string, found: Scan): Event => ({
  t: 1,
  type: 'image',
  entry: ID,
  image: { digest: of, scan: found, packages: [], attachments: [] },
});
const runs = (...all: readonly (readonly Event[])[]): readonly PastRun[] =>
  all.map((events, index) => ({ run: `run-${all.length - index}`, events }));

describe('why an entry ran', () => {
  test('what was skipped after a failure stands in the order of the plan', () => {
    const steps = ['build', 'push', 'scan', 'tag'];
    const tasks = steps.map((step) => ({ id: `${ID}#${step}`, contract: 'image.scan@1', entry: ID }));
    const end = (step: string, state: 'failed' | 'skipped'): Event => {
      return { t: 1, type: 'task.done', task: `${ID}#${step}`, state, ms: 0 };
    };
    const events = [
      { ...chain(ID), tasks } as Event,
      // The loop ends first what needs the others.
      ...[end('build', 'failed'), end('tag', 'skipped'), end('scan', 'skipped'), end('push', 'skipped')],
      done(row({ outcome: 'failed' })),
    ];
    expect(explain(runs(events), ID)[0]?.tasks.map(({ id }) => id.split('#')[1])).toEqual(steps);
  });

  test('the newest run that ended it, with what changed and what was done', () => {
    const past = runs([chain(ID)], [chain(ID), ended, done(row({}))], [done(row({ outcome: 'unchanged' }))]);
    expect(explain(past, ID)).toMatchObject([
      {
        run: 'run-2',
        outcome: 'published',
        changes: [{ part: 'file Dockerfile' }],
        tasks: [{ id: `${ID}#build`, state: 'ok', ms: 2500 }],
      },
    ]);
    expect(formatExplained(explain(past, 'r.example/app:1'))).toBe(
      [
        'r.example/app:1: published sha256:bbbbbbbbbbbb → sha256:aaaaaaaaaaaa',
        '  in run run-2, 1970-01-01T00:00:00.002Z',
        '  because: changed: file Dockerfile',
        '    file Dockerfile: 0123456789ab → ba9876543210',
        '  then, in 2.5 s of work:',
        '    build    ok        2.5 s',
        '',
      ].join('\n'),
    );
  });

  test('by pattern every entry, each by its own newest run', () => {
    const other = row({ id: 'sync:r.example/b:1', destination: 'r.example/b:1' });
    const past = runs([done(row({ outcome: 'unchanged' }))], [done(row({})), done(other)]);
    expect(explain(past, '*').map(({ id, run }) => [id, run])).toEqual([
      [ID, 'run-2'],
      ['sync:r.example/b:1', 'run-1'],
    ]);
    expect(explain(past, 'sync:*')).toHaveLength(1);
    expect(explain(past, 'nothing')).toEqual([]);
  });
});

describe('which images have a vulnerability', () => {
  test('what a tag names counts, and the newest scan of it, whichever run made it', () => {
    const fixed = digest('cc');
    const past = runs(
      [image(fixed, scan()), done(row({ digest: fixed, before: digest('aa') }))],
      [
        image(digest('aa'), scan('CVE-2026-1')),
        done(row({})),
        done(row({ id: 'sync:r.example/app:old', destination: 'r.example/app:old' })),
        done(row({ id: 'sync:r.example/x:1', destination: 'r.example/x:1', digest: digest('dd') })),
      ],
    );
    const found = findAffected(past, 'cve-2026-1');
    expect(found).toMatchObject({
      affected: [{ destination: 'r.example/app:old', findings: [{ package: 'musl', platform: 'linux/amd64' }] }],
      looked: 2,
      unknown: ['r.example/x:1'],
    });
    expect(formatAffected('CVE-2026-1', found)).toContain(
      'HIGH in musl 1.2.4, fixed in 1.2.5 (linux/amd64, layer sha256:111111111111)',
    );
    expect(formatAffected('CVE-2026-1', found)).toContain('not known of r.example/x:1');
  });

  test('a tag that was deleted names nothing any more, until a later run publishes it; one that may be there counts', () => {
    const tag = 'r.example/app:1';
    const made = [image(digest('aa'), scan('CVE-2026-1')), done(row({}))];
    const begin: Event = { t: 3, type: 'tag.delete', tag, digest: digest('aa') };
    const end = (state: 'deleted' | 'failed'): Event => ({
      ...{ t: 4, type: 'tag.done', tag, digest: digest('aa'), state },
    });
    const has = (...newer: readonly (readonly Event[])[]): readonly string[] =>
      findAffected(runs(...newer, made), 'CVE-2026-1').affected.map(({ destination }) => destination);
    expect(has([begin, end('deleted')])).toEqual([]);
    expect(has([done(row({ outcome: 'unchanged' }))], [begin, end('deleted')])).toEqual([tag]);
    expect(has([begin, end('failed')])).toEqual([tag]);
    expect(has([begin])).toEqual([tag]);
    // The run that made it still says why it did.
    expect(explain(runs([begin, end('deleted')], made), tag)).toMatchObject([{ run: 'run-1', outcome: 'published' }]);
  });

  test('what an attested scan says once is told of each platform, the worst image first', () => {
    const once = scan('CVE-2026-1');
    const found = (severity: 'HIGH' | 'CRITICAL') =>
      once.platforms.map((one) => ({
        ...one,
        findings: one.findings.map((each) => ({ ...each, severity, platforms: ['linux/amd64', 'linux/arm64'] })),
      }));
    const other = row({ id: 'sync:r.example/z:1', destination: 'r.example/z:1', digest: digest('dd') });
    const bare = Array.from({ length: 25 }, (_, at) =>
      done(row({ id: `sync:r.example/${at}:1`, destination: `r.example/${at}:1`, digest: digest('ee') })),
    );
    const past = runs([
      image(digest('aa'), { ...once, platforms: found('HIGH') }),
      image(digest('dd'), { ...once, platforms: found('CRITICAL') }),
      done(row({ digest: digest('aa') })),
      done(other),
      ...bare,
    ]);
    const search = findAffected(past, 'CVE-2026-1');
    expect(search.affected.map(({ destination }) => destination)).toEqual(['r.example/z:1', row({}).destination]);
    expect(search.affected[0]?.findings.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    expect(formatAffected('CVE-2026-1', search)).toMatch(
      /not known of r\.example\/0:1, .* and 5 more: --json has them all/,
    );
  });

  test('an image that was refused is not what the tag names', () => {
    const past = runs([image(digest('aa'), scan('CVE-2026-1')), done(row({ outcome: 'refused', before: null }))]);
    expect(findAffected(past, 'CVE-2026-1')).toEqual({
      affected: [],
      looked: 0,
      unknown: [],
      since: 'run-1',
    });
  });

  test('journals are read until thirty in a row add nothing, and it is said how far', () => {
    let read = 0;
    const found = { image: image(digest('aa'), scan('CVE-2026-1')), done: done(row({})) };
    const other = done(row({ id: 'sync:r.example/x:1', destination: 'r.example/x:1', digest: digest('dd') }));
    function* past(): Generator<PastRun> {
      for (; read < 200; read += 1)
        yield { run: `run-${200 - read}`, events: read === 0 ? [found.done] : read === 25 ? [found.image, other] : [] };
    }
    const search = findAffected(past(), 'CVE-2026-1');
    expect(search).toMatchObject({ affected: [{ destination: 'r.example/app:1' }], unknown: ['r.example/x:1'] });
    expect(read).toBe(55);
    expect(search.since).toBe('run-145');
    expect(formatAffected('CVE-2026-1', search)).toContain('by the journals since run-145');
  });
});

test('what would follow: the steps, the time they took, and who takes the digest', async () => {
  const entries = [build('Dockerfile', 'r.example/app:1'), sync('r.example/app:1', 'r.example/app:stable')];
  const { plan } = await planned(entries, { Dockerfile: 'FROM alpine' });
  const answers = [
    { id: ID, goal: false, why: 'changed', changes: [{ part: 'source', from: digest('aa'), to: digest('bb') }] },
    { id: 'sync:r.example/app:stable', goal: true, why: 'is there' },
  ];
  const ahead = lookAhead(plan, answers, (task) => (task.endsWith('#scan') ? 3000 : undefined));
  expect(ahead).toMatchObject([
    {
      steps: ['resolve', 'build', 'push', 'scan', 'sbom', 'gate', 'sign', 'attach', 'verify', 'tag'],
      ms: 3000,
      dependents: ['sync:r.example/app:stable'],
    },
    { steps: [], dependents: [] },
  ]);
  expect(formatAhead(ahead)).toContain('source: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb');
  expect(formatAhead(ahead)).toContain('about 3.0 s as it took before');
});

test('thousands of entries take no longer each than one does', async () => {
  const entries = Array.from({ length: 6000 }, (_, index) => sync(`r.example/up:${index}`, `r.example/app:${index}`));
  const { plan } = await planned(entries);
  const answers = plan.entries.map(({ id }) => ({ id, goal: false, why: 'not published yet' }));
  const ahead = lookAhead(plan, answers, () => undefined);
  expect(ahead.every(({ steps, dependents }) => steps.at(-1) === 'tag' && dependents.length === 0)).toBe(true);
});

test('what could not be looked at is not said to have to run', async () => {
  const failure: Failure = {
    ...{ reason: 'registry', class: 'permanent', side: 'source', host: 'r.example', status: 404 },
    ...{ message: 'r.example/up:1 is not in its registry', hint: 'check the name' },
  };
  const { plan } = await planned([build('Dockerfile', 'r.example/app:1')], { Dockerfile: 'FROM alpine' });
  const ahead = lookAhead(plan, [{ id: ID, goal: false, why: failure.message, failure }], () => 3000);
  expect(ahead).toMatchObject([{ steps: [], dependents: [], failure }]);
  expect(formatAhead(ahead)).toBe(
    `${ID}: could not be looked at\n  because: source registry: r.example/up:1 is not in its registry\n    → check the name\n`,
  );
});

test('a journal of somebody else commands no terminal, whatever is in it', () => {
  const escape = '\u001b]0;owned\u0007\u202e';
  const hostile = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string') return key === 'type' ? value : `${value}${escape}`;
    if (Array.isArray(value)) return value.map((each) => hostile(each, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hostile(each, name)]));
  };
  const events = sampleRun({ images: 3 }).map((event) => hostile(event) as Event);
  const shown = formatExplained(explain([{ run: `1${escape}`, events }], '*'));
  expect(shown).toContain('ghcr.io/example/image-0:1.0');
  expect(shown.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}/u);
});
