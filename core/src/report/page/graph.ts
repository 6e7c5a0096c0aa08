/** The graph of entries and packages with their steps, as SVG. Pure. */
import { isPackageTask } from '../../plan/task-id.ts';
import { firstOfEach, folded, type Box, type Edges } from '../fold.ts';
import { counted, formatSeconds } from '../wording.ts';
import type { ReportData } from './data.ts';
import { markup, nothing, type Html } from './html.ts';
import { levelsOf } from './levels.ts';
import { ending, link } from './parts.ts';
import type { TimedTask } from './timeline.ts';

/** Boxes of each drawing: more are no picture, and the table has them. */
const MAX_BOXES = 300;
const BOX = { width: 280, height: 46, gapX: 60, gapY: 12 } as const;
/** Boxes side by side of entries that nothing links. */
const SIDE_BY_SIDE = 4;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** An entry, or a package that entries are built with. */
interface Item {
  readonly id: string;
  readonly name: string;
  readonly outcome: string;
  readonly seconds: number;
  /** Where it leads to; a package has no place of its own. */
  readonly goal?: Readonly<Record<string, string>>;
}

export function graph({ images, tasks, edges }: ReportData): Html {
  const all: readonly Item[] = [
    ...firstOfEach(images).map(({ id, destination, outcome, seconds }) => {
      return { id, name: destination, outcome, seconds, goal: { image: destination } };
    }),
    ...tasks.flatMap(({ id, entry, step, state, ms }) =>
      entry === undefined && isPackageTask(id) ? [{ id, name: step, outcome: state, seconds: ms / 1000 }] : [],
    ),
  ];
  const linked = new Set(edges.flat());
  const together = folded(
    all.filter(({ id }) => linked.has(id)),
    edges,
  );
  const alone = all.filter(({ id, goal }) => !linked.has(id) && goal !== undefined);
  // What was found as it should be has no steps to show.
  const busy = alone
    .filter(({ outcome }) => outcome !== 'unchanged')
    .map((one): Box<Item> => ({ id: one.id, all: [one] }));
  const steps = Map.groupBy(tasks, ({ entry, id }) => entry ?? id);
  if (all.length === 0) return markup`<p class="faint">There was nothing to do.</p>`;
  return markup`<p class="faint">
      A box for each entry and package, with a mark for each of its steps; what it takes stands left of it. Entries that take the same
      and came to the same are one box.
    </p>
    ${legend}
    ${drawing('Graph of entries', together.boxes.slice(0, MAX_BOXES), inColumns(together.boxes.slice(0, MAX_BOXES), together.edges), together.edges, steps)}
    ${left(together.boxes.length)}
    ${alone.length === 0 ? nothing : markup`<p class="faint">${aloneLine(alone.length, busy.length)}</p>`}
    ${drawing('Entries that take nothing of others', busy.slice(0, MAX_BOXES), inRows(busy.slice(0, MAX_BOXES)), [], steps)}
    ${left(busy.length)}`;
}

const legend = markup`<p class="legend">
  ${['ok', 'failed', 'refused', 'skipped'].map((state) => markup`<span class="key"><span class="swatch ${state}"></span>${state}</span>`)}
</p>`;

function aloneLine(alone: number, busy: number): string {
  const quiet = alone - busy;
  return `${counted(alone, 'entry takes', 'entries take')} nothing of others${quiet === 0 ? '' : `; ${quiet} of them unchanged, and not drawn`}.`;
}

function left(count: number): Html {
  return count > MAX_BOXES ? markup`<p class="faint">${count - MAX_BOXES} more are in the table.</p>` : nothing;
}

function inColumns(boxes: readonly Box<Item>[], edges: Edges): ReadonlyMap<string, Place> {
  const columns = levelsOf(
    boxes.map(({ id }) => id),
    edges,
  );
  return new Map(columns.flatMap((ids, column) => ids.map((id, row) => [id, placeAt(column, row, BOX.gapX)] as const)));
}

