/**
 * The report: one HTML file that asks for nothing from anywhere. What must be seen stands in the HTML; details of an image are
 * drawn by a small script from the data in the page. Pure.
 */
import { createHash } from 'node:crypto';
import { counted, formatSeconds } from '../wording.ts';
import { attention } from './attention.ts';
import { cards } from './cards.ts';
import { canUndo, isPlain, sameAs, undoOf, type Command } from './commands.ts';
import { dayOf, type ReportData } from './data.ts';
import { canRestore, deletionCounts, deletionList, restoreOf } from './deletions.ts';
import { graph } from './graph.ts';
import { embedded, markup, nothing, raw, type Html } from './html.ts';
import { imageTable } from './image-table.ts';
import { packed } from './packed.ts';
import { skip } from './parts.ts';
import { seen } from './seen.ts';
import { script } from './script.ts';
import { style } from './style.ts';
import { timeline } from './time.ts';
import type { ReportOutcome } from './unfinished.ts';
import { vulnerabilityTable } from './vulnerability-table.ts';

export function reportPage(found: ReportData): string {
  const data = seen(found);
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta
http-equiv="Content-Security-Policy"
content="default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-${sha256(style)}'; script-src 'sha256-${sha256(script)}'"
/>
<title>Slipway ${data.command} ${data.run}</title>
<style>${raw(style)}</style>
</head>
<body>
<a class="skip" href="#images-heading">Skip to the images</a>
<header>
<h1>${headline(data)}</h1>
<p class="faint">
slipway ${data.command} · run <span class="mono">${data.run}</span> · ${time(data.started)} · ${took(data)}${exit(data)}
· version ${data.version}
</p>
<nav aria-label="Sections">
<ul>
${data.deletions.length === 0 ? nothing : markup`<li><a href="#deletions-heading">Deleted tags</a></li>`}
<li><a href="#images-heading">Images</a></li>
<li><a href="#vulnerabilities-heading">Vulnerabilities</a></li>
<li><a href="#check-heading">Check or undo</a></li>
<li><a href="#packages-heading">Packages</a></li>
<li><a href="#graph-heading">Graph</a></li>
<li><a href="#timeline-heading">Timeline</a></li>
</ul>
</nav>
</header>
<main>
${data.images.length === 0 && data.deletions.length > 0 ? nothing : cards(data)}
${attention(data)}
${deletionList(data.deletions)}
${imageTable(data.images, dayOf(data))}
${vulnerabilityTable(data.vulnerabilities, data.images)}
<section aria-labelledby="check-heading">
<h2 id="check-heading">Check this run, or undo it</h2>
${commandList(data)}
</section>
<section aria-labelledby="packages-heading">
<h2 id="packages-heading">Packages</h2>
${skip('graph', 'the graph')}
<div id="packages"><p class="faint">They are drawn by a script, which does not run here; run.json has them.</p></div>
</section>
<section aria-labelledby="graph-heading">
<h2 id="graph-heading">Graph</h2>
${skip('timeline', 'the timeline')}
${graph(data)}
</section>
<section aria-labelledby="timeline-heading">
<h2 id="timeline-heading">Timeline</h2>
${timeline(data)}
</section>
</main>
<dialog id="detail" aria-labelledby="detail-heading">
<div class="bar"><h2 id="detail-heading" tabindex="-1"></h2> <button id="detail-close" type="button">Close</button></div>
<div id="detail-body"></div>
</dialog>
<footer>
<p class="faint">
Made from the journal of the run, ${data.run}.ndjson, which also has all that the tools wrote. The same data is in run.json, a trace
for ui.perfetto.dev in trace.json.
</p>
</footer>
<script type="application/json" id="data">${embedded(packed(data))}</script>
<script>${raw(script)}</script>
</body>
</html> `;
  return page.html;
}

/** What is said of the outcomes that are not as they should be, the worst first. */
const WORDS: readonly (readonly [ReportOutcome, string])[] = [
  ['failed', 'failed'],
  ['refused', 'refused by the policy'],
  ['unfinished', 'did not end'],
  ['cancelled', 'cancelled'],
  ['skipped', 'skipped'],
];

/** A journal alone does not say which. */
const NO_END = 'the run has no end yet, or was killed';

function headline({ exitCode, counts, images, deletions }: ReportData): string {
  if (images.length === 0 && deletions.length > 0) {
    const how = exitCode === null ? `${NO_END}, ` : exitCode === 130 ? 'interrupted, ' : '';
    return `${counted(deletions.length, 'tag')}: ${how}${deletionCounts(deletions)}`;
  }
  const total = counted(images.length, 'image');
  const bad = WORDS.flatMap(([outcome, words]) => {
    const count = counts[outcome] ?? 0;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  const all = bad.length === 0 ? '' : `, ${bad.join(', ')}`;
  if (exitCode === null) return `${total}: ${NO_END}${all}`;
  if (exitCode === 130) return `${total}: interrupted${all}`;
  // What was skipped may be well so, or not: the exit code knows.
  if (exitCode === 0) return `${total}: all as they should be${all}`;
  return `${total}: ${bad.length === 0 ? `ended with exit code ${exitCode}` : bad.join(', ')}`;
}

function exit({ exitCode }: ReportData): string {
  return exitCode === null ? '' : ` · exit code ${exitCode}`;
}

function took({ seconds }: ReportData): string {
  return seconds === null ? 'no end' : formatSeconds(seconds);
}

function time(ms: number): Html {
  const text = new Date(ms).toISOString();
  return markup`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** Of the run as a whole; each image has its own. */
function commandList(data: ReportData): Html {
  if (!isPlain(data.asked)) return nothing;
  const same = sameAs(data.asked);
  const all: readonly Command[] = [
    {
      what: 'Check every image as a consumer would: signature, SBOM, scan, provenance',
      command: `slipway verify${same}`,
    },
    { what: 'Say what would be done now, and why', command: `slipway why --resolve${same}` },
    ...(canUndo(data, data.images) ? [undoOf(data)] : []),
    ...(canRestore(data.run, data.deletions) ? [restoreOf(data)] : []),
  ];
  return markup`${all.map(({ what, command }) => markup`<p>${what}</p><pre>${command}</pre>`)}
    <p class="faint">An image, once opened, has its own commands, also those of cosign.</p>`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
