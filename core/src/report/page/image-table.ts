/** The table of images: what went wrong first, then what has the worst findings. Pure. */
import type { Finding } from '../../trust/model.ts';
import { headline } from '../failure.ts';
import { endsSoon } from '../waivers.ts';
import { formatBytes, formatDigest, formatSeconds } from '../wording.ts';
import { mayHaveMoved, type ReportImage } from './image.ts';
import { markup, nothing, type Html } from './html.ts';
import { imageName, link, skip, tools } from './parts.ts';
import type { ReportOutcome } from './unfinished.ts';

/** What is worth reading first. */
export const OUTCOMES: readonly ReportOutcome[] = [
  'failed',
  'refused',
  'unfinished',
  'cancelled',
  'skipped',
  'published',
  'unchanged',
];

interface Column {
  readonly name: string;
  /** Of numbers, the largest are asked for first. */
  readonly number?: boolean;
}

const COLUMNS: readonly Column[] = [
  { name: 'Image' },
  { name: 'Outcome' },
  { name: 'Critical', number: true },
  { name: 'High', number: true },
  { name: 'Other', number: true },
  { name: 'Since before', number: true },
  { name: 'Digest' },
  { name: 'Size', number: true },
  { name: 'Packages', number: true },
  { name: 'Signed' },
  { name: 'Time', number: true },
];

/** An image, once opened, has all. */
const MAX_WAIVED = 2;

const FINDINGS = {
  critical: 'critical',
  severe: 'critical or high',
  fixable: 'critical or high, with a fix',
  'new-severe': 'new critical or high',
  new: 'new',
  gone: 'gone',
  unpublished: 'critical or high, not published',
  waived: 'waived',
  'waived-soon': 'waived, ends soon',
  unknown: 'not scanned, or not wholly',
  'end-of-life': 'system at its end of life',
};

