/** What somebody has to look at: what failed, what was refused, and why; with the log, and what to do. Pure. */
import { standingOf } from '../../journal/named.ts';
import { endOfLifeLine } from '../ended.ts';
import { headline } from '../failure.ts';
import { waivedBesides } from '../waivers.ts';
import { counted, formatDigest, formatSeconds } from '../wording.ts';
import { causesOf, sideOf, type Cause as CauseOf } from '../causes.ts';
import { canUndo, undoOf } from './commands.ts';
import type { ReportData } from './data.ts';
import { markup, nothing, type Html } from './html.ts';
import { mayHaveMoved, type ReportImage } from './image.ts';
import { imageName, link, skip } from './parts.ts';
import type { ReportOutcome } from './unfinished.ts';
import { waivedLines } from './waived.ts';

/** More are in the table: nobody reads further here. */
const MAX_SHOWN = 20;
/** Refusals that are shown without being asked for. */
const MAX_REFUSALS = 3;

type Cause = CauseOf<ReportImage>;

export function attention(data: ReportData): Html {
  const { images, warnings } = data;
  const of = (outcome: ReportOutcome): readonly ReportImage[] => images.filter((image) => image.outcome === outcome);
  const [failed, refused, unfinished] = [of('failed'), of('refused'), of('unfinished')];
  const held = [...of('skipped'), ...of('cancelled'), ...unfinished.filter(({ digest }) => digest === null)];
  const waived = images.some((image) => image.waived !== undefined);
  const ended = endOfLifeLine(images);
  if (
    failed.length + refused.length + unfinished.length + held.length + warnings.length === 0 &&
    !waived &&
    ended === ''
  )
    return nothing;
  const [failures, refusals] = shared(causesOf(failed), causesOf(refused));
  return markup`<section aria-labelledby="attention-heading">
    <h2 id="attention-heading">What needs attention</h2>
    ${skip('images', 'the images')}
    ${blame([...failed, ...refused])}
    <ul class="attention">
      ${[...failures, ...refusals].map(item)}
    </ul>
    ${left('failed', failed, failures)} ${left('refused', refused, refusals)}
    ${unfinishedLines(unfinished, data)}${heldLines(held)}
    ${waivedLines(data)}
    ${ended === '' ? nothing : markup`<p>${link(ended, { findings: 'end-of-life' })}.</p>`}
    ${warnings.map((warning) => markup`<p><span class="running">Warning:</span> ${warning}</p>`)}
  </section>`;
}

/** What came first is shown, and of neither kind so many that the other has less than half of the room. */
function shared(
  failures: readonly Cause[],
  refusals: readonly Cause[],
): readonly [failures: readonly Cause[], refusals: readonly Cause[]] {
  const room = Math.max(MAX_SHOWN / 2, MAX_SHOWN - failures.length);
  const some = refusals.slice(0, room);
  return [failures.slice(0, MAX_SHOWN - some.length), some];
}

function left(outcome: ReportOutcome, all: readonly ReportImage[], shown: readonly Cause[]): Html {
  const more = all.length - shown.reduce((sum, { images }) => sum + images.length, 0);
  return more === 0
    ? nothing
    : markup`<p>${link(`${more} more ${outcome}`, { outcome })} are in the table of images.</p>`;
}

/** Where to begin: one registry that is down fails many. */
function blame(bad: readonly ReportImage[]): Html {
  const sides = Map.groupBy(bad, ({ failure }) =>
    failure === undefined ? 'for no reason that is known' : sideOf(failure),
  );
  const told = [...sides].toSorted(([, a], [, b]) => b.length - a.length).map(([side, all]) => `${all.length} ${side}`);
  return bad.length < 2 ? nothing : markup`<p>${told.join(', ')}</p>`;
}

function item({ images: [image, ...others] }: Cause): Html {
  const { outcome, failure, log, ended } = image;
  const refusals = failure?.reason === 'policy' ? failure.refusals : [];
  const waived = waivedBesides(failure);
  const whose = others.length === 0 ? '' : ` of ${image.destination}`;
  return markup`<li data-outcome="${outcome}">
    <p>
      <span class="state ${outcome}">${outcome}</span> ${named(image)}
      <span class="faint">${others.length === 0 ? '' : 'first, '}after ${formatSeconds(ended / 1000)}</span>
    </p>
    <p>${refusals.length > 0 ? `The policy has ${counted(refusals.length, 'reason')}:` : failure === undefined ? image.why : headline(failure)}</p>
    ${list(refusals.slice(0, MAX_REFUSALS))}
    ${waived === '' ? nothing : markup`<p class="faint">${waived}</p>`}
    ${refusals.length > MAX_REFUSALS ? markup`<details><summary>${refusals.length - MAX_REFUSALS} more</summary>${list(refusals.slice(MAX_REFUSALS))}</details>` : nothing}
    ${log === undefined ? nothing : markup`<details><summary>The log of the step that failed${whose} (${linesOf(image, log)})</summary><pre class="log">${log.join('\n')}</pre></details>`}
    ${failure?.hint === undefined ? nothing : markup`<p>→ ${failure.hint}</p>`}
    <p class="faint">${consequence(image)}</p>
    ${others.length === 0 ? nothing : markup`<details><summary>and ${counted(others.length, 'more image')} for the same cause</summary>${names(others)}</details>`}
  </li>`;
}

