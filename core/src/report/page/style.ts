/** How the report looks: one column on a phone, light or dark as the reader has it, no font and no picture from elsewhere. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f3f5f8; --line: #d3d9e2; --ink: #16202e; --faint: #4d5a6b; --link: #0b57c2;
  --ok: #1a6b3c; --warn: #8a4b00; --bad: #b3261e; --off: #5c6675; --mark: #fff3c4;
  --critical: #8c1d18; --high: #b3261e; --medium: #8a4b00; --low: #3d5a80; --unknown: #5c6675;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10151c; --raised: #1a212b; --line: #364254; --ink: #e8edf4; --faint: #a9b6c6; --link: #8ab8ff;
    --ok: #6fd39a; --warn: #f2b766; --bad: #ff9a92; --off: #a2adbb; --mark: #4a3f12;
    --critical: #ffb4ab; --high: #ff9a92; --medium: #f2b766; --low: #9cc1ee; --unknown: #a2adbb;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 96rem; margin: 0 auto; padding: 0 1rem; }
header p, footer p { overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 1.5rem 0 0.25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.75rem; scroll-margin-top: 1rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
p { margin: 0.25rem 0; }
ul { margin: 0.25rem 0; padding-left: 1.25rem; }
a { color: var(--link); }
code, .mono { font-family: ui-monospace, monospace; font-size: 0.875em; overflow-wrap: anywhere; }
.faint, .path { color: var(--faint); }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--raised); padding: 0.5rem; z-index: 2; }
section { position: relative; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; padding: 0; margin: 0.75rem 0; }
.cards { display: flex; flex-wrap: wrap; gap: 0.5rem; list-style: none; padding: 0; margin: 1rem 0; }
.cards a, .cards li > span { display: block; height: 100%; color: var(--ink); text-decoration: none; background: var(--raised); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.4rem 0.9rem; }
.cards a:hover { border-color: var(--link); }
.cards b { display: block; font-size: 1.4rem; }
.state { font-weight: 600; white-space: nowrap; }
.published, .ok { color: var(--ok); } .failed { color: var(--bad); } .refused { color: var(--warn); }
.skipped, .cancelled, .unchanged, .waiting { color: var(--off); } .running, .unfinished { color: var(--warn); }
.CRITICAL { color: var(--critical); font-weight: 700; } .HIGH { color: var(--high); font-weight: 600; }
.MEDIUM { color: var(--medium); } .LOW { color: var(--low); } .UNKNOWN { color: var(--unknown); }
.attention { list-style: none; padding: 0; }
.attention > li { border: 1px solid var(--line); border-left: 0.3rem solid var(--bad); border-radius: 0.35rem; padding: 0.5rem 0.9rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
.attention > li[data-outcome=refused] { border-left-color: var(--warn); }
summary { cursor: pointer; color: var(--link); }
pre { background: var(--ground); border: 1px solid var(--line); border-radius: 0.35rem; padding: 0.5rem; margin: 0.25rem 0 0.75rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.85rem; }
.log { max-height: 20rem; overflow: auto; display: flex; flex-direction: column-reverse; }
.tools { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end; margin: 0.5rem 0; }
label { display: grid; gap: 0.2rem; font-size: 0.875rem; color: var(--faint); }
input, select, button { font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--line); border-radius: 0.35rem; padding: 0.35rem 0.6rem; max-width: 100%; }
input[type=search] { width: 17rem; }
button { cursor: pointer; background: var(--raised); }
.chip { border-color: var(--link); overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline-offset: -3px; }
.tall { max-height: 85vh; overflow: auto; border: 1px solid var(--line); border-radius: 0.35rem; }
.drawing { background: var(--raised); }
.list { max-height: 24rem; overflow: auto; border: 1px solid var(--line); border-radius: 0.35rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; align-items: start; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
caption { text-align: left; color: var(--faint); padding: 0.35rem 0.6rem; }
th, td { text-align: left; padding: 0.35rem 0.6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody th { overflow-wrap: anywhere; font-weight: 400; }
.columns tbody th { overflow-wrap: break-word; min-width: 5rem; } .columns td { overflow-wrap: anywhere; } .columns td.number { white-space: nowrap; overflow-wrap: normal; }
.sub { display: block; color: var(--faint); font-size: 0.85rem; }
thead th { background: var(--raised); white-space: nowrap; position: sticky; top: 0; z-index: 1; }
thead th button { border: 0; background: none; padding: 0; font-weight: 600; white-space: normal; text-align: inherit; }
th[aria-sort=ascending] button::after { content: ' ↑'; } th[aria-sort=descending] button::after { content: ' ↓'; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number, td .sub, td code, td .mono { white-space: nowrap; overflow-wrap: normal; }
tr[hidden] { display: none; }
.why { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; color: var(--faint); font-size: 0.85rem; }
#images { min-width: 68rem; } #images th[scope=row] { width: 30%; } #images thead th { white-space: normal; }
#vulnerabilities { min-width: 55rem; } #vulnerabilities th[scope=row] { width: 32%; }
dialog { color: var(--ink); background: var(--ground); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0; width: min(76rem, 96vw); max-height: 94vh; overflow: auto; }
dialog::backdrop { background: rgb(0 0 0 / 0.5); }
.bar { position: sticky; top: 0; z-index: 2; display: flex; gap: 1rem; justify-content: space-between; align-items: center; background: var(--raised); border-bottom: 1px solid var(--line); padding: 0.5rem 1rem; }
.bar h2 { margin: 0; overflow-wrap: anywhere; } .bar h2:focus { outline: none; }
#detail-body { padding: 0 1rem 1rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: fit-content(40%) minmax(0, 1fr); gap: 0.2rem 1rem; margin: 0.5rem 0; } dt { color: var(--faint); } dd { margin: 0; } dt, dd { overflow-wrap: anywhere; }
.new { background: var(--mark); }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; font-size: 0.875rem; color: var(--faint); margin: 0.5rem 0; }
.key { display: inline-flex; gap: 0.35rem; align-items: center; } .swatch { width: 0.8rem; height: 0.8rem; border-radius: 2px; background: currentColor; }
.swatch.critical { outline: 2px solid var(--ink); }
svg { display: block; height: auto; background: var(--raised); }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg text.mono { font: 11.5px ui-monospace, monospace; } svg a text.small { fill: var(--faint); font-size: 11px; text-decoration: none; }
svg .box { fill: var(--ground); stroke: var(--line); } svg .edge { stroke: var(--faint); fill: none; }
svg .axis { stroke: var(--line); } svg a text.mono { text-decoration: underline; text-decoration-color: var(--line); } svg a:hover .box { stroke: var(--link); }
svg .published, svg .ok { fill: var(--ok); } svg .failed { fill: var(--bad); } svg .refused { fill: var(--warn); }
svg .skipped, svg .cancelled, svg .unchanged, svg .waiting { fill: var(--off); } svg .running, svg .unfinished { fill: var(--warn); }
svg .critical { stroke: var(--ink); stroke-width: 2; }
@media (max-width: 46rem), print and (max-width: 62rem) {
  input[type=search] { width: 100%; } .tools label { flex: 1 1 40%; }
  #images, #vulnerabilities { min-width: 0; }
  #vulnerabilities thead, .list thead { position: absolute; left: -100rem; }
  #images, #images caption, #images thead, #images tbody { display: block; } #images thead tr { border: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0.35rem 0.5rem; background: var(--raised); }
  #images thead th { position: static; border: 0; padding: 0; }
  .list table, .list caption, .list tbody { display: block; } .list td:empty { display: none; }
  .list tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; border-bottom: 1px solid var(--line); padding: 0.5rem; }
  .list td { border: 0; padding: 0.1rem 0; overflow-wrap: anywhere; min-width: 0; } .list td .mono { white-space: normal; overflow-wrap: anywhere; }
  .list td:first-child, .list td[data-label=Title], .list td[data-label='Package URL'], .list td[data-label=Signer], .list td[data-label=Referrer] { grid-column: 1 / -1; }
  .list td::before { content: attr(data-label) ': '; color: var(--faint); }
  #images tbody tr:not([hidden]), #vulnerabilities tr:not([hidden]) { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; border-bottom: 1px solid var(--line); padding: 0.5rem; }
  #images td, #images th[scope=row], #vulnerabilities td, #vulnerabilities th[scope=row] { border: 0; padding: 0.1rem 0; text-align: left; white-space: normal; width: auto; }
  #images th[scope=row], #vulnerabilities th[scope=row], #images td[data-label=Digest], #vulnerabilities td[data-label=Images], #vulnerabilities td[data-label=Packages] { grid-column: 1 / -1; }
  #images td::before, #vulnerabilities td::before { content: attr(data-label) ': '; color: var(--faint); }
  .sub { display: inline; margin-left: 0.4rem; } [data-label=Image] .sub, [data-label=Digest] .sub { display: block; margin: 0; }
  dialog { width: 100vw; max-width: 100vw; max-height: 100vh; height: 100vh; border: 0; border-radius: 0; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.4rem; }
}
@media print {
  nav, .tools, .skip { display: none; }
  body { font-size: 9pt; } .tall, .list { max-height: none; overflow: visible; border: 0; } #images, #vulnerabilities { min-width: 0; }
  details::details-content { display: block; content-visibility: visible; } .log { max-height: none; } thead th { position: static; } tr, .attention > li { break-inside: avoid; } .why { display: block; } svg { max-width: 100%; }
  td.number, td .sub, td code, td .mono { white-space: normal; }
}
`;
