/** The graph of entries with their steps, as SVG. Pure. */
import { formatSeconds } from '../wording.ts';
import type { ReportData } from './data.ts';
import type { ReportImage } from './image.ts';
import { markup, nothing, type Html } from './html.ts';
import { levelsOf } from './levels.ts';
import { counted, ending } from './parts.ts';
import type { TimedTask } from './timeline.ts';

/** Boxes of each drawing: more are no picture, and the table has them. */
const MAX_BOXES = 300;
const BOX = { width: 250, height: 46, gapX: 60, gapY: 12 } as const;
/** Boxes side by side of entries that nothing links. */
const SIDE_BY_SIDE = 4;

interface Place {
  readonly x: number;
  readonly y: number;
}

export function graph({ images, tasks, edges }: ReportData): Html {
  const all = [...new Map(images.map((image) => [image.id, image])).values()];
  const linked = new Set(edges.flat());
  const together = all.filter(({ id }) => linked.has(id));
  const alone = all.filter(({ id }) => !linked.has(id));
  // What was found as it should be has no steps to show.
  const busy = alone.filter(({ outcome }) => outcome !== 'unchanged');
  const steps = Map.groupBy(tasks, ({ entry }) => entry);
  if (all.length === 0) return markup`<p class="faint">There was nothing to do.</p>`;
  return markup`<p class="faint">A box for each entry, with a mark for each of its steps; what it takes stands left of it.</p>
    ${legend}
    ${drawing('Graph of entries', together.slice(0, MAX_BOXES), inColumns(together.slice(0, MAX_BOXES), edges), edges, steps)}
    ${left(together.length)}
    ${alone.length === 0 ? nothing : markup`<p class="faint">${aloneLine(alone, busy)}</p>`}
    ${drawing('Entries that take nothing of others', busy.slice(0, MAX_BOXES), inRows(busy.slice(0, MAX_BOXES)), [], steps)}
    ${left(busy.length)}`;
}

const legend = markup`<p class="legend">
  ${['ok', 'failed', 'refused', 'skipped'].map((state) => markup`<span class="key"><span class="swatch ${state}"></span>${state}</span>`)}
</p>`;

function aloneLine(alone: readonly ReportImage[], busy: readonly ReportImage[]): string {
  const quiet = alone.length - busy.length;
  return `${counted(alone.length, 'entry takes', 'entries take')} nothing of others${quiet === 0 ? '' : `; ${quiet} of them unchanged, and not drawn`}.`;
}

function left(count: number): Html {
  return count > MAX_BOXES ? markup`<p class="faint">${count - MAX_BOXES} more are in the table.</p>` : nothing;
}

function inColumns(images: readonly ReportImage[], edges: ReportData['edges']): ReadonlyMap<string, Place> {
  const columns = levelsOf(
    images.map(({ id }) => id),
    edges,
  );
  return new Map(columns.flatMap((ids, column) => ids.map((id, row) => [id, placeAt(column, row, BOX.gapX)] as const)));
}

function inRows(images: readonly ReportImage[]): ReadonlyMap<string, Place> {
  return new Map(
    images.map(
      ({ id }, index) => [id, placeAt(index % SIDE_BY_SIDE, Math.floor(index / SIDE_BY_SIDE), BOX.gapY)] as const,
    ),
  );
}

function placeAt(column: number, row: number, gap: number): Place {
  return { x: 10 + column * (BOX.width + gap), y: 10 + row * (BOX.height + BOX.gapY) };
}

function drawing(
  label: string,
  images: readonly ReportImage[],
  place: ReadonlyMap<string, Place>,
  edges: ReportData['edges'],
  steps: ReadonlyMap<string | undefined, readonly TimedTask[]>,
): Html {
  if (images.length === 0) return nothing;
  const lines = edges.flatMap(([from, to]) => {
    const [a, b] = [place.get(from), place.get(to)];
    return a === undefined || b === undefined ? [] : [edge(a, b)];
  });
  const places = [...place.values()];
  const width = Math.max(...places.map(({ x }) => x)) + BOX.width + 10;
  const height = Math.max(...places.map(({ y }) => y)) + BOX.height + 10;
  return markup`<div class="scroll tall drawing" tabindex="0" role="region" aria-label="${label}">
    <svg
      role="group"
      aria-label="${`${label}: ${images.length}, with ${counted(lines.length, 'edge')} between them`}"
      viewBox="0 0 ${width} ${height}"
      width="${width}"
    >
      ${lines}${images.map((image) => box(image, place.get(image.id) ?? { x: 0, y: 0 }, steps.get(image.id) ?? []))}
    </svg>
  </div>`;
}

function edge(a: Place, b: Place): Html {
  const [x1, y1, x2, y2] = [a.x + BOX.width, a.y + BOX.height / 2, b.x, b.y + BOX.height / 2];
  return markup`<path class="edge" d="M${x1} ${y1} C${x1 + 30} ${y1} ${x2 - 30} ${y2} ${x2} ${y2}" />`;
}

function box(image: ReportImage, { x, y }: Place, steps: readonly TimedTask[]): Html {
  const { destination, id, outcome, seconds } = image;
  const goal = new URLSearchParams({ image: destination }).toString();
  return markup`<a href="#${goal}">
    <rect class="box" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="5"><title>${id}: ${outcome}, ${formatSeconds(seconds)}</title></rect>
    <rect class="${outcome}" x="${x}" y="${y}" width="5" height="${BOX.height}" />
    <text class="mono" x="${x + 12}" y="${y + 18}">${ending(destination, 32)}</text>
    ${steps.slice(0, 12).map((step, index) => stepMark(step, x + 12 + index * 15, y + 27))}
    <text class="small" x="${x + BOX.width - 6}" y="${y + 37}" text-anchor="end">${formatSeconds(seconds)}</text></a
  >`;
}

function stepMark({ step, state, ms }: TimedTask, x: number, y: number): Html {
  return markup`<rect class="${state}" x="${x}" y="${y}" width="12" height="12" rx="2"
    ><title>${step}: ${state}, ${formatSeconds(ms / 1000)}</title></rect
  >`;
}
