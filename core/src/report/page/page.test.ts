import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Event } from '../../journal/events.ts';
import type { PastRun } from '../../journal/recent.ts';
import type { Finding } from '../../trust/model.ts';
import { reportData } from './data.ts';
import type { ReportImage } from './image.ts';
import { levelsOf } from './levels.ts';
import { packed, type Packed } from './packed.ts';
import { reportPage } from './page.ts';
import { sampleRun } from './sample.ts';
import { chromeTrace } from './trace.ts';
import { SEVERITIES } from './vulnerabilities.ts';

const run = sampleRun({ images: 12 });
const FAILED = 9;
const data = reportData(run);

/** A journal in which the scan of an image found something else. */
function scanned(
  image: ReportImage | undefined,
  findings: (now: readonly Finding[]) => readonly Finding[],
): readonly Event[] {
  return run.flatMap((event) => {
    if (event.type !== 'image' || event.entry !== image?.id || event.image.scan === undefined) return [];
    const platforms = event.image.scan.platforms.map((one) => ({ ...one, findings: findings(one.findings) }));
    return [{ ...event, image: { ...event.image, scan: { ...event.image.scan, platforms } } }];
  });
}

/** What the tag of the image with this digest named before. */
function beforeOf(digest: string): string {
  return data.images.find((image) => image.digest === digest)?.before ?? digest;
}

