/** What a report says of what is public, and apart what was made and kept from its tag. */
import { describe, expect, test } from 'vitest';
import type { Failure } from '../../failure.ts';
import type { Event, Row } from '../../journal/events.ts';
import type { PastRun } from '../../journal/recent.ts';
import { findAffected } from '../../why/affected.ts';
import { reportData } from './data.ts';
import { reportPage } from './page.ts';
import { sampleRun } from './sample.ts';

const run = sampleRun({ images: 12 });
const REFUSED = 3;
const FAILED = 9;
const PAST = '20261124-203000-1a2b3c';

/** The run before: every tag named its image before, with these findings, and in this much of an SBOM. */
function earlier(...ids: readonly string[]): PastRun {
  const template = run.find((event) => event.type === 'image');
  if (template?.type !== 'image' || template.image.scan === undefined) throw new Error('the sample has no image');
  const { image } = template;
  const [platform] = template.image.scan.platforms;
  if (platform === undefined) throw new Error('the sample has no platform');
  const findings = ids.map((id) => ({
    id,
    severity: 'CRITICAL' as const,
    package: 'musl',
    installed: '1',
    platforms: ['linux/amd64'],
  }));
  const scan = { ...template.image.scan, platforms: [{ ...platform, packages: 7, findings }] };
  const events = reportData(run).images.flatMap(({ id: entry, before, destination }): Event[] => {
    if (before === null) return [];
    return [
      { t: 0, type: 'image', entry, image: { ...image, digest: before, scan } },
      {
        t: 0,
        type: 'entry.done',
        entry,
        rows: [{ ...blank, id: entry, destination, digest: before, before, outcome: 'unchanged', size: 4_000_000 }],
      },
    ];
  });
  return { run: PAST, events };
}

const blank = {
  digest: null,
  before: null,
  why: '',
  findings: null,
  signed: true,
  size: null,
  packages: null,
  seconds: 1,
};

/** The run, with other rows. */
function changed(change: (row: Row) => Row): readonly Event[] {
  return run.map((event) => (event.type === 'entry.done' ? { ...event, rows: event.rows.map(change) } : event));
}

