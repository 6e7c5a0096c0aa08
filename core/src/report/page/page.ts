/**
 * The report: one HTML file that asks for nothing from anywhere. What must be seen stands in the HTML; details of an image are
 * drawn by a small script from the data in the page. Pure.
 */
import { createHash } from 'node:crypto';
import { client } from './client.ts';
import type { ReportData, ReportImage, ReportVulnerability } from './data.ts';
import { graph, timeline } from './drawing.ts';
import { embedded, markup, nothing, raw, type Html } from './html.ts';
import { style } from './style.ts';
import { formatBytes, formatDigest, formatFindings, formatSeconds } from '../wording.ts';

/** Rows of the list of vulnerabilities; a search in the browser goes over all that are there. */
const MAX_VULNERABILITIES = 2000;

export function reportPage(data: ReportData): string {
  // Types are gone from it when it runs; what is left is the script, word for word.
  const script = `(${client.toString()})(document);`;
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta
http-equiv="Content-Security-Policy"
content="default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; script-src 'sha256-${sha256(script)}'"
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
<li><a href="#graph-heading">Graph</a></li>
<li><a href="#timeline-heading">Timeline</a></li>
</ul>
</nav>
</header>
<main>
${cards(data)}
${data.warnings.map((warning) => markup`<p><span class="running">Warning:</span> ${warning}</p>`)}
${images(data)}
<section id="detail" hidden tabindex="-1" aria-labelledby="detail-heading"></section>
${vulnerabilities(data.vulnerabilities)}
<section aria-labelledby="graph-heading">
<h2 id="graph-heading">Graph</h2>
${graph(data)}
</section>
<section aria-labelledby="timeline-heading">
<h2 id="timeline-heading">Timeline</h2>
${timeline(data)}
</section>
</main>
<footer>
<p class="faint">
Made from the run’s journal. The same data is in run.json, a trace for ui.perfetto.dev in trace.json.
</p>
</footer>
<script type="application/json" id="data">${embedded({ images: data.images, tasks: data.tasks })}</script>
<script>${raw(script)}</script>
</body>
</html> `;
  return page.html;
}

function headline({ exitCode, counts, images }: ReportData): string {
  const total = `${images.length} ${images.length === 1 ? 'image' : 'images'}`;
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

function cards({ counts, vulnerabilities: found, images: all }: ReportData): Html {
  const severe = found.filter(({ severity }) => severity === 'CRITICAL' || severity === 'HIGH').length;
  const fresh = new Set(all.flatMap(({ news }) => news?.new ?? [])).size;
  const gone = new Set(all.flatMap(({ news }) => news?.gone ?? [])).size;
  return markup`<ul class="cards">
    ${Object.entries(counts).map(([outcome, count]) => markup`<li><b class="${outcome}">${count}</b> ${outcome}</li>`)}
    <li><b>${severe}</b> critical or high</li>
    <li><b>+${fresh} −${gone}</b> findings since before</li>
    <li><b>${all.filter(({ signed }) => signed).length}</b> signed</li>
  </ul>`;
}

function images({ images: all }: ReportData): Html {
  return markup`<section aria-labelledby="images-heading">
    <h2 id="images-heading">Images</h2>
    <div class="tools" hidden>
      <label
        >Search <input id="search" type="search" placeholder="name, digest, package, CVE" autocomplete="off"
      /></label>
      <label
        >Outcome
        <select id="outcome">
          <option value="">all</option>
          ${[...new Set(all.map(({ outcome }) => outcome))].map((outcome) => markup`<option>${outcome}</option>`)}
        </select></label
      >
      <p id="found" role="status" class="faint"></p>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of images">
      <table id="images">
        <caption>
          One row for each tag. Open an image for its findings, packages and attestations.
        </caption>
        <thead>
          <tr>
            ${['Image', 'Outcome', 'Digest', 'Change', 'Size', 'Packages', 'Findings', 'Since before', 'Signed', 'Seconds'].map((name) => markup`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${all.map(imageRow)}
        </tbody>
      </table>
    </div>
  </section>`;
}

function imageRow(image: ReportImage, index: number): Html {
  const { destination, outcome, digest, before, size, packages, counts, unscanned, news, signed, seconds } = image;
  const change =
    outcome === 'published'
      ? before === null
        ? 'new'
        : `was ${formatDigest(before)}`
      : (image.failure?.message ?? image.why);
  const since = news === undefined ? '-' : `+${news.new.length} −${news.gone.length}`;
  return markup`<tr data-index="${index}" data-outcome="${outcome}">
    <th scope="row" data-label="Image"><span class="mono">${destination}</span></th>
    <td data-label="Outcome"><span class="state ${outcome}">${outcome}</span></td>
    <td data-label="Digest"><code title="${digest ?? ''}">${formatDigest(digest)}</code></td>
    <td data-label="Change">${change}</td>
    <td class="number" data-label="Size" data-sort="${size ?? -1}">${size === null ? '-' : formatBytes(size)}</td>
    <td class="number" data-label="Packages" data-sort="${packages ?? -1}">${packages ?? '-'}</td>
    <td data-label="Findings" data-sort="${weight(counts)}">${findingsCell(counts, unscanned)}</td>
    <td data-label="Since before">${since}</td>
    <td data-label="Signed">${signed ? 'yes' : 'no'}</td>
    <td class="number" data-label="Seconds" data-sort="${seconds}">${seconds.toFixed(1)}</td>
  </tr>`;
}

function findingsCell(counts: ReportImage['counts'], unscanned: readonly string[] | undefined): Html {
  const severe = counts !== null && counts.CRITICAL + counts.HIGH > 0;
  return markup`<span class="${severe ? 'HIGH' : ''}">${formatFindings(counts, unscanned)}</span>`;
}

/** So that one critical finding outweighs any number of lesser ones. */
function weight(counts: ReportImage['counts']): number {
  if (counts === null) return -1;
  const { CRITICAL, HIGH, MEDIUM, LOW, UNKNOWN } = counts;
  return [CRITICAL, HIGH, MEDIUM, LOW, UNKNOWN].reduce((sum, count) => sum * 1000 + Math.min(count, 999), 0);
}

function vulnerabilities(all: readonly ReportVulnerability[]): Html {
  const more = all.length - MAX_VULNERABILITIES;
  const body =
    all.length === 0
      ? markup`<p>No scan of this run found any.</p>`
      : markup`<div class="scroll" tabindex="0" role="region" aria-label="Table of vulnerabilities">
            <table>
              <caption>
                Each vulnerability once, the most severe and most widespread first.
              </caption>
              <thead>
                <tr>
                  <th scope="col">Id</th>
                  <th scope="col">Severity</th>
                  <th scope="col">Fix</th>
                  <th scope="col">Packages</th>
                  <th scope="col">Images</th>
                </tr>
              </thead>
              <tbody>
                ${all.slice(0, MAX_VULNERABILITIES).map(vulnerabilityRow)}
              </tbody>
            </table>
          </div>
          ${more > 0 ? markup`<p class="faint">${more} more are in run.json.</p>` : nothing}`;
  return markup`<section aria-labelledby="vulnerabilities-heading">
    <h2 id="vulnerabilities-heading">Vulnerabilities</h2>
    ${body}
  </section>`;
}

function vulnerabilityRow({ id, severity, fixed, packages, destinations, title }: ReportVulnerability): Html {
  const named = destinations.slice(0, 5).join(', ');
  const more = destinations.length > 5 ? ` and ${destinations.length - 5} more` : '';
  return markup`<tr>
    <th scope="row">
      <span class="mono">${id}</span>${title === undefined ? nothing : markup`<br /><span class="faint">${title}</span>`}
    </th>
    <td><span class="${severity}">${severity.toLowerCase()}</span></td>
    <td>${fixed ? 'yes' : 'none known'}</td>
    <td>${packages.slice(0, 8).join(', ')}</td>
    <td>${destinations.length}: ${named}${more}</td>
  </tr>`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
