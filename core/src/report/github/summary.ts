/** A run on the summary page of its job: the final table, and the graph of entries as mermaid. Pure: rows in, markdown out. */
import type { Outcome, Row } from '../../journal/events.ts';
import { MERMAID } from '../../plan/draw.ts';
import { formatCounts } from '../table.ts';
import { headline } from '../failure.ts';
import { endOfLifeLine } from '../ended.ts';
import { firstOfEach, folded, heldUp } from '../fold.ts';
import { waivedBesides, waiversLine, waiversOf } from '../waivers.ts';
import { clean, counted, cut, formatBytes, formatDigest, formatFindings } from '../wording.ts';

export interface SummaryInput {
  readonly run: string;
  readonly command: string;
  readonly rows: readonly Row[];
  /** Entry ids: what goes before, what needs it. */
  readonly edges: readonly (readonly [string, string])[];
  readonly seconds: number;
  /** Of the run, `2026-11-25`, UTC: by it waivers end soon. */
  readonly day: string;
  /** Bytes that may be written: GitHub takes 1 MiB of a step. */
  readonly limit: number;
}

/** More boxes are no picture any more. */
const MAX_BOXES = 200;
/** Characters of what is said of a row. */
const MAX_REMARK = 300;
/** Waivers that end soon, of which each is named. */
const MAX_WAIVERS = 3;
/** What is worth reading first. */
const ORDER: readonly Outcome[] = ['refused', 'failed', 'cancelled', 'skipped', 'published', 'unchanged'];

const COLOURS: Readonly<Record<Outcome, string>> = {
  published: 'fill:#d7f5dd,stroke:#1a7f37,color:#0b2e13',
  unchanged: 'fill:#eef1f4,stroke:#8c959f,color:#24292f',
  refused: 'fill:#fff1cc,stroke:#9a6700,color:#3b2300',
  failed: 'fill:#ffdcd8,stroke:#cf222e,color:#4c0b10',
  skipped: 'fill:#f6f8fa,stroke:#8c959f,color:#57606a,stroke-dasharray:4',
  cancelled: 'fill:#f6f8fa,stroke:#8c959f,color:#57606a,stroke-dasharray:4',
};

/** Never longer than `limit`: the graph goes first, then rows from the end, and both are said. */
export function jobSummary(input: SummaryInput): string {
  const { rows, command, run, seconds, limit } = input;
  const head = `## slipway ${command}\n\n${formatCounts(rows, seconds)} · run ${literal(run)}\n\n${waivedLine(input)}${endedLine(rows)}`;
  const table = `| destination | outcome | digest | size | packages | findings | signed | what changed |\n| --- | --- | --- | ---: | ---: | --- | --- | --- |\n`;
  const graph = graphOf(input);
  const lines = rows.toSorted((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome)).map(rowLine);
  const whole = `${head}${table}${lines.join('')}${graph}`;
  if (bytes(whole) <= limit) return whole;
  const note = (left: number): string => {
    const what = [...(graph === '' ? [] : ['the graph']), ...(left === 0 ? [] : [counted(left, 'more row')])].join(
      ' and ',
    );
    const are = left === 0 || (left === 1 && graph === '') ? 'is' : 'are';
    return `\nLeft out ${are} ${what}: GitHub shows 1 MiB of a summary. The log has all rows.\n`;
  };
  let used = bytes(head) + bytes(table) + bytes(note(lines.length));
  const fitting = lines.findIndex((line) => (used += bytes(line)) > limit);
  const shown = fitting < 0 ? lines.length : fitting;
  const fitted = `${head}${table}${lines.slice(0, shown).join('')}${note(lines.length - shown)}`;
  return bytes(fitted) <= limit ? fitted : '';
}

/** Each is named in the report; here those that end first. */
function waivedLine({ rows, day }: SummaryInput): string {
  const all = waiversOf(rows, day);
  const soon = all.filter((one) => one.soon);
  const named = soon.slice(0, MAX_WAIVERS).map(({ id, expires }) => `${id} on ${expires}`);
  if (soon.length > MAX_WAIVERS) named.push(`${soon.length - MAX_WAIVERS} more`);
  const line = [waiversLine(all), ...(named.length === 0 ? [] : [named.join(', ')])].join(': ');
  return line === '' ? '' : `${literal(line)}\n\n`;
}