describe('what a tag names', () => {
  test('counts where a build failed or was refused, and not what was made instead', () => {
    const { images, vulnerabilities } = reportData(run, [earlier('CVE-OLD')]);
    const [refused, failed] = [images[REFUSED], images[FAILED]];
    expect(failed).toMatchObject({ tag: failed?.before, counts: { CRITICAL: 1 }, packages: 7, size: 4_000_000 });
    expect(failed).not.toHaveProperty('made');
    expect(refused).toMatchObject({
      tag: refused?.before,
      counts: { CRITICAL: 1 },
      signed: true,
      findings: [{ id: 'CVE-OLD' }],
      made: { digest: refused?.digest, counts: { CRITICAL: 1 }, packages: 40 },
    });
    expect(refused?.made?.news?.gone).toMatchObject([{ id: 'CVE-OLD' }]);
    const old = vulnerabilities.find(({ id }) => id === 'CVE-OLD');
    expect(old?.destinations).toEqual([refused?.destination, failed?.destination]);
    for (const { id } of refused?.made?.findings ?? []) {
      const one = vulnerabilities.find((each) => each.id === id);
      expect(one?.destinations).not.toContain(refused?.destination);
      expect(one?.unpublished).toContain(refused?.destination);
    }
  });

  test('has each vulnerability at the tags that `why --cve` finds in the same journals', () => {
    // One of them was not even asked for.
    const events = changed((row) => (row.outcome === 'failed' ? { ...row, outcome: 'skipped', before: null } : row));
    const past = [earlier('CVE-OLD', 'CVE-2026-1009')];
    const { vulnerabilities } = reportData(events, past);
    expect(vulnerabilities.length).toBeGreaterThan(5);
    for (const { id, destinations } of vulnerabilities) {
      const found = findAffected([{ run: 'now', events }, ...past], id);
      expect(destinations.toSorted()).toEqual(found.affected.map(({ destination }) => destination).toSorted());
    }
    expect(vulnerabilities.find(({ id }) => id === 'CVE-OLD')?.destinations).toHaveLength(2);
  });

  test('is nothing known where it names nothing, whatever a row of an older release counted', () => {
    const counts = { CRITICAL: 3, HIGH: 1, MEDIUM: 0, LOW: 0, UNKNOWN: 0 };
    const events = changed((row) =>
      row.outcome === 'failed' ? { ...row, before: null, findings: counts, packages: 285 } : row,
    );
    const data = reportData(events);
    expect(data.images[FAILED]).toMatchObject({ tag: null, counts: null, packages: null, signed: null });
    const row = /<tr data-index="9"[^]*?<\/tr>/.exec(reportPage(data))?.[0];
    expect(row).not.toContain('285');
    expect(row).toContain('tag: none');
  });

  test('is what the cards count, and what was kept from the tags stands apart', () => {
    const page = reportPage(reportData(run, [earlier()]));
    const cards = /<ul class="cards">[^]*?<\/ul>/
      .exec(page)?.[0]
      .replaceAll(/<[^>]*>|\s+/g, ' ')
      .replaceAll(/ +/g, ' ');
    const images = reportData(run).images.filter(({ outcome }) => outcome !== 'refused' && outcome !== 'failed');
    const severe = images.filter(({ counts }) => (counts?.CRITICAL ?? 0) + (counts?.HIGH ?? 0) > 0).length;
    expect(cards).toContain(`${severe} of 12 public images have critical or high findings`);
    expect(cards).toContain('1 have them in what was not published');
    expect(cards).toContain('12 of 12 public images signed');
    // Nobody knows of what the other two tags name whether it is signed, nor what is in it.
    const unknown = reportPage(reportData(run));
    expect(unknown).toMatch(/10 of 12<\/b\s*> public images signed/);
    expect(unknown.match(/>not known</g)).toHaveLength(2);
    expect(page).toContain('not published: 1 critical, ');
  });

  test('is not called clean where it was not scanned, or not wholly', () => {
    const none = { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, UNKNOWN: 0 };
    const told = (seen: Partial<Row>): readonly (string | undefined)[] => {
      const events = sampleRun({ images: 2 }).map((event) =>
        event.type === 'entry.done' ? { ...event, rows: event.rows.map((row) => ({ ...row, ...seen })) } : event,
      );
      const page = reportPage(reportData(events.filter(({ type }) => type !== 'image')));
      const [, goal, colour, text] = /findings=([\w-]+)"><b class="(\w+)">(0 of 2<.*?)<\/a/.exec(page) ?? [];
      const line = /<h2 id="vulnerabilities-heading">[^]*?<p>(.*?)<\/p>/.exec(page)?.[1];
      return [goal, colour, text?.replace(/<.*?>/, ''), line];
    };
    const severe = '0 of 2 public images have critical or high findings';
    expect(told({ findings: null })).toEqual([
      'unknown',
      'UNKNOWN',
      `${severe}; no whole scan of 2 is known`,
      'No scan is known: nobody can say whether there are any.',
    ]);
    expect(told({ findings: none, unscanned: ['windows/amd64'] })).toEqual([
      'unknown',
      'UNKNOWN',
      `${severe}; no whole scan of 2 is known`,
      'No scan found any; no whole scan of 2 public images is known.',
    ]);
    expect(told({ findings: none, endOfLife: ['alpine 3.16'] })).toEqual([
      'end-of-life',
      'UNKNOWN',
      `${severe}; 2 have a system at its end of life`,
      'No scan found any; 2 public images have a system at its end of life.',
    ]);
    expect(told({ findings: none })).toEqual(['severe', 'ok', severe, 'No scan found any.']);
  });
});