function linesOf({ logLines }: ReportImage, log: readonly string[]): string {
  return logLines === undefined
    ? counted(log.length, 'line')
    : `the last ${log.length} of ${logLines} lines; the journal has all`;
}

function named({ destination }: ReportImage): Html {
  return link(imageName(destination), { image: destination });
}

function names(images: readonly ReportImage[]): Html {
  return markup`<ul>
    ${images.map(
      (image) => markup`<li>${named(image)} <span class="faint">after ${formatSeconds(image.ended / 1000)}</span></li>`,
    )}
  </ul>`;
}

function list(refusals: readonly string[]): Html {
  return refusals.length === 0 ? nothing : markup`<ul>${refusals.map((refusal) => markup`<li>${refusal}</li>`)}</ul>`;
}

/** What people who use the tag have now. */
function consequence(image: ReportImage): string {
  const { before, digest, tag } = image;
  if (mayHaveMoved(image)) {
    const other = before === null ? 'nothing, as before' : formatDigest(before);
    return `The tag may have been moved: it names ${formatDigest(digest)}, or ${other}.`;
  }
  if (standingOf(image) !== undefined && tag !== before)
    return tag === null ? 'The tag is gone.' : `The tag names ${formatDigest(tag)}, which did not come from here.`;
  if (tag === null) return 'The tag was not moved.';
  if (before === null) return `The tag was not moved; it named ${formatDigest(tag)} last.`;
  if (before === digest) return `The tag named this image before, and still does: ${formatDigest(before)}.`;
  return `The tag still names ${formatDigest(before)}.`;
}

/** What to do, and first what may be public already. */
function unfinishedLines(all: readonly ReportImage[], data: ReportData): Html {
  const moved = all.filter(({ digest }) => digest !== null);
  const more = moved.length - MAX_SHOWN;
  if (all.length === 0) return nothing;
  return markup`<p>
      <span class="state unfinished">${counted(all.length, 'image')} did not end.</span> Run it again: it goes on from there, and
      what was published stays published.
    </p>
    ${moved.length === 0 ? nothing : markup`<p>${counted(moved.length, 'tag')} may have been moved:</p>`}
    ${moved.length === 0 ? nothing : markup`<ul>${moved.slice(0, MAX_SHOWN).map(move)}</ul>`}
    ${more > 0 ? markup`<p>and ${link(`${more} more`, { outcome: 'unfinished', find: moved[0]?.why ?? '' })}</p>` : nothing}
    ${canUndo(data, moved) ? markup`<p>→ ${undoOf(data).what}: <code>${undoOf(data).command}</code></p>` : nothing}`;
}

function move(image: ReportImage): Html {
  const { before, digest } = image;
  const from = before === null ? 'a new tag' : formatDigest(before);
  return markup`<li>${named(image)} <span class="mono">${from} → ${formatDigest(digest)}</span></li>`;
}

/** One line for each reason: a base that was refused holds up all that is built on it. */
function heldLines(held: readonly ReportImage[]): readonly Html[] {
  const reasons = Map.groupBy(held, ({ outcome, why }: ReportImage): string => `${outcome}: ${why}`);
  return [...reasons].map(([reason, all]) => {
    const hint = all.find(({ failure }) => failure?.hint !== undefined)?.failure?.hint;
    const [first] = all;
    return markup`<details>
      <summary>${counted(all.length, 'image')} ${reason}</summary>
      ${hint === undefined ? nothing : markup`<p>→ ${hint}</p>`}
      <ul>${all.slice(0, MAX_SHOWN).map((image) => markup`<li>${named(image)}</li>`)}</ul>
      ${all.length > MAX_SHOWN && first !== undefined ? markup`<p>and ${link(`${all.length - MAX_SHOWN} more`, { outcome: first.outcome, find: first.why })}</p>` : nothing}
    </details>`;
  });
}
