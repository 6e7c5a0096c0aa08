/** What somebody has to look at: what failed, what was refused, and why; with the log, and what to do. Pure. */
import type { Failure } from '../../failure.ts';
import type { Outcome } from '../../journal/events.ts';
import { headline } from '../failure.ts';
import { formatDigest } from '../wording.ts';
import type { ReportData, ReportImage } from './data.ts';
import { markup, nothing, type Html } from './html.ts';
import { counted, imageName, link } from './parts.ts';

/** More are in the table: nobody reads further here. */
const MAX_SHOWN = 20;
/** Refusals that are shown without being asked for. */
const MAX_REFUSALS = 3;

export function attention({ images, warnings }: ReportData): Html {
  const bad = (['failed', 'refused'] as const).flatMap((outcome) =>
    images.filter((image) => image.outcome === outcome),
  );
  const held = images.filter(({ outcome }) => outcome === 'skipped' || outcome === 'cancelled');
  if (bad.length + held.length + warnings.length === 0) return nothing;
  return markup`<section aria-labelledby="attention-heading">
    <h2 id="attention-heading">What needs attention</h2>
    ${blame(bad)}
    <ul class="attention">
      ${bad.slice(0, MAX_SHOWN).map(item)}
    </ul>
    ${bad.length > MAX_SHOWN ? markup`<p>${bad.length - MAX_SHOWN} more are at the top of the table of images.</p>` : nothing}
    ${heldLines(held)}
    ${warnings.map((warning) => markup`<p><span class="running">Warning:</span> ${warning}</p>`)}
  </section>`;
}

/** Where to begin: one registry that is down fails many. */
function blame(bad: readonly ReportImage[]): Html {
  const sides = Map.groupBy(bad, ({ failure }) =>
    failure === undefined ? 'for no reason that is known' : sideOf(failure),
  );
  const told = [...sides].toSorted(([, a], [, b]) => b.length - a.length).map(([side, all]) => `${all.length} ${side}`);
  return bad.length < 2 ? nothing : markup`<p>${told.join(', ')}</p>`;
}

function sideOf(failure: Failure): string {
  switch (failure.reason) {
    case 'registry':
      return `at the ${failure.side} registry ${failure.host}`;
    case 'tool':
    case 'missing-tool':
      return `by ${failure.tool}`;
    case 'plugin':
      return `by the plugin ${failure.plugin}`;
    case 'policy':
      return 'by the policy';
    case 'trust':
      return 'for what could not be trusted';
    case 'need':
      return 'for what they need';
    case 'config':
      return 'by the config';
    case 'wait':
    case 'cancelled':
      return 'for the time';
  }
}

function item(image: ReportImage): Html {
  const { destination, outcome, failure, log } = image;
  const refusals = failure?.reason === 'policy' ? failure.refusals : [];
  return markup`<li data-outcome="${outcome}">
    <p><span class="state ${outcome}">${outcome}</span> ${link(imageName(destination), { image: destination })}</p>
    <p>${refusals.length > 0 ? `The policy has ${counted(refusals.length, 'reason')}:` : failure === undefined ? image.why : headline(failure)}</p>
    ${list(refusals.slice(0, MAX_REFUSALS))}
    ${refusals.length > MAX_REFUSALS ? markup`<details><summary>${refusals.length - MAX_REFUSALS} more</summary>${list(refusals.slice(MAX_REFUSALS))}</details>` : nothing}
    ${log === undefined ? nothing : markup`<details><summary>The log of the step that failed (${counted(log.length, 'line')})</summary><pre class="log">${log.join('\n')}</pre></details>`}
    ${failure?.hint === undefined ? nothing : markup`<p>→ ${failure.hint}</p>`}
    <p class="faint">${consequence(image)}</p>
  </li>`;
}

function list(refusals: readonly string[]): Html {
  return refusals.length === 0 ? nothing : markup`<ul>${refusals.map((refusal) => markup`<li>${refusal}</li>`)}</ul>`;
}

/** What people who use the tag have now. */
function consequence({ before, digest }: ReportImage): string {
  if (before === null) return 'The tag was not moved.';
  if (before === digest) return `The tag named this image before, and still does: ${formatDigest(before)}.`;
  return `The tag still names ${formatDigest(before)}.`;
}

/** One line for each reason: a base that was refused holds up all that is built on it. */
function heldLines(held: readonly ReportImage[]): readonly Html[] {
  const reasons = Map.groupBy(held, ({ outcome, why }: ReportImage): string => `${outcome satisfies Outcome}: ${why}`);
  return [...reasons].map(([reason, all]) => {
    const names = all
      .slice(0, MAX_SHOWN)
      .map(({ destination }) => markup`<li>${link(imageName(destination), { image: destination })}</li>`);
    return markup`<details>
      <summary>${counted(all.length, 'image')} ${reason}</summary>
      <ul>${names}</ul>
      ${all.length > MAX_SHOWN ? markup`<p>and ${all.length - MAX_SHOWN} more</p>` : nothing}
    </details>`;
  });
}
