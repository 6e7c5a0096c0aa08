/** The report in a browser: by keyboard, dark and light, on a phone, and by the rules of accessibility that a program can check. */
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Event } from '../core/src/journal/events.ts';
import type { ReportData } from '../core/src/report/page/data.ts';
import { complaintsAboutReport } from '../cli/testing.ts';
import { sampleRun } from '../core/src/report/page/sample.ts';
import { project } from './chain/project.ts';
import { killEngine } from './crash/kills.ts';
import { freshPath, freshPrefix, slipway, world } from './world.ts';

/** What axe finds, once it is in the page. */
const RULES = 'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`))';

let browser: Browser;
let address: string;
/** The same page, of as many images as the rules can be checked on in no time. */
let small: string;
/** One whose images changed in a part with a long name. */
let long: string;
/** Of a run that was killed while it moved a tag, after a task had failed with a long log. */
let killed: string;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // The page is our own, and the tests may run as root, where Chromium has no sandbox.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const folder = await mkdtemp(join(tmpdir(), 'slipway-report-'));
  address = await reportOf(sampleRun({ images: 300 }), join(folder, 'large'));
  const run = sampleRun({ images: 12 });
  small = await reportOf(run, join(folder, 'small'));
  const name = 'base registry.example/'.padEnd(140, 'a-long-name/');
  long = await reportOf(run, join(folder, 'long'), (line) => line.replaceAll(/"part":"[^"]*"/g, `"part":"${name}"`));
  const logged = run.flatMap((event): readonly Event[] =>
    event.type === 'task.log'
      ? Array.from({ length: 300 }, (_, line): Event => ({ ...event, line: `line ${line}` }))
      : [event],
  );
  const moving = logged.findLastIndex(({ type }) => type === 'tag.move');
  killed = await reportOf(logged.slice(0, moving + 1), join(folder, 'killed'));
});
afterAll(() => browser?.close());

async function reportOf(run: readonly Event[], folder: string, change = (line: string) => line): Promise<string> {
  const journal = join(folder, '20261125-203000-1a2b3c.ndjson');
  await mkdir(folder, { recursive: true });
  await writeFile(journal, run.map((event) => `${change(JSON.stringify(event))}\n`).join(''));
  const made = await slipway(['report', journal, '--dir', join(folder, 'out')]);
  expect(made.code, made.stderr).toBe(0);
  return pathToFileURL(join(folder, 'out', 'index.html')).href;
}

/** `run.json`, as its schema has it. */
async function reportIn(folder: string): Promise<unknown> {
  const report: unknown = JSON.parse(await readFile(join(folder, 'out', 'run.json'), 'utf8'));
  expect(complaintsAboutReport(report)).toEqual([]);
  return report;
}

async function open(options: Parameters<Browser['newContext']>[0] = {}, at = address): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.on('request', (request) => expect(request.url()).toMatch(/^file:/));
  page.on('pageerror', (error) => expect.unreachable(error.message));
  await page.goto(at);
  return page;
}

const visible = (page: Page) => page.locator('#images tbody tr:visible');

