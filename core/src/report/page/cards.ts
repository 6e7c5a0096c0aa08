/** The answers to what is asked first, of what is public; each leads to what it counts. Pure. */
import { counted } from '../wording.ts';
import type { ReportData } from './data.ts';
import { markup, nothing, type Html } from './html.ts';
import { hasNewSevere, isEnded, isSevere, isSevereOne, isUnknown, OUTCOMES } from './image-table.ts';
import { link } from './parts.ts';

type Goal = Readonly<Record<string, string>>;

export function cards({ counts, vulnerabilities, images }: ReportData): Html {
  const open = images.filter(({ tag }) => tag !== null);
  const severe = open.filter((image) => isSevere(image.counts)).length;
  const unknown = open.filter(isUnknown).length;
  const ended = open.filter(isEnded).length;
  const kept = images.filter(({ made }) => isSevere(made?.counts ?? null)).length;
  const signed = open.filter((image) => image.signed === true).length;
  return markup`<ul class="cards">
    ${OUTCOMES.flatMap((outcome) => {
      const count = counts[outcome];
      return count === undefined ? [] : [card(String(count), outcome, outcome, { outcome })];
    })}
    ${card(
      `${severe} of ${open.length}`,
      severe > 0 ? 'HIGH' : unknown + ended > 0 ? 'UNKNOWN' : 'ok',
      `public images have critical or high findings${unknown === 0 ? '' : `; no whole scan of ${unknown} is known`}${ended === 0 ? '' : `; ${ended} ${ended === 1 ? 'has' : 'have'} a system at its end of life`}`,
      { findings: severe > 0 || unknown + ended === 0 ? 'severe' : unknown > 0 ? 'unknown' : 'end-of-life' },
    )}
    ${kept === 0 ? nothing : card(String(kept), 'refused', 'have them in what was not published', { findings: 'unpublished' })}
    ${newsCards(images, vulnerabilities)}
    ${card(`${signed} of ${open.length}`, signed === open.length ? 'ok' : 'HIGH', 'public images signed', { signed: signed === open.length ? 'signed' : 'unsigned' })}
  </ul>`;
}

/** Of all images together, and apart how many of them: one that loses a vulnerability is no balance for another that gets it. */
function newsCards(images: ReportData['images'], vulnerabilities: ReportData['vulnerabilities']): Html {
  if (!images.some(({ news }) => news !== undefined))
    return markup`<li><span><b>-</b> no earlier scan to compare with</span></li>`;
  const severe = vulnerabilities.filter(isSevereOne);
  const overall = (which: 'new' | 'gone'): number => severe.filter((one) => one.overall === which).length;
  const [fresh, gone] = [overall('new'), overall('gone')];
  // By what each image's own scan says: distributions do not agree on how severe a vulnerability is.
  const more = images.filter(hasNewSevere).length;
  const rid = images.filter(({ news }) => news?.gone.some(isSevereOne) === true).length;
  return markup`${card(
    `+${fresh} −${gone}`,
    fresh > 0 ? 'HIGH' : 'ok',
    'critical or high, new to all images and gone from all',
    { severity: 'severe', news: fresh > 0 || gone === 0 ? 'new-overall' : 'gone-overall' },
  )}
  ${card(counted(more, 'image'), more > 0 ? 'HIGH' : 'ok', `with new critical or high findings; some are gone from ${rid}`, { findings: 'new-severe' })}`;
}

function card(count: string, className: string, text: string, goal: Goal): Html {
  return markup`<li>${link(markup`<b class="${className}">${count}</b> ${text}`, goal)}</li>`;
}
