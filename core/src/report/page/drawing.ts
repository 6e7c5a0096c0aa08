/** The two pictures of a report, as SVG: the graph of entries with their steps, and the timeline. Pure. */
import { levelsOf } from './levels.ts';
import type { ReportData } from './data.ts';
import { markup, nothing, type Html } from './html.ts';
import type { TimedTask } from './timeline.ts';
import { formatSeconds } from '../wording.ts';

/** Lanes of the timeline, and boxes of the graph: more are for the trace, which has them all. */
const MAX_LANES = 400;
const MAX_BOXES = 400;
const BOX = { width: 250, height: 46, gapX: 60, gapY: 12 } as const;
const LANE = { height: 18, gap: 4, label: 300, width: 1200 } as const;

export function graph({ images, tasks, edges }: ReportData): Html {
  const all = [...new Map(images.map((image) => [image.id, image])).values()];
  const linked = new Set(edges.flat());
  // What has no edge says nothing in a graph; it is in the table. Without any edge the boxes show the steps.
  const shown = all.filter(({ id }) => linked.size === 0 || linked.has(id)).slice(0, MAX_BOXES);
  if (shown.length === 0) return markup`<p class="faint">There was nothing to do.</p>`;
  const columns = levelsOf(
    shown.map(({ id }) => id),
    edges,
  );
  const place = new Map(
    columns.flatMap((ids, column) =>
      ids.map(
        (id, row) => [id, { x: 10 + column * (BOX.width + BOX.gapX), y: 10 + row * (BOX.height + BOX.gapY) }] as const,
      ),
    ),
  );
  const byEntry = Map.groupBy(tasks, ({ entry }) => entry);
  const boxes = shown.map((image) => {
    const at = place.get(image.id) ?? { x: 0, y: 0 };
    const steps = byEntry.get(image.id) ?? [];
    return markup`<g>
      <title>${image.id}: ${image.outcome}</title>
      <rect class="box" x="${at.x}" y="${at.y}" width="${BOX.width}" height="${BOX.height}" rx="5" />
      <rect class="${image.outcome}" x="${at.x}" y="${at.y}" width="5" height="${BOX.height}" />
      <text x="${at.x + 12}" y="${at.y + 18}">${short(image.destination, 36)}</text>
      ${steps.slice(0, 14).map((step, index) => stepMark(step, at.x + 12 + index * 16, at.y + 27))}</g
    >`;
  });
  const lines = edges.flatMap(([from, to]) => {
    const [a, b] = [place.get(from), place.get(to)];
    if (a === undefined || b === undefined) return [];
    const [x1, y1, x2, y2] = [a.x + BOX.width, a.y + BOX.height / 2, b.x, b.y + BOX.height / 2];
    const path = `M${x1} ${y1} C${x1 + 30} ${y1} ${x2 - 30} ${y2} ${x2} ${y2}`;
    return [markup`<path class="edge" d="${path}" />`];
  });
  const width = 20 + columns.length * (BOX.width + BOX.gapX);
  const height = 20 + Math.max(...columns.map((ids) => ids.length)) * (BOX.height + BOX.gapY);
  const left = linked.size === 0 ? 0 : all.length - linked.size;
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Graph of entries">
      <svg
        role="img"
        aria-label="${`Graph of ${shown.length} entries and ${lines.length} edges between them`}"
        viewBox="0 0 ${width} ${height}"
        width="${width}"
      >
        ${lines}${boxes}
      </svg>
    </div>
    ${left > 0 ? markup`<p class="faint">${left} more entries take nothing of each other; the table has them.</p>` : nothing}`;
}

function stepMark({ step, state, ms }: TimedTask, x: number, y: number): Html {
  return markup`<rect class="${state}" x="${x}" y="${y}" width="12" height="12" rx="2"
    ><title>${step}: ${state}, ${formatSeconds(ms / 1000)}</title></rect
  >`;
}

export function timeline({ tasks }: ReportData): Html {
  const timed = tasks.filter(({ start }) => start !== undefined);
  if (timed.length === 0) return markup`<p class="faint">No task was started.</p>`;
  const end = Math.max(1, ...timed.map(({ start = 0, ms }) => start + ms));
  const lanes = [...Map.groupBy(timed, ({ entry, id }) => entry ?? id)]
    .map(([name, all]) => ({
      name,
      all,
      ms: all.reduce((sum, { ms }) => sum + ms, 0),
      critical: all.some((task) => task.critical),
    }))
    // Who held the run up, then who worked longest.
    .toSorted((a, b) => Number(b.critical) - Number(a.critical) || b.ms - a.ms)
    .slice(0, MAX_LANES)
    .toSorted((a, b) => (a.all[0]?.start ?? 0) - (b.all[0]?.start ?? 0));
  const scale = (ms: number): number => Math.round((ms / end) * (LANE.width - LANE.label - 10) * 10) / 10;
  const height = 26 + lanes.length * (LANE.height + LANE.gap);
  const rows = lanes.map(({ name, all }, index) => {
    const y = 24 + index * (LANE.height + LANE.gap);
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
    return markup`<text x="4" y="${y + 13}">${short(name, 44)}</text>${bars}`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const x = LANE.label + scale(end * part);
    return markup`<line class="axis" x1="${x}" x2="${x}" y1="18" y2="${height}" /><text
        x="${Math.min(x, LANE.width - 45)}"
        y="13"
        >${formatSeconds((end * part) / 1000)}</text
      >`;
  });
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Timeline of tasks">
      <svg
        role="img"
        aria-label="${`Timeline of ${timed.length} tasks in ${lanes.length} lanes`}"
        viewBox="0 0 ${LANE.width} ${height}"
        width="${LANE.width}"
      >
        ${ticks}${rows}
      </svg>
    </div>
    <p class="faint">Outlined tasks are the critical path: the run could only have been quicker if they had been.</p>`;
}

/** The end of a name tells it apart. */
function short(name: string, length: number): string {
  return name.length <= length ? name : `…${name.slice(1 - length)}`;
}
