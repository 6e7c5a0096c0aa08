/** Where the time of a run went: the critical path, what took longest, and a timeline as SVG. Pure. */
import { isPackageTask } from '../../plan/task-id.ts';
import { firstOfEach } from '../fold.ts';
import { formatSeconds } from '../wording.ts';
import type { ReportData } from './data.ts';
import { markup, nothing, type Html } from './html.ts';
import { ending, link } from './parts.ts';
import type { TimedTask } from './timeline.ts';

/** Lanes of the timeline: more are for the trace, which has them all. */
const MAX_LANES = 300;
const LONGEST = 10;
const LANE = { height: 18, gap: 4, label: 330, width: 1280 } as const;

interface Lane {
  readonly name: string;
  readonly all: readonly TimedTask[];
  readonly ms: number;
  readonly critical: boolean;
}

export function timeline({ tasks, images }: ReportData): Html {
  const timed = tasks.filter(({ start }) => start !== undefined);
  if (timed.length === 0) return markup`<p class="faint">No task was started.</p>`;
  const destinations = new Map(firstOfEach(images).map(({ id, destination }) => [id, destination]));
  return markup`<div class="columns">
    ${stepTable('The critical path', criticalPath(timed), destinations)}
    ${stepTable(`The ${Math.min(LONGEST, timed.length)} longest steps`, longest(timed), destinations)}
  </div>
  <p class="faint">
    The run ended when the critical path did. Where its steps waited, all places were taken: --jobs and limits in the settings give more.
  </p>
  ${drawing(timed, destinations)}`;
}

function criticalPath(timed: readonly TimedTask[]): readonly TimedTask[] {
  return timed.filter(({ critical }) => critical).toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0));
}

function longest(timed: readonly TimedTask[]): readonly TimedTask[] {
  return timed.toSorted((a, b) => b.ms - a.ms).slice(0, LONGEST);
}

function stepTable(caption: string, steps: readonly TimedTask[], destinations: ReadonlyMap<string, string>): Html {
  const waited = steps.reduce((sum, step) => sum + (step.waited ?? 0), 0);
  const worked = steps.reduce((sum, step) => sum + step.ms, 0);
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}: ${formatSeconds(worked / 1000)} of work${waited > 0 ? `, ${formatSeconds(waited / 1000)} of waiting` : ''}
      </caption>
      <thead>
        <tr>
          ${['Step', 'Of', 'Waited', 'Took'].map((name) => markup`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${steps.map(
          ({ id, step, entry, state, ms, waited: idle }) => markup`<tr>
            <th scope="row">${step}${state === 'ok' ? nothing : markup` <span class="${state}">${state}</span>`}</th>
            <td>${entry === undefined ? ownerOf(id) : nameOf(entry, destinations)}</td>
            <td class="number">${idle === undefined ? '' : formatSeconds(idle / 1000)}</td>
            <td class="number">${formatSeconds(ms / 1000)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Tags that move together are moved by one task between all images. */
function ownerOf(task: string): string {
  return isPackageTask(task) ? 'a package' : 'all entries';
}

function nameOf(entry: string, destinations: ReadonlyMap<string, string>): Html {
  const destination = destinations.get(entry);
  if (destination === undefined) return markup`${entry}`;
  return link(markup`<span title="${destination}">${ending(destination, 40)}</span>`, { image: destination });
}

function drawing(timed: readonly TimedTask[], destinations: ReadonlyMap<string, string>): Html {
  const end = timed.reduce((latest, { start = 0, ms }) => Math.max(latest, start + ms), 1);
  const all = [...Map.groupBy(timed, ({ entry, id }) => entry ?? id)].map(([name, some]): Lane => ({
    name,
    all: some,
    ms: some.reduce((sum, { ms }) => sum + ms, 0),
    critical: some.some((task) => task.critical),
  }));
  // Who was only looked at took no time that could be seen.
  const busy = all.filter(({ all: some, critical }) => critical || some.some(({ step }) => step !== 'probe'));
  const lanes = (busy.length === 0 ? all : busy)
    // Who held the run up, then who worked longest.
    .toSorted((a, b) => Number(b.critical) - Number(a.critical) || b.ms - a.ms)
    .slice(0, MAX_LANES)
    .toSorted((a, b) => (a.all[0]?.start ?? 0) - (b.all[0]?.start ?? 0));
  const scale = (ms: number): number => Math.round((ms / end) * (LANE.width - LANE.label - 50) * 10) / 10;
  const height = 26 + lanes.length * (LANE.height + LANE.gap);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const x = LANE.label + scale(end * part);
    return markup`<line class="axis" x1="${x}" x2="${x}" y1="18" y2="${height}" /><text x="${x}" y="13" text-anchor="middle"
        >${formatSeconds((end * part) / 1000)}</text
      >`;
  });
  const left = all.length - lanes.length;
  return markup`<p class="legend">
      <span class="key"><span class="swatch ok critical"></span>on the critical path</span>
      <span class="key"><span class="swatch failed"></span>failed</span>
      <span class="key"><span class="swatch refused"></span>refused</span>
    </p>
    <div class="scroll tall drawing" tabindex="0" role="region" aria-label="Timeline of tasks">
      <svg
        role="group"
        aria-label="${`Timeline of ${timed.length} tasks in ${lanes.length} lanes`}"
        viewBox="0 0 ${LANE.width} ${height}"
        width="${LANE.width}"
      >
        ${ticks}${lanes.map((lane, index) => laneOf(lane, 24 + index * (LANE.height + LANE.gap), scale, destinations))}
      </svg>
    </div>
    ${left > 0 ? markup`<p class="faint">${left} more, which were found done or took least, are in trace.json.</p>` : nothing}`;
}

function laneOf(
  { name, all }: Lane,
  y: number,
  scale: (ms: number) => number,
  destinations: ReadonlyMap<string, string>,
): Html {
  const bars = all.map(({ step, start = 0, ms, state, critical }) => {
    const title = `${step}: ${state}, ${formatSeconds(ms / 1000)}, from ${formatSeconds(start / 1000)}${critical ? ', on the critical path' : ''}`;
    return markup`<rect
      class="${state}${critical ? ' critical' : ''}"
      x="${LANE.label + scale(start)}"
      y="${y}"
      width="${Math.max(1, scale(ms))}"
      height="${LANE.height - 2}"
      ><title>${title}</title></rect
    >`;
  });
  const destination = destinations.get(name);
  const text = markup`<text class="mono" x="4" y="${y + 13}"><title>${destination ?? name}</title>${ending(destination ?? name, 44)}</text>`;
  const label =
    destination === undefined
      ? text
      : markup`<a href="#${new URLSearchParams({ image: destination }).toString()}">${text}</a>`;
  return markup`${label}${bars}`;
}
