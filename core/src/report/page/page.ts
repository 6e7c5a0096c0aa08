/**
 * The report: one HTML file that asks for nothing from anywhere. What must be seen stands in the HTML; details of an image are
 * drawn by a small script from the data in the page. Pure.
 */
import { createHash } from 'node:crypto';
import { quote } from '../cosign.ts';
import { formatSeconds } from '../wording.ts';
import { attention } from './attention.ts';
import type { Command } from './commands.ts';
import type { ReportData } from './data.ts';
import { graph } from './graph.ts';
import { embedded, markup, raw, type Html } from './html.ts';
import { imageTable, OUTCOMES } from './image-table.ts';
import { packed } from './packed.ts';
import { counted, link } from './parts.ts';
import { script } from './script.ts';
import { style } from './style.ts';
import { timeline } from './time.ts';
import { vulnerabilityTable } from './vulnerability-table.ts';

export function reportPage(data: ReportData): string {
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
slipway ${data.command} · run <span class="mono">${data.run}</span> · ${time(data.started)} · ${took(data)}
· version ${data.version}
</p>
<nav aria-label="Sections">
<ul>
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
${cards(data)}
${attention(data)}
${imageTable(data.images)}
${vulnerabilityTable(data.vulnerabilities)}
<section aria-labelledby="check-heading">
<h2 id="check-heading">Check this run, or undo it</h2>
${commandList(data)}
</section>
<section aria-labelledby="packages-heading">
<h2 id="packages-heading">Packages</h2>
<div id="packages"><p class="faint">They are drawn by a script, which does not run here; run.json has them.</p></div>
</section>
<section aria-labelledby="graph-heading">
<h2 id="graph-heading">Graph</h2>
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

function headline({ exitCode, counts, images }: ReportData): string {
  const total = counted(images.length, 'image');
  if (exitCode === null) return `${total}: the run was killed before its end`;
  const refused = counts.refused ?? 0;
  const failed = (counts.failed ?? 0) + (counts.cancelled ?? 0);
  if (exitCode === 130) return `${total}: interrupted`;
  if (refused + failed === 0) return `${total}: all as they should be`;
  return `${total}: ${[failed > 0 ? `${failed} failed` : '', refused > 0 ? `${refused} refused by the policy` : ''].filter(Boolean).join(', ')}`;
}

function took({ seconds }: ReportData): string {
  return seconds === null ? 'no end' : formatSeconds(seconds);
}

function time(ms: number): Html {
  const text = new Date(ms).toISOString();
  return markup`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** Of the run as a whole; each image has its own. */
function commandList({ run, counts }: ReportData): Html {
  const all: readonly Command[] = [
    { what: 'Check every image as a consumer would: signature, SBOM, scan, provenance', command: 'slipway verify' },
    { what: 'Say what would be done now, and why', command: 'slipway why --resolve' },
    ...((counts.published ?? 0) > 0
      ? [{ what: 'Put back every tag that this run moved', command: `slipway rollback ${quote(run)}` }]
      : []),
  ];
  return markup`${all.map(({ what, command }) => markup`<p>${what}</p><pre>${command}</pre>`)}
    <p class="faint">An image, once opened, has its own commands, also those of cosign.</p>`;
}

/** The answers to what is asked first; each leads to the images that it counts. */
function cards({ counts, vulnerabilities, images }: ReportData): Html {
  const severe = vulnerabilities.filter(({ severity }) => severity === 'CRITICAL' || severity === 'HIGH');
  const withSevere = images.filter(({ counts: found }) => found !== null && found.CRITICAL + found.HIGH > 0);
  const compared = images.some(({ news }) => news !== undefined);
  const fresh = severe.filter((one) => one.new.length > 0).length;
  const gone = severe.filter((one) => one.gone.length > 0).length;
  const open = images.filter(({ outcome }) => outcome === 'published' || outcome === 'unchanged');
  const signed = open.filter((image) => image.signed).length;
  const card = (count: string, className: string, text: string, goal: Readonly<Record<string, string>>): Html =>
    markup`<li>${link(markup`<b class="${className}">${count}</b> ${text}`, goal)}</li>`;
  return markup`<ul class="cards">
    ${OUTCOMES.flatMap((outcome) => {
      const count = counts[outcome];
      return count === undefined ? [] : [card(String(count), outcome, outcome, { outcome })];
    })}
    ${card(String(withSevere.length), withSevere.length > 0 ? 'HIGH' : 'ok', 'have critical or high findings', { findings: 'severe' })}
    ${
      compared
        ? card(`+${fresh} −${gone}`, fresh > 0 ? 'HIGH' : 'ok', 'critical or high since before', {
            findings: fresh > 0 ? 'new-severe' : 'gone',
          })
        : markup`<li><span><b>-</b> no earlier scan to compare with</span></li>`
    }
    ${card(`${signed} of ${open.length}`, signed === open.length ? 'ok' : 'HIGH', 'public images signed', { signed: signed === open.length ? 'signed' : 'unsigned' })}
  </ul>`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