function endedLine(rows: readonly Row[]): string {
  const line = endOfLifeLine(rows);
  return line === '' ? '' : `${literal(line)}\n\n`;
}

function rowLine(row: Row): string {
  const cells = [
    literal(row.destination),
    row.outcome,
    row.digest === null ? '-' : `<code>${literal(formatDigest(row.digest))}</code>`,
    row.size === null ? '-' : formatBytes(row.size),
    row.packages === null ? '-' : String(row.packages),
    literal(formatFindings(row)),
    row.signed ? 'yes' : 'no',
    literal(
      [changeOf(row), waivedBesides(row.failure)]
        .filter((text) => text !== '')
        .map((text) => cut(text, MAX_REMARK))
        .join('; '),
    ),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

function changeOf(row: Row): string {
  if (row.outcome === 'published') return row.before === null ? 'new' : `was ${formatDigest(row.before)}`;
  return row.failure === undefined ? row.why : headline(row.failure);
}

/**
 * Text that markdown and HTML take for nothing but text: whatever could mean something is a numeric character reference, and
 * those may not be used as markup (https://github.github.com/gfm/#entity-and-numeric-character-references).
 */
function literal(text: string): string {
  const line = clean(text).replaceAll(/\s+/gu, ' ');
  return line.replaceAll(/[^\p{L}\p{N} /-]/gu, (sign) => `&#${sign.codePointAt(0) ?? 0xfffd};`);
}

/** https://mermaid.js.org/syntax/flowchart.html; ids are numbers, because names may hold anything. */
function graphOf({ rows, edges }: SummaryInput): string {
  const entries = firstOfEach(rows);
  const linked = new Set(edges.flat());
  // What has no edge says nothing in a graph; it is in the table.
  const all = entries.filter(({ id }) => linked.has(id));
  if (all.length === 0) return '';
  const whole = mermaid(all, edges);
  if (whole !== undefined) return whole;
  const held = heldUp(all, edges);
  const part = held.length === 0 ? undefined : mermaid(held, edges);
  const size = `The graph has ${all.length} entries and ${edges.length} edges, more than can be drawn here`;
  const more = '`slipway plan --format dot` prints it, for Graphviz';
  return part === undefined
    ? `\n${size}: ${more}.\n`
    : `\n${size}: what failed or was refused, with what it holds up. ${more}.\n${part}`;
}

/** Undefined where GitHub would not draw it, and where it would be no picture. */
function mermaid(entries: readonly Row[], edges: SummaryInput['edges']): string | undefined {
  const drawing = folded(entries, edges);
  const ids = new Map(drawing.boxes.map(({ id }, index) => [id, `e${index}`]));
  const drawn = drawing.edges.map(([from, to]) => `  ${ids.get(from)} --> ${ids.get(to)}`);
  const used = new Set(drawing.boxes.map(({ all: [{ outcome }] }) => outcome));
  const text = [
    'flowchart LR',
    ...drawing.boxes.map(({ id, all }) => {
      const [{ destination, outcome }] = all;
      return `  ${ids.get(id)}["${all.length > 1 ? `${all.length} ${outcome}` : label(destination)}"]:::${outcome}`;
    }),
    ...drawn,
    ...ORDER.filter((outcome) => used.has(outcome)).map((outcome) => `  classDef ${outcome} ${COLOURS[outcome]}`),
  ].join('\n');
  const fits = drawing.boxes.length <= MAX_BOXES && drawn.length <= MERMAID.edges && text.length <= MERMAID.text;
  return fits ? `\n\`\`\`mermaid\n${text}\n\`\`\`\n` : undefined;
}

/** Mermaid's own character references; without a backtick none can end the block. */
function label(text: string): string {
  return clean(text)
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/[^\p{L}\p{N} ./:@_-]/gu, (sign) => `#${sign.codePointAt(0) ?? 0xfffd};`);
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