describe('what a report knows', () => {
  test('a row a tag, with why, findings, packages, attestations and the commands to check and undo it', () => {
    expect(data).toMatchObject({
      run: '20261125-203000-1a2b3c',
      exitCode: 1,
      counts: { published: 6, unchanged: 4, refused: 1, failed: 1 },
    });
    const [, , third] = data.images;
    expect(third).toMatchObject({ outcome: 'published', changes: [{ part: 'file images/2/image.yaml' }] });
    expect(third?.findings.every(({ platforms }) => platforms.length === 2)).toBe(true);
    expect(third?.sbom.map(({ packages }) => packages.length)).toEqual([40, 40]);
    const image = `ghcr.io/example/image-2@${third?.digest}`;
    const key = '--key cosign.pub --insecure-ignore-tlog=true';
    expect(third?.commands.map(({ command }) => command)).toEqual([
      'slipway show ghcr.io/example/image-2:1.2',
      `cosign verify ${key} ${image}`,
      `cosign verify-attestation ${key} --type https://spdx.dev/Document ${image}`,
      `cosign verify-attestation ${key} --type https://cosign.sigstore.dev/attestation/vuln/v1 ${image}`,
      'slipway verify --only build:ghcr.io/example/image-2:1.2',
      'slipway rollback ghcr.io/example/image-2:1.2',
      'slipway rollback 20261125-203000-1a2b3c',
    ]);
  });

  test('what is new and gone since the image before, whichever run looked at that', () => {
    const image = data.images[2];
    const before: Event = {
      t: 0,
      type: 'image',
      entry: image?.id ?? '',
      image: {
        digest: image?.before ?? '',
        scan: {
          scanner: { name: 'trivy', version: '1', uri: 'u' },
          startedAt: '2026-11-01T00:00:00Z',
          finishedAt: '2026-11-01T00:00:00Z',
          platforms: [
            {
              digest: `sha256:${'0'.repeat(64)}` as never,
              platform: 'linux/amd64',
              status: 'scanned',
              packages: 1,
              findings: [
                { id: 'CVE-OLD', severity: 'HIGH', package: 'x', installed: '1', platforms: ['linux/amd64'] },
                {
                  id: image?.findings[0]?.id ?? '',
                  severity: 'HIGH',
                  package: 'x',
                  installed: '1',
                  platforms: ['linux/amd64'],
                },
              ],
            },
          ],
        },
        packages: [
          {
            platform: 'linux/amd64',
            packages: [
              { name: 'gone', version: '1' },
              { name: 'package-0', version: '0' },
            ],
          },
        ],
        attachments: [],
      },
    };
    const compared = reportData(run, [{ run: 'earlier', events: [before] }]).images[2];
    expect(compared?.news).toEqual({
      new: [image?.findings[1]?.id],
      gone: [{ id: 'CVE-OLD', severity: 'HIGH', package: 'x' }],
    });
    expect(compared?.packageNews?.slice(0, 2)).toEqual([
      { name: 'gone', from: '1', to: null },
      { name: 'package-0', from: '0', to: '1.2.0-r0' },
    ]);
    expect(data.images[2]?.news).toBeUndefined();
  });

  test('what is new and gone since the scan before, of an image that was only scanned again', () => {
    const image = data.images[7];
    const older = scanned(image, (findings) => [
      ...findings.filter(({ id }) => id !== image?.findings[0]?.id),
      { id: 'CVE-OLD', severity: 'LOW', package: 'x', installed: '1', platforms: ['linux/amd64'] },
    ]);
    const compared = reportData(run, [{ run: 'earlier', events: older }]).images[7];
    expect(image).toMatchObject({ outcome: 'unchanged' });
    expect(compared?.news).toEqual({
      new: [image?.findings[0]?.id],
      gone: [{ id: 'CVE-OLD', severity: 'LOW', package: 'x' }],
    });
    expect(reportData(run, [{ run: 'earlier', events: run }]).images[7]?.news).toEqual({ new: [], gone: [] });
  });

  test('each vulnerability once: where it is, where it came up, where it is gone from', () => {
    const image = data.images[7];
    const older = scanned(image, (findings) => [
      ...findings.filter(({ id }) => id !== image?.findings[0]?.id),
      { id: 'CVE-OLD', severity: 'CRITICAL', package: 'x', installed: '1', platforms: ['linux/amd64'] },
    ]);
    const { vulnerabilities } = reportData(run, [{ run: 'earlier', events: older }]);
    const byId = new Map(vulnerabilities.map((one) => [one.id, one]));
    expect(byId.get('CVE-OLD')).toMatchObject({ destinations: [], new: [], gone: [image?.destination] });
    expect(byId.get(image?.findings[0]?.id ?? '')?.new).toEqual([image?.destination]);
    const order = vulnerabilities.map(({ severity }) => SEVERITIES.indexOf(severity));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test('how large the image was that the tag named before', () => {
    const image = data.images[2];
    const before: Event = {
      t: 0,
      type: 'entry.done',
      entry: image?.id ?? '',
      rows: run
        .flatMap((event) => (event.type === 'entry.done' ? event.rows : []))
        .slice(0, 1)
        .map((row) => ({ ...row, digest: image?.before ?? null, size: 4_000_000 })),
    };
    const compared = reportData(run, [{ run: 'earlier', events: [before] }]);
    expect(compared.images[2]?.sizeBefore).toBe(4_000_000);
    expect(reportPage(compared)).toContain('+1.2 MB');
  });

  test('older journals are read no further than anything is missing', () => {
    const read: string[] = [];
    const looked = run.flatMap((event) => (event.type === 'image' ? [event] : []));
    const before = looked.map((event) => ({
      ...event,
      image: { ...event.image, digest: beforeOf(event.image.digest) },
    }));
    // Nothing was made of the image that failed; what its tag names is wanted all the same.
    for (const { outcome, before: digest } of data.images)
      if (outcome === 'failed')
        before.push(
          ...looked.slice(0, 1).map((event) => ({ ...event, image: { ...event.image, digest: digest ?? '' } })),
        );
    function* past(): Generator<PastRun> {
      for (const [index, events] of [before, run, run, run].entries()) {
        read.push(String(index));
        yield { run: String(index), events };
      }
    }
    reportData(run, past());
    expect(read).toEqual(['0']);
  });

  test('the log of what failed, and nobody else’s', () => {
    const logged = data.images.filter(({ log }) => log !== undefined);
    expect(logged.map(({ outcome, log }) => [outcome, log])).toEqual([
      ['failed', ['ERROR solving "py3-flask>=9" constraint']],
    ]);
    expect(reportPage(data)).toContain('ERROR solving &quot;py3-flask&gt;=9&quot; constraint</pre>');
  });

  test('the end of a log that is too long for a page, and how much of it is missing', () => {
    const many = (lines: number): readonly Event[] =>
      run.flatMap((event): readonly Event[] =>
        event.type === 'task.log'
          ? Array.from({ length: lines }, (_, index) => ({ ...event, line: `line ${index + 1}` }))
          : [event],
      );
    const cut = reportData(many(1234));
    expect(cut.images[FAILED]).toMatchObject({ logLines: 1234 });
    expect(cut.images[FAILED]?.log).toHaveLength(200);
    expect(cut.images[FAILED]?.log?.at(-1)).toBe('line 1234');
    expect(reportPage(cut)).toContain('(the last 200 of 1234 lines; the journal has all)');
    const whole = reportData(many(200));
    expect(whole.images[FAILED]).not.toHaveProperty('logLines');
    expect(reportPage(whole)).toContain('(200 lines)');
  });

  test('the log of the last try alone', () => {
    const tried = run.flatMap((event): readonly Event[] => {
      if (event.type !== 'task.log') return [event];
      return [event, { t: event.t, type: 'task.start', task: event.task, attempt: 2 }, { ...event, line: 'again' }];
    });
    expect(reportData(tried).images[FAILED]?.log).toEqual(['again']);
  });

  test('where a step waited for a place, and how often it was tried', () => {
    const [probe] = data.tasks;
    const late = run.map((event) =>
      event.type === 'task.start' && event.task === probe?.id ? { ...event, t: event.t + 2000, attempt: 3 } : event,
    );
    expect(reportData(late).tasks[0]).toMatchObject({ waited: 2100, attempts: 3 });
    expect(data.tasks[0]).not.toHaveProperty('attempts');
  });

  test('packages of an unchanged image come from the run that made its SBOM', () => {
    const warm = run.map((event) =>
      event.type === 'image' ? { ...event, image: { ...event.image, packages: [] } } : event,
    );
    expect(reportData(warm).images[1]?.sbom).toEqual([]);
    expect(reportData(warm, [{ run: 'earlier', events: run }]).images[1]?.sbom).toHaveLength(2);
  });

  test('the critical path leads back from what ended last', () => {
    const critical = data.tasks.filter((task) => task.critical).toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0));
    const last = data.tasks.reduce((latest, task) =>
      (task.start ?? 0) + task.ms > (latest.start ?? 0) + latest.ms ? task : latest,
    );
    expect(critical.at(-1)).toEqual(last);
    expect(critical.length).toBeGreaterThan(5);
  });

  test('a clock that is put back, or ahead, by a year puts nothing before the run, and no task took longer for it', () => {
    const year = 365 * 24 * 3600 * 1000;
    const jumping = run.map((event, index) => ({ ...event, t: event.t + ((Math.floor(index / 7) % 3) - 1) * year }));
    // Early, right and late in turns, seven events each; begun in each of them.
    for (const events of [jumping, jumping.slice(7), jumping.slice(14)]) {
      const jumped = reportData([...run.slice(0, 1), ...events]);
      expect(jumped.tasks.every(({ start = 0 }) => start >= 0)).toBe(true);
      expect(jumped.tasks.every(({ ms }) => ms < 10_000)).toBe(true);
      const { traceEvents } = chromeTrace(jumped) as { traceEvents: readonly { ts?: number; dur?: number }[] };
      expect(traceEvents.every(({ ts = 0, dur = 0 }) => ts >= 0 && dur >= 0)).toBe(true);
      const drawn = reportPage(jumped).match(/<svg[^]*?<\/svg>/g) ?? [];
      // Entries that take others, those that do not if any of them ran, and the timeline.
      expect(drawn.length).toBeGreaterThanOrEqual(2);
      expect(drawn.join('')).not.toMatch(/NaN|Infinity|(?:x|y|width|height)="-/);
    }
  });

  test('a run that was killed is said to have been', () => {
    const torn = reportData(run.slice(0, 40));
    expect(torn).toMatchObject({ exitCode: null, seconds: null });
    expect(reportPage(torn)).toContain('the run has no end yet, or was killed');
    expect(reportPage(reportData([]))).toContain('0 images');
  });
});

describe('the page', () => {
  test('asks for nothing from anywhere, and runs its own script only', () => {
    const page = reportPage(data);
    expect(page).not.toMatch(/(?:src|href)="(?!#)|url\(|@import/);
    const script = page.slice(page.lastIndexOf('<script>') + 8, page.lastIndexOf('</script>'));
    expect(page).toContain(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`);
    const style = page.slice(page.indexOf('<style>') + 7, page.indexOf('</style>'));
    expect(page).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
  });

  test('reads nothing that comes from outside as markup', () => {
    const hostile = `</script><img src=x onerror=alert(1)>"'<!--&`;
    const name = JSON.stringify(hostile).slice(1, -1);
    const events = JSON.parse(
      JSON.stringify(sampleRun({ images: 4 })).replaceAll(
        /image-(\d)|package-(\d+)|A buffer is read|its inputs are|2 fixable HIGH/g,
        `$&${name.replaceAll('$', '$$$$')}`,
      ),
    ) as readonly Event[];
    const page = reportPage(reportData(events));
    expect(page).not.toContain('<img');
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&lt;!--&amp;');
  });

  test('shows what nobody would see, as marks that reorder the words beside them, and still links to it', () => {
    const events = JSON.parse(
      JSON.stringify(sampleRun({ images: 12 })).replaceAll(
        /image-(\d)|package-(\d+)|A buffer|its inputs are|apko ended|fixable HIGH|0\.1\.0/g,
        '\u202e\u200b$&\u061c',
      ),
    ) as readonly Event[];
    const data = reportData(events);
    const page = reportPage(data);
    expect(/[\p{Cc}\p{Cf}]/u.exec(page.replaceAll(/[\t\n]/g, ''))?.[0]).toBeUndefined();
    expect(page).toContain('ghcr.io/example/��image-9�:1.0');
    const links = [...page.matchAll(/href="#image=([^"&]+)/g)].map(([, name = '']) => decodeURIComponent(name));
    const [, embedded = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page) ?? [];
    const { images } = JSON.parse(embedded) as Packed;
    expect(new Set(links)).toEqual(new Set(images.map(({ destination }) => destination)));
    // The data beside the page stays as it was found.
    expect(JSON.stringify(data)).toContain('\u202e');
  });

  test('grows with its images alone: 300 of them are a few megabytes, none larger than what its run recorded', () => {
    const sized = (images: number): { readonly page: number; readonly journal: number } => {
      const events = sampleRun({ images });
      return { page: Buffer.byteLength(reportPage(reportData(events))), journal: JSON.stringify(events).length };
    };
    const [few, many] = [sized(100), sized(300)];
    const each = (many.page - few.page) / 200;
    expect(each).toBeLessThan((many.journal - few.journal) / 200);
    expect(each).toBeLessThan(10_000);
    // What does not depend on their number: the style, the script, and what images have in common.
    expect(many.page - 300 * each).toBeLessThan(128_000);
  });

  test('holds a package that many images have once', () => {
    const many = packed(reportData(sampleRun({ images: 300 })));
    expect(many.packages).toHaveLength(40 * 7);
    const looked = many.images.filter(({ outcome }) => outcome !== 'failed');
    expect(looked.every(({ sbom, made }) => (made?.sbom ?? sbom).length === 2)).toBe(true);
    const { findings } = many;
    expect(many.images[7]?.findings.map(([number]) => findings[number]?.id)).toEqual(
      data.images[7]?.findings.map(({ id }) => id),
    );
  });

  test('holds a finding that many images have once, and its layer beside its number', () => {
    const alone = sampleRun({ images: 300 }).map((event) =>
      event.type === 'image' && event.image.scan !== undefined
        ? {
            ...event,
            image: { ...event.image, scan: { ...event.image.scan, platforms: event.image.scan.platforms.slice(0, 1) } },
          }
        : event,
    );
    const shown = reportData(alone);
    const many = packed(shown);
    expect(shown.images[7]?.findings[0]?.layer).toBeDefined();
    expect(new Set(shown.images.flatMap(({ findings }) => findings.map(({ layer }) => layer))).size).toBeGreaterThan(
      200,
    );
    expect(many.findings.length).toBeLessThan(500);
    const [[finding, place] = [0, 0]] = many.images[7]?.findings ?? [];
    const { purl: _, ...first } = shown.images[7]?.findings[0] ?? {};
    expect({ ...many.findings[finding], ...many.places[place] }).toEqual(first);
  });

  test('shows first what went wrong, then what has the worst findings', () => {
    const rows = [...reportPage(data).matchAll(/<tr data-index="(\d+)"/g)].map(([, index]) => Number(index));
    const images = rows.map((index) => data.images[index]);
    expect(images.slice(0, 2).map((image) => image?.outcome)).toEqual(['failed', 'refused']);
    const critical = images
      .filter((image) => image?.outcome === 'published')
      .map((image) => image?.counts?.CRITICAL ?? 0);
    expect(critical).toEqual(critical.toSorted((a, b) => b - a));
  });

  test('draws no more boxes and lanes than can be read, and says so', () => {
    const page = reportPage(reportData(sampleRun({ images: 900 })));
    const drawn = page.match(/<svg[^]*?<\/svg>/g) ?? [];
    expect(drawn.map((svg) => svg.match(/class="box"/g)?.length ?? 0)).toEqual([3, 300, 0]);
    expect(page).toMatch(/\d+ more are in the table\./);
    expect(page).toContain('more, which were found done or took least, are in trace.json.');
    const height = Math.max(...drawn.map((svg) => Number(/viewBox="0 0 \d+ (\d+)"/.exec(svg)?.[1])));
    expect(height).toBeLessThan(12_000);
  });

  test('is the same for the same journal', () => {
    expect(reportPage(reportData(run))).toBe(reportPage(reportData(run)));
  });
});

test('a trace has each task that ran, no two at once in one lane', () => {
  const { traceEvents } = chromeTrace(data) as {
    traceEvents: readonly { ph: string; ts: number; dur: number; tid: number }[];
  };
  const tasks = traceEvents.filter(({ ph }) => ph === 'X');
  expect(tasks).toHaveLength(data.tasks.filter(({ start }) => start !== undefined).length);
  for (const lane of Map.groupBy(tasks, ({ tid }) => tid).values()) {
    const ordered = lane.toSorted((a, b) => a.ts - b.ts);
    for (const [index, task] of ordered.entries())
      expect(task.ts).toBeGreaterThanOrEqual((ordered[index - 1]?.ts ?? 0) + (ordered[index - 1]?.dur ?? 0));
  }
});

test('entries stand right of what they take; a circle ends', () => {
  expect(
    levelsOf(
      ['a', 'b', 'c'],
      [
        ['a', 'b'],
        ['b', 'c'],
        ['a', 'c'],
        ['x', 'c'],
      ],
    ),
  ).toEqual([['a'], ['b'], ['c']]);
  expect(
    levelsOf(
      ['a', 'b'],
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
    )
      .flat()
      .toSorted(),
  ).toEqual(['a', 'b']);
});