describe('a tag that could not be moved', () => {
  const OTHER = `sha256:${'e'.repeat(64)}`;
  const trust = { reason: 'trust', class: 'permanent', message: 'somebody else moved it' } as const;
  /** One that was published, and now ends as failed, at its last step. */
  const MOVED = 2;
  const image = reportData(run).images[MOVED];
  const tag = image?.destination ?? '';
  const past = [earlier('CVE-OLD')];
  const failedAtTag = (failure: Failure): readonly Event[] =>
    changed((row) => (row.destination === tag ? { ...row, outcome: 'failed', signed: false, failure } : row));
  const cveOld = (events: readonly Event[]) => findAffected([{ run: 'now', events }, ...past], 'CVE-OLD');
  const text = (html: string): string => html.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');

  test('because somebody else did names what they moved it to, and nothing is known of that', () => {
    const events = failedAtTag({ ...trust, standing: { tag, digest: OTHER } });
    const data = reportData(events, past);
    expect(data.images[MOVED]).toMatchObject({
      tag: OTHER,
      counts: null,
      signed: null,
      made: { digest: image?.digest },
    });
    expect(text(reportPage(data))).toContain(`The tag names ${OTHER.slice(0, 19)}, which did not come from here.`);
    expect(data.vulnerabilities.find(({ id }) => id === 'CVE-OLD')?.destinations).not.toContain(tag);
    expect(cveOld(events)).toMatchObject({ unknown: [tag] });
    const gone = reportData(failedAtTag({ ...trust, standing: { tag, digest: null } }), past);
    expect(gone.images[MOVED]).toMatchObject({ tag: null, counts: null });
    expect(text(reportPage(gone))).toContain('The tag is gone.');
  });

  test('or was it, when nobody could look: it names one or the other, and is not counted', () => {
    const events = failedAtTag({ ...trust, message: 'the registry went away' });
    const data = reportData(events, past);
    expect(data.images[MOVED]).toMatchObject({ tag: null, counts: null, signed: null });
    expect(data.images[MOVED]).not.toHaveProperty('made');
    const [to, from] = [image?.digest, image?.before].map((digest) => digest?.slice(0, 19));
    expect(text(reportPage(data))).toContain(`The tag may have been moved: it names ${to}, or ${from}.`);
    expect(text(reportPage(data))).toContain(`tag: this, or ${from}`);
    expect(cveOld(events).unknown).toEqual([tag]);
    // Its run was killed, and a later one did not get to ask.
    const killed = run.filter((event) => event.type !== 'entry.done' || event.rows[0]?.destination !== tag);
    expect(findAffected([{ run: 'now', events: killed }, ...past], 'CVE-OLD').unknown).toEqual([tag]);
    const skipped = changed((row) =>
      row.destination === tag ? { ...row, digest: null, before: null, outcome: 'skipped' } : row,
    ).filter((event) => event.type !== 'tag.move');
    expect(reportData(skipped, [{ run: PAST, events: killed }, ...past]).images[MOVED]?.tag).toBeNull();
  });

  test('but was seen to be where it was is counted as that', () => {
    const events = failedAtTag({ ...trust, standing: { tag, digest: image?.before ?? null } });
    expect(reportData(events, past).images[MOVED]).toMatchObject({ tag: image?.before, counts: { CRITICAL: 1 } });
    expect(cveOld(events)).toMatchObject({ unknown: [] });
  });
});

describe('what is new and what is gone', () => {
  test('is nothing where no earlier scan is known, though the images are new', () => {
    const events = changed((row) => (row.outcome === 'published' ? { ...row, before: null } : row));
    const data = reportData(events);
    expect(data.vulnerabilities.length).toBeGreaterThan(5);
    expect(data.vulnerabilities.filter(({ overall }) => overall !== undefined)).toEqual([]);
    expect(reportPage(data)).toContain('no earlier scan to compare with');
    expect(reportPage(data)).not.toContain('>new to all images</td');
  });

  test('of all images together, and apart of how many', () => {
    const fresh = reportData(run, [earlier()]).vulnerabilities.filter(({ destinations }) => destinations.length > 0);
    expect(new Set(fresh.map(({ overall }) => overall))).toEqual(new Set(['new']));
    // What came up in one while another had it is not new to all.
    const had = reportData(run).images.flatMap(({ findings }) => findings.map(({ id }) => id));
    const { vulnerabilities } = reportData(run, [earlier('CVE-OLD', had[0] ?? '')]);
    const overall = new Map(vulnerabilities.map(({ id, overall: which }) => [id, which]));
    expect(overall.get(had[0] ?? '')).toBeUndefined();
    // Two tags still name an image with it, of which one was refused and one failed.
    expect(overall.get('CVE-OLD')).toBeUndefined();
    const public_ = changed((row) =>
      row.outcome === 'refused' || row.outcome === 'failed'
        ? { ...row, outcome: 'published', digest: row.digest ?? 'sha256:2' }
        : row,
    );
    const gone = reportData(public_, [earlier('CVE-OLD')]).vulnerabilities;
    expect(gone.find(({ id }) => id === 'CVE-OLD')).toMatchObject({ destinations: [], overall: 'gone' });
    const page = reportPage(reportData(public_, [earlier('CVE-OLD')]));
    expect(page).toContain('critical or high, new to all images and gone from all');
  });
});