/** `day`: of the run, by which waivers end soon. */
export function imageTable(all: readonly ReportImage[], day: string): Html {
  const present = new Set(all.map(({ outcome }) => outcome));
  const outcomes = Object.fromEntries(OUTCOMES.filter((each) => present.has(each)).map((each) => [each, each]));
  const ordered = [...all.entries()].toSorted(
    ([, a], [, b]) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) || weightOf(b) - weightOf(a),
  );
  return markup`<section aria-labelledby="images-heading">
    <h2 id="images-heading">Images</h2>
    ${skip('vulnerabilities', 'the vulnerabilities')}
    ${tools('images', 'name, digest, package, CVE', [
      { name: 'outcome', label: 'Outcome', options: outcomes },
      { name: 'findings', label: 'Findings', options: FINDINGS },
      { name: 'signed', label: 'Signed', options: { signed: 'yes', unsigned: 'no' } },
    ])}
    <div class="scroll tall" tabindex="0" role="region" aria-label="Table of images">
      <table id="images">
        <caption>
          One row for each tag, with what it names now, against the image, or the scan, before. Open one for its findings, packages,
          attestations and commands.
        </caption>
        <thead>
          <tr>
            ${COLUMNS.map(
              ({ name, number }) =>
                markup`<th scope="col"${number === true ? markup` class="number" data-first="down"` : nothing}>${name}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${ordered.map(([index, image]) => imageRow(image, index, day))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function imageRow(image: ReportImage, index: number, day: string): Html {
  const { destination, outcome, size, packages, counts, unscanned, endOfLife, seconds } = image;
  const other = counts === null ? null : counts.MEDIUM + counts.LOW + counts.UNKNOWN;
  return markup`<tr data-index="${index}" data-marks="${marks(image, day).join(' ')}">
    <th scope="row" data-label="Image" data-sort="${destination}">
      ${link(imageName(destination), { image: destination })}
      <span class="why">${whyOf(image)}</span>
      ${unpublishedLine(image)}
      ${waivedLine(image)}
      ${unscanned === undefined ? nothing : markup`<span class="sub">not scanned: ${unscanned.join(', ')}</span>`}
      ${endOfLife === undefined ? nothing : markup`<span class="sub">end of life: ${endOfLife.join(', ')}</span>`}
    </th>
    <td data-label="Outcome"><span class="state ${outcome}">${outcome}</span></td>
    ${countCell('Critical', image, counts?.CRITICAL ?? null)}
    ${countCell('High', image, counts?.HIGH ?? null)}
    ${countCell('Other', image, other)}
    ${newsCell(image)}
    <td data-label="Digest">${digestCell(image)}</td>
    <td class="number" data-label="Size" data-sort="${size ?? -1}">
      ${size === null ? '-' : formatBytes(size)}${sizeChange(image)}
    </td>
    <td class="number" data-label="Packages" data-sort="${packages ?? -1}">${packages ?? '-'}${packageChange(image)}</td>
    <td data-label="Signed">${signedCell(image)}</td>
    <td class="number" data-label="Time" data-sort="${seconds}">${formatSeconds(seconds)}</td>
  </tr>`;
}

/** What the choices above the table ask for. */
function marks(image: ReportImage, day: string): readonly string[] {
  const { outcome, tag, made, counts, findings, news, signed } = image;
  const severe = findings.filter(isSevereOne);
  const facts: readonly (readonly [string, boolean])[] = [
    ['critical', (counts?.CRITICAL ?? 0) > 0],
    ['severe', isSevere(counts)],
    ['fixable', severe.some(({ fixed }) => fixed !== undefined)],
    ['new-severe', hasNewSevere(image)],
    ['new', (news?.new.length ?? 0) > 0],
    ['gone', (news?.gone.length ?? 0) > 0],
    ['unpublished', isSevere(made?.counts ?? null)],
    ['waived', image.waived !== undefined],
    ['waived-soon', endsSoon(image, day)],
    ['unknown', isUnknown(image)],
    ['end-of-life', isEnded(image)],
    ['signed', signed === true],
    ['unsigned', tag !== null && signed !== true],
  ];
  return [outcome, ...facts.flatMap(([mark, holds]) => (holds ? [mark] : []))];
}

/** What the run made of it, and nobody who uses the tag has. */
function unpublishedLine({ made }: ReportImage): Html {
  // What failed early was not even made, or not looked into.
  if (made === undefined || made.counts === null) return nothing;
  const { CRITICAL, HIGH, MEDIUM, LOW, UNKNOWN } = made.counts;
  return markup`<span class="sub">not published: ${CRITICAL} critical, ${HIGH} high, ${MEDIUM + LOW + UNKNOWN} other</span>`;
}

function waivedLine({ waived = [] }: ReportImage): Html {
  const told = waived.slice(0, MAX_WAIVED).map(({ id, expires }) => `${id} until ${expires}`);
  const more = waived.length > MAX_WAIVED ? ` and ${waived.length - MAX_WAIVED} more` : '';
  return told.length === 0 ? nothing : markup`<span class="sub">waived: ${told.join(', ')}${more}</span>`;
}

export function hasNewSevere({ findings, news }: ReportImage): boolean {
  const fresh = new Set(news?.new ?? []);
  return findings.some((finding) => fresh.has(finding.id) && isSevereOne(finding));
}

export function isSevereOne({ severity }: Pick<Finding, 'severity'>): boolean {
  return severity === 'CRITICAL' || severity === 'HIGH';
}

/** Whether nobody knows all that is in what the tag names: that is not the same as nothing. */
export function isUnknown({ tag, counts, unscanned }: Pick<ReportImage, 'tag' | 'counts' | 'unscanned'>): boolean {
  return tag !== null && (counts === null || unscanned !== undefined);
}

/** Whether new vulnerabilities are not found in what the tag names. */
export function isEnded({ endOfLife }: Pick<ReportImage, 'endOfLife'>): boolean {
  return endOfLife !== undefined;
}

export function isSevere(counts: ReportImage['counts']): boolean {
  return counts !== null && counts.CRITICAL + counts.HIGH > 0;
}

function whyOf({ outcome, failure, why }: ReportImage): string {
  if (failure !== undefined) return headline(failure);
  return outcome === 'unchanged' ? '' : why;
}

function countCell(
  label: 'Critical' | 'High' | 'Other',
  { counts, unscanned }: ReportImage,
  count: number | null,
): Html {
  const some = count !== null && count > 0;
  const text = counts === null ? (unscanned === undefined ? '-' : 'not scanned') : String(count ?? 0);
  return markup`<td class="number" data-label="${label}" data-sort="${count ?? -1}"
    ><span class="${some ? label.toUpperCase() : 'faint'}">${text}</span></td
  >`;
}

function newsCell({ news }: ReportImage): Html {
  const text =
    news === undefined
      ? markup`<span class="faint">-</span>`
      : news.new.length + news.gone.length === 0
        ? markup`<span class="faint">same</span>`
        : markup`${news.new.length > 0 ? markup`<b>+${news.new.length}</b>` : nothing} ${news.gone.length > 0 ? markup`−${news.gone.length}` : nothing}`;
  return markup`<td class="number" data-label="Since before" data-sort="${news?.new.length ?? -1}">${text}</td>`;
}

function digestCell(image: ReportImage): Html {
  const { outcome, digest } = image;
  const shown = markup`<code title="${digest ?? ''}">${formatDigest(digest)}</code>`;
  if (outcome === 'unchanged') return shown;
  return markup`${shown}<span class="sub mono">${tagLine(image)}</span>`;
}

function tagLine(image: ReportImage): string {
  const { outcome, before, tag } = image;
  if (outcome === 'published') return before === null ? 'new' : `was ${formatDigest(before)}`;
  if (mayHaveMoved(image)) return `tag: this, or ${before === null ? 'none' : formatDigest(before)}`;
  if (tag !== null) return `tag: ${formatDigest(tag)}`;
  return outcome === 'unfinished' ? 'tag: not known' : 'tag: none';
}

function sizeChange({ size, sizeBefore }: ReportImage): Html {
  if (size === null || sizeBefore === undefined || size === sizeBefore) return nothing;
  const sign = size > sizeBefore ? '+' : '−';
  return markup`<span class="sub">${sign}${formatBytes(Math.abs(size - sizeBefore))}</span>`;
}

function packageChange({ packageNews }: ReportImage): Html {
  return packageNews === undefined || packageNews.length === 0
    ? nothing
    : markup`<span class="sub">${packageNews.length} changed</span>`;
}

function signedCell({ tag, signed, attachments }: ReportImage): Html {
  if (tag === null) return markup`<span class="faint">-</span>`;
  if (signed === null) return markup`<span class="faint">not known</span>`;
  if (!signed) return markup`<span class="faint">no</span>`;
  const attested = attachments.filter(({ predicateType }) => !predicateType.includes('/sign/')).length;
  return markup`yes${attested === 0 ? nothing : markup`<span class="sub">${attested} attested</span>`}`;
}

function weightOf({ counts, made }: ReportImage): number {
  return Math.max(weight(counts), weight(made?.counts ?? null));
}

/** So that one critical finding outweighs any number of lesser ones. */
function weight(counts: ReportImage['counts']): number {
  if (counts === null) return -1;
  const { CRITICAL, HIGH, MEDIUM, LOW, UNKNOWN } = counts;
  return [CRITICAL, HIGH, MEDIUM, LOW, UNKNOWN].reduce((sum, count) => sum * 1000 + Math.min(count, 999), 0);
}