describe('the report of 300 images', () => {
  test('is searched by name, package and vulnerability, and filtered by outcome and findings', async () => {
    const page = await open();
    const search = page.locator('#images-search');
    await expect.poll(() => visible(page).count()).toBe(300);
    await search.fill('image-17:');
    await expect.poll(() => visible(page).count()).toBe(1);
    await search.fill('cve-2026-1003');
    await expect.poll(() => visible(page).count()).toBeGreaterThan(1);
    await search.fill('package-39 1.3.0-r0');
    await expect.poll(() => visible(page).count()).toBe(42);
    await search.fill('');
    await page.getByLabel('Outcome').selectOption('refused');
    await expect.poll(() => page.locator('#images-found').innerText()).toBe('1 of 300 images');
    await page.getByLabel('Outcome').selectOption('');
    await page.getByLabel('Findings').selectOption('critical');
    await expect.poll(() => visible(page).locator('td[data-label=Critical]', { hasText: /^0$/ }).count()).toBe(0);
    await expect.poll(() => visible(page).count()).toBeGreaterThan(50);
  });

  test('is sorted by a column, said so to a screen reader, the largest first', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Size' }).click();
    await expect.poll(() => visible(page).first().innerText()).toContain('image-299:');
    await expect
      .poll(() => page.locator('#images th', { hasText: 'Size' }).getAttribute('aria-sort'))
      .toBe('descending');
  });

  test('shows an image by keyboard alone: findings, packages that can be searched, commands; Escape leads back', async () => {
    const page = await open();
    const name = page.getByRole('link', { name: 'ghcr.io/example/image-7:1.7' }).first();
    await name.focus();
    await page.keyboard.press('Enter');
    const detail = page.getByRole('dialog');
    await expect.poll(() => detail.getByRole('heading', { level: 2 }).innerText()).toBe('ghcr.io/example/image-7:1.7');
    await expect.poll(() => detail.getByText('cosign verify --key cosign.pub').count()).toBe(1);
    await detail.getByLabel('Search packages').fill('package-39');
    // Both platforms have it, in one version.
    await expect.poll(() => detail.getByText('1 of 40').count()).toBe(1);
    // The first one empties the field, as everywhere.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await expect.poll(() => detail.isHidden()).toBe(true);
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('ghcr.io/example/image-7:1.7');
    // And again: the link has not lost its goal.
    await page.keyboard.press('Enter');
    await expect.poll(() => detail.isVisible()).toBe(true);
  });

  test('leads from each of its parts to the others', async () => {
    const page = await open();
    const detail = page.getByRole('dialog');
    await page
      .getByRole('link', { name: /failed$/ })
      .first()
      .click();
    // The page follows its address, which it learns of a moment later.
    await expect.poll(() => visible(page).count()).toBe(1);
    await page.locator('svg a').first().focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => detail.isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await page
      .locator('#vulnerabilities a', { hasText: /images$/ })
      .first()
      .click();
    await expect.poll(() => page.locator('#images-exact').innerText()).toMatch(/^CVE-/);
    await expect.poll(() => visible(page).count()).toBeGreaterThan(1);
    await page.getByLabel('Search all packages').fill('package-12');
    await page.locator('#packages a').first().click();
    await expect.poll(() => page.locator('#images-exact').innerText()).toMatch(/^package-12 1\./);
    // Whoever gets the address sees the same.
    const again = await open({}, `${address}#image=ghcr.io%2Fexample%2Fimage-3%3A1.3`);
    await expect.poll(() => again.getByRole('dialog').getByText('2 fixable HIGH', { exact: true }).count()).toBe(1);
  });

  test('shows behind a count as many images as it says: of what only begins alike, none', async () => {
    const page = await open();
    const counts = await page.evaluate(`(async () => {
      const wrong = [];
      for (const link of [...document.querySelectorAll('#vulnerabilities a, #packages a')].slice(0, 90)) {
        if (!/images$/.test(link.textContent)) continue;
        link.click();
        await new Promise((after) => setTimeout(after, 15));
        if (!document.querySelector('#images-found').textContent.startsWith(parseInt(link.textContent) + ' of '))
          wrong.push(link.hash);
      }
      return wrong;
    })()`);
    expect(counts).toEqual([]);
    await page.goto(`${address}#cve=CVE-2026-100`);
    await expect.poll(() => visible(page).count()).toBe(0);
    await page.getByRole('button', { name: 'Remove the filter: CVE-2026-100' }).click();
    await expect.poll(() => visible(page).count()).toBe(300);
    await expect.poll(() => page.evaluate('location.hash')).toBe('');
  });

  test('follows the same link each time, and has in its address what was chosen by hand', async () => {
    const page = await open();
    const refused = page.locator('.cards a', { hasText: 'refused' }).first();
    await refused.click();
    await expect.poll(() => visible(page).count()).toBe(1);
    await page.getByLabel('Outcome').selectOption('');
    await expect.poll(() => visible(page).count()).toBe(300);
    await refused.click();
    await expect.poll(() => visible(page).count()).toBe(1);
    await page.getByLabel('Outcome').selectOption('published');
    await page.locator('#images-search').fill('image-2');
    await page.getByLabel('Severity').selectOption('severe');
    const count = await visible(page).count();
    const again = await open({}, String(await page.evaluate('location.href')));
    await expect.poll(() => visible(again).count()).toBe(count);
    await expect.poll(() => again.getByLabel('Severity').inputValue()).toBe('severe');
    // An image that is opened and closed leaves the filters as they were.
    await again.locator('#images tbody tr:visible a').first().click();
    await again.getByRole('dialog').waitFor();
    await again.keyboard.press('Escape');
    await expect.poll(() => again.getByRole('dialog').isHidden()).toBe(true);
    expect(await again.evaluate('location.href')).toBe(await page.evaluate('location.href'));
  });

  test('goes back to what was shown before, also to no filter at all', async () => {
    const page = await open();
    const found = (table: string): Promise<string> => page.locator(`#${table}-found`).innerText();
    const vulnerabilities = await found('vulnerabilities');
    await page.locator('.cards a', { hasText: 'refused' }).first().click();
    await expect.poll(() => visible(page).count()).toBe(1);
    await page.goto(`${address}#severity=severe`);
    await expect.poll(() => found('vulnerabilities')).not.toBe(vulnerabilities);
    // A link leaves the other table as it is.
    await expect.poll(() => visible(page).count()).toBe(1);
    await page.goBack();
    await expect.poll(() => found('vulnerabilities')).toBe(vulnerabilities);
    await expect.poll(() => visible(page).count()).toBe(1);
    await page.goBack();
    await expect.poll(() => visible(page).count()).toBe(300);
    await expect.poll(() => page.getByLabel('Outcome').inputValue()).toBe('');
    await expect.poll(() => page.evaluate('location.hash')).toBe('');
    await page.goForward();
    await expect.poll(() => visible(page).count()).toBe(1);
  });

  test('shows a long name of a changed part in an image that is not wide', async () => {
    const page = await open({ viewport: { width: 1000, height: 800 } }, long);
    await page.locator('#images tbody a').nth(2).click();
    const detail = page.getByRole('dialog');
    await detail.waitFor();
    const widths = 'document.querySelector("dialog").scrollWidth - document.querySelector("dialog").clientWidth';
    expect(await page.evaluate(widths)).toBe(0);
    const value = await detail.locator('dd').last().boundingBox();
    expect(value?.width).toBeGreaterThan(300);
  });

  test('shows what failed with its log, before anything else', async () => {
    const page = await open();
    const first = page.locator('.attention > li').first();
    await expect.poll(() => first.innerText()).toContain('could not find package "py3-flask>=9"');
    await first.getByText('The log of the step that failed').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => first.locator('pre').innerText()).toBe('ERROR solving "py3-flask>=9" constraint');
  });

  test('is a few screens long, and prints in whole', async () => {
    const page = await open({ viewport: { width: 1280, height: 800 } });
    const height = 'document.documentElement.scrollHeight';
    expect(await page.evaluate(height)).toBeLessThan(9_000);
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate(height)).toBeGreaterThan(9_000);
    await expect.poll(() => page.locator('.tools:visible').count()).toBe(0);
    // Also what a reader would have to open: on paper nobody can.
    for (const hidden of ['ERROR solving "py3-flask>=9" constraint', 'Only whoever is root can reach it.']) {
      expect(await page.evaluate('document.body.innerText')).toContain(hidden);
      await page.emulateMedia({ media: 'screen' });
      expect(await page.evaluate('document.body.innerText')).not.toContain(hidden);
      await page.emulateMedia({ media: 'print' });
    }
  });

  // A4 and letter, with and without margins, and on its side.
  test.each([718, 739, 794, 816, 979])(
    'prints %i pixels wide without a column cut off, or of single letters',
    async (width) => {
      const page = await open({ viewport: { width, height: 1000 } }, small);
      await page.emulateMedia({ media: 'print' });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const name = await page.locator('#images tbody th').first().boundingBox();
      expect(name?.width).toBeGreaterThan(120);
    },
  );

  test('on a phone shows of each finding its severity, sorts where it can be seen, and breaks no word into letters', async () => {
    const page = await open({ viewport: { width: 390, height: 800 } }, small);
    const places = await page.evaluate(
      `[...document.querySelectorAll('a, button, input, select')].filter((one) => !one.matches('.skip') && one.offsetParent !== null)
        .map((one) => one.getBoundingClientRect().left).filter((left) => left < 0)`,
    );
    expect(places).toEqual([]);
    const size = page.locator('#images thead button', { hasText: 'Size' });
    await size.click();
    await expect.poll(() => visible(page).first().innerText()).toContain('image-11:');
    const step = await page.locator('.columns tbody th').first().boundingBox();
    expect(step?.height).toBeLessThan(60);
    await page.locator('#images a', { hasText: 'image-7:' }).click();
    const severity = page.getByRole('dialog').locator('td[data-label=Severity]').first();
    await severity.scrollIntoViewIfNeeded();
    const box = await severity.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 400)).toBeLessThanOrEqual(390);
  });

  test('does not say that a finding is in no layer where each platform has its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-report-'));
    const apart = (line: string): string =>
      line.replaceAll(/("platforms":\["linux\/arm64"\],"layer":"sha256:)..../g, '$1ff00');
    const page = await open({}, await reportOf(sampleRun({ images: 12 }), folder, apart));
    await page.locator('#images a', { hasText: 'image-7:' }).click();
    const cells = page.getByRole('dialog').locator('td[data-label=Layer]');
    await expect.poll(() => cells.count()).toBeGreaterThan(1);
    expect(new Set(await cells.allInnerTexts())).toEqual(new Set(['']));
    await rm(folder, { recursive: true });
  });

  test('breaks the name of an image between its parts, so that its end is in one line', async () => {
    const name = 'ghcr.io/example/mirror/docker.io/library/postgres:17';
    const one = (line: string): string => line.replaceAll('ghcr.io/example/image-2:1.2', name);
    const folder = await mkdtemp(join(tmpdir(), 'slipway-report-'));
    const page = await open({}, await reportOf(sampleRun({ images: 12 }), folder, one));
    const lines = await page.evaluate(`(() => {
      const link = [...document.querySelectorAll('#images tbody th a')].find(({ textContent }) => textContent === '${name}');
      const end = document.createRange();
      end.selectNodeContents(link.lastChild);
      return end.getClientRects().length;
    })()`);
    expect(lines).toBe(1);
    await rm(folder, { recursive: true });
  });

  test('leads by keyboard past the links of a section', async () => {
    const page = await open();
    await page.locator('#images-heading + .skip').focus();
    expect((await page.locator('#images-heading + .skip').boundingBox())?.x).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await expect
      .poll(() => page.evaluate('document.activeElement.closest("section").getAttribute("aria-labelledby")'))
      .toBe('vulnerabilities-heading');
  });

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('breaks no rule of accessibility: %s, %i pixels wide', async (colorScheme, width) => {
    const page = await open({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true }, small);
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    expect(wide, 'nothing but tables scrolls sideways').toBeLessThanOrEqual(width);
    await page.evaluate(axe.source);
    expect(await page.evaluate(RULES), 'the page').toEqual([]);
    // An image, which covers the page.
    await page.locator('#images a', { hasText: 'image-3:' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await page.evaluate(RULES), 'an image').toEqual([]);
  });
});