test('images with new severe findings are counted by their own scans, as the filter behind the count does', () => {
  // In the one image it is new and of no weight, in the other severe and old.
  const destinations = reportData(run).images.flatMap(({ outcome, before, destination }) =>
    outcome === 'published' && before !== null ? [destination] : [],
  );
  const severities = new Map([
    [destinations[0], 'MEDIUM'],
    [destinations[1], 'HIGH'],
  ] as const);
  const events = run.map((event): Event => {
    if (event.type !== 'image' || event.image.scan === undefined) return event;
    const severity = severities.get(event.entry.slice('build:'.length));
    const { scan } = event.image;
    const platforms = scan.platforms.map((platform) => ({
      ...platform,
      findings: (severity === undefined ? [] : [severity]).map((each) => ({
        id: 'CVE-1',
        severity: each,
        package: 'musl',
        installed: '1',
        platforms: [platform.platform],
      })),
    }));
    return { ...event, image: { ...event.image, scan: { ...scan, platforms } } };
  });
  const had = earlier('CVE-1').events.map((event): Event => {
    if (event.type !== 'image' || event.entry !== `build:${destinations[0]}` || event.image.scan === undefined)
      return event;
    const { scan } = event.image;
    const platforms = scan.platforms.map((platform) => ({ ...platform, findings: [] }));
    return { ...event, image: { ...event.image, scan: { ...scan, platforms } } };
  });
  const page = reportPage(reportData(events, [{ run: PAST, events: had }]));
  expect(page.match(/data-index="[0-9]+" data-marks="[^"]* new [^"]*"/g)).toHaveLength(1);
  expect(page).not.toMatch(/data-marks="[^"]*new-severe/);
  expect(page).toMatch(/0 images<\/b\s*> with new critical or high findings/);
});

describe('the first line', () => {
  const end = (exitCode: number): Event => ({ t: 9, type: 'run.done', exitCode, seconds: 1 });
  const headline = (outcomes: readonly Row['outcome'][], exitCode: number): string => {
    const rows = outcomes.map((outcome, index) => ({
      ...blank,
      id: `sync:r/a:${index}`,
      destination: `r/a:${index}`,
      outcome,
    }));
    const done = rows.map((row): Event => ({ t: 1, type: 'entry.done', entry: row.id, rows: [row] }));
    const page = reportPage(reportData([...done, end(exitCode)]));
    expect(page).toContain(`· exit code ${exitCode}`);
    return /<h1>(.*)<\/h1>/.exec(page)?.[1] ?? '';
  };

  test('follows the exit code, and names what was skipped or cancelled by its name', () => {
    expect(headline(['unchanged', 'published'], 0)).toBe('2 images: all as they should be');
    expect(headline(['unchanged', 'skipped'], 0)).toBe('2 images: all as they should be, 1 skipped');
    expect(headline(['unchanged', 'skipped'], 1)).toBe('2 images: 1 skipped');
    expect(headline(['failed', 'refused', 'cancelled', 'skipped'], 1)).toBe(
      '4 images: 1 failed, 1 refused by the policy, 1 cancelled, 1 skipped',
    );
    expect(headline(['unchanged'], 2)).toBe('1 image: ended with exit code 2');
    expect(headline(['cancelled', 'unchanged'], 130)).toBe('2 images: interrupted, 1 cancelled');
  });
});

test('older journals are read until ten in a row add nothing', () => {
  let read = 0;
  function* past(): Generator<PastRun> {
    for (; read < 200; read += 1) yield { run: String(read), events: read === 5 ? earlier('CVE-OLD').events : [] };
  }
  // Of what one tag named before, no journal knows anything.
  const events = changed((row) => (row.outcome === 'refused' ? { ...row, before: 'sha256:1' } : row));
  const { images } = reportData(events, past());
  expect(images[FAILED]?.findings).toHaveLength(1);
  expect(read).toBe(15);
});
