/** What is public by waivers of the policy: which end soon is seen at once, the others are a line. Pure. */
import { counted } from '../wording.ts';
import { lastDay, waiversLine, waiversOf, type Waived } from '../waivers.ts';
import { dayOf, type ReportData } from './data.ts';
import { markup, nothing, type Html } from './html.ts';
import type { ReportImage } from './image.ts';
import { link } from './parts.ts';

/** More are in the table. */
const MAX_SHOWN = 20;

export function waivedLines(data: ReportData): Html {
  const all = waiversOf(data.images, dayOf(data));
  const soon = all.filter((one) => one.soon);
  const longer = all.filter((one) => !one.soon);
  if (all.length === 0) return nothing;
  return markup`<p>
      ${soon.length === 0 ? nothing : markup`<span class="running">Waivers end soon:</span>`}
      ${link(waiversLine(all), { findings: 'waived' })}.
    </p>
    ${soon.length === 0 ? nothing : markup`${list(soon)}<p>→ Update what is concerned, or give the waiver a new end, before the policy refuses it.</p>`}
    ${longer.length === 0 ? nothing : markup`<details><summary>${soon.length === 0 ? counted(longer.length, 'waiver') : `${counted(longer.length, 'waiver')} that ${longer.length === 1 ? 'holds' : 'hold'} longer`}</summary>${list(longer)}</details>`}`;
}

function list(waivers: readonly Waived<ReportImage>[]): Html {
  const more = waivers.length - MAX_SHOWN;
  return markup`<ul>${waivers.slice(0, MAX_SHOWN).map(line)}</ul>
    ${more > 0 ? markup`<p>and ${link(`${more} more`, { findings: 'waived' })}</p>` : nothing}`;
}

function line(waiver: Waived<ReportImage>): Html {
  const { id, reason, expires, images } = waiver;
  return markup`<li>
    <span class="mono">${id}</span> until ${lastDay(waiver)}, in ${link(counted(images.length, 'image'), { waiver: id, until: expires })}:
    ${reason}
  </li>`;
}