describe('the report of a run that was killed', () => {
  test('leads from its count to what did not end, and shows of a tag what it may name, and the steps', async () => {
    const page = await open({}, killed);
    await page.locator('.cards a', { hasText: 'unfinished' }).click();
    await expect.poll(() => page.locator('#images-found').innerText()).toBe('1 of 12 images');
    await expect.poll(() => page.getByLabel('Outcome').inputValue()).toBe('unfinished');
    await visible(page).locator('a').first().click();
    const detail = page.getByRole('dialog');
    await detail.waitFor();
    await expect.poll(() => detail.getByText('The tag names that, or').count()).toBe(1);
    await expect.poll(() => detail.getByText('slipway rollback 20261125-203000-1a2b3c').count()).toBe(1);
    await expect.poll(() => detail.locator('.state.running').innerText()).toBe('running');
  });

  test('a long log is opened at its end, where the error mostly is', async () => {
    const page = await open({}, killed);
    await page.getByText('The log of the step that failed').click();
    const seen = `(() => {
      const log = document.querySelector('.attention .log');
      const range = document.createRange();
      range.setStart(log.firstChild, log.textContent.lastIndexOf('line 299'));
      range.setEnd(log.firstChild, log.textContent.length);
      const [end, box] = [range.getBoundingClientRect(), log.getBoundingClientRect()];
      return [log.scrollHeight > 2 * log.clientHeight, end.top >= box.top && end.bottom <= box.bottom];
    })()`;
    await expect.poll(() => page.evaluate(seen)).toEqual([true, true]);
  });

  test('leads from a waiver to the images that it accepts something of, and says so there', async () => {
    const page = await open();
    const line = page.locator('.attention ~ ul li', {
      hasText: 'CVE-2026-1012 until 2026-12-01, 6 days after this run',
    });
    await line.getByRole('link', { name: '1 image' }).click();
    await expect.poll(() => visible(page).count()).toBe(1);
    await page.getByRole('button', { name: 'CVE-2026-1012, waived until 2026-12-01' }).click();
    await page.getByRole('link', { name: '2 images pass the policy only by 2 waivers' }).click();
    await expect.poll(() => visible(page).count()).toBe(2);
    await page.locator('#images a', { hasText: 'image-4:' }).click();
    const detail = page.getByRole('dialog');
    await detail.getByText('Passes by a waiver until 2026-12-01').waitFor();
    await expect.poll(() => detail.getByText('CVE-2026-1012 (waived)').count()).toBeGreaterThan(0);
  });

  test('says that a long log is not all there is', async () => {
    const page = await open({}, killed);
    await page.locator('#images a', { hasText: 'image-9:' }).click();
    const left = page.getByRole('dialog').getByText('The last 200 of 300 lines; the journal has all.');
    await left.waitFor();
    await expect.poll(() => left.count()).toBe(1);
  });

  test.each(['light', 'dark'] as const)('breaks no rule of accessibility: %s', async (colorScheme) => {
    const page = await open({ colorScheme, viewport: { width: 1280, height: 800 }, bypassCSP: true }, killed);
    await page.evaluate(axe.source);
    expect(await page.evaluate(RULES), 'the page').toEqual([]);
    await page.locator('#images a', { hasText: 'image-11:' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await page.evaluate(RULES), 'an image').toEqual([]);
  });
});

test('a run with --report writes the page of what it did, its data and a trace', async () => {
  const { host } = world().destination;
  const made = await project({
    build: [{ source: './images/hello/apko.yaml', destination: `${host}/${freshPath('reported')}:1` }],
  });
  const ran = await made.run('run', '--report', 'out');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const data = (await reportIn(made.folder)) as {
    images: readonly { sbom: readonly { packages: readonly { name: string }[] }[]; attachments: readonly unknown[] }[];
  };
  expect(data.images[0]?.sbom.map(({ packages }) => packages.some(({ name }) => name === 'busybox'))).toEqual([
    true,
    true,
  ]);
  expect(data.images[0]?.attachments.length).toBeGreaterThanOrEqual(4);
  expect(await readFile(join(made.folder, 'out', 'index.html'), 'utf8')).toContain('1 image: all as they should be');
  expect(JSON.parse(await readFile(join(made.folder, 'out', 'trace.json'), 'utf8'))).toHaveProperty('traceEvents');
});

test('the commands that check a try of another config are about that, and end well', async () => {
  const { host } = world().destination;
  const made = await project({
    build: [{ source: './images/hello/apko.yaml', destination: `${host}/${freshPath('tried')}:1` }],
  });
  await rename(join(made.folder, 'config.yaml'), join(made.folder, 'weekly.yaml'));
  const prefix = freshPrefix('try');
  const ran = await made.run('run', '--report', 'out', '--config', 'weekly.yaml', '--to', prefix);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const data = (await reportIn(made.folder)) as ReportData;
  const commands = (data.images[0]?.commands ?? [])
    .map(({ command }) => command)
    .filter((each) => each.startsWith('slipway'));
  expect(commands).toHaveLength(2);
  for (const command of commands) {
    const told = await slipway(command.split(' ').slice(1), { cwd: made.folder });
    expect(told.code, told.stdout + told.stderr).toBe(0);
    expect(told.stdout).toContain(prefix);
  }
});

test('a run that is killed as it begins has a report with each of its entries', async () => {
  const { host } = world().destination;
  const destinations = [1, 2].map((tag) => `${host}/${freshPath('killed')}:${tag}`);
  const made = await project({
    build: destinations.map((destination) => ({ source: './images/hello/apko.yaml', destination })),
  });
  await killEngine(made, { after: 1 });
  const runs = join(made.folder, '.slipway', 'runs');
  const [journal = ''] = await readdir(runs);
  const told = await slipway(['report', join(runs, journal), '--dir', 'out'], { cwd: made.folder });
  expect(told.code, told.stderr).toBe(0);
  const data = (await reportIn(made.folder)) as {
    images: readonly { destination: string; outcome: string }[];
  };
  expect(data.images.map(({ destination, outcome }) => [destination, outcome])).toEqual(
    destinations.map((destination) => [destination, 'unfinished']),
  );
  expect(await readFile(join(made.folder, 'out', 'index.html'), 'utf8')).toContain('2 images did not end.');
});