function inRows(boxes: readonly Box<Item>[]): ReadonlyMap<string, Place> {
  return new Map(
    boxes.map(
      ({ id }, index) => [id, placeAt(index % SIDE_BY_SIDE, Math.floor(index / SIDE_BY_SIDE), BOX.gapY)] as const,
    ),
  );
}

function placeAt(column: number, row: number, gap: number): Place {
  return { x: 10 + column * (BOX.width + gap), y: 10 + row * (BOX.height + BOX.gapY) };
}

function drawing(
  label: string,
  boxes: readonly Box<Item>[],
  place: ReadonlyMap<string, Place>,
  edges: Edges,
  steps: ReadonlyMap<string, readonly TimedTask[]>,
): Html {
  if (boxes.length === 0) return nothing;
  const lines = edges.flatMap(([from, to]) => {
    const [a, b] = [place.get(from), place.get(to)];
    return a === undefined || b === undefined ? [] : [edge(a, b)];
  });
  const places = [...place.values()];
  const width = Math.max(...places.map(({ x }) => x)) + BOX.width + 10;
  const height = Math.max(...places.map(({ y }) => y)) + BOX.height + 10;
  const count = boxes.reduce((sum, { all }) => sum + all.length, 0);
  return markup`<div class="scroll tall drawing" tabindex="0" role="region" aria-label="${label}">
    <svg
      role="group"
      aria-label="${`${label}: ${count}, with ${counted(lines.length, 'edge')} between them`}"
      viewBox="0 0 ${width} ${height}"
      width="${width}"
    >
      ${lines}${boxes.map((one) => box(one, place.get(one.id) ?? { x: 0, y: 0 }, steps.get(one.id) ?? []))}
    </svg>
  </div>`;
}

function edge(a: Place, b: Place): Html {
  const [x1, y1, x2, y2] = [a.x + BOX.width, a.y + BOX.height / 2, b.x, b.y + BOX.height / 2];
  return markup`<path class="edge" d="M${x1} ${y1} C${x1 + 30} ${y1} ${x2 - 30} ${y2} ${x2} ${y2}" />`;
}

function box({ all }: Box<Item>, place: Place, steps: readonly TimedTask[]): Html {
  const [{ id, name, outcome, seconds, goal }] = all;
  if (all.length > 1) {
    const several = shape(
      place,
      outcome,
      `${all.length} ${outcome}`,
      `${name} and ${all.length - 1} more: ${outcome}`,
      nothing,
      '',
    );
    return link(several, { outcome });
  }
  const time = formatSeconds(seconds);
  const marks = steps.slice(0, 12).map((step, index) => stepMark(step, place.x + 12 + index * 11, place.y + 28));
  const title = `${goal === undefined ? id : name}: ${outcome}, ${time}`;
  const one = shape(place, outcome, ending(name, 32), title, markup`${marks}`, `${outcome}, ${time}`);
  return goal === undefined ? one : link(one, goal);
}

/** `remark`: in words what its colour says, for whoever does not see that. */
function shape({ x, y }: Place, outcome: string, text: string, title: string, marks: Html, remark: string): Html {
  return markup`<g
    ><title>${title}</title
    ><rect class="box" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="5" />
    <rect class="${outcome}" x="${x}" y="${y}" width="5" height="${BOX.height}" />
    <text class="mono" x="${x + 12}" y="${y + 18}">${text}</text>
    ${marks}
    <text class="small" x="${x + BOX.width - 6}" y="${y + 38}" text-anchor="end">${remark}</text></g
  >`;
}

function stepMark({ step, state, ms }: TimedTask, x: number, y: number): Html {
  return markup`<rect class="${state}" x="${x}" y="${y}" width="9" height="11" rx="2"
    ><title>${step}: ${state}, ${formatSeconds(ms / 1000)}</title></rect
  >`;
}
