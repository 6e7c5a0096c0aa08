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
header, main, footer { max-width: 90rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 1.5rem 0 0.25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.5rem; }
p { margin: 0.25rem 0; }
a { color: var(--link); }
code, .mono { font-family: ui-monospace, monospace; font-size: 0.875em; overflow-wrap: anywhere; }
.faint { color: var(--faint); }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--raised); padding: 0.5rem; z-index: 2; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; padding: 0; margin: 0.75rem 0; }
.cards { display: flex; flex-wrap: wrap; gap: 0.75rem; list-style: none; padding: 0; margin: 1rem 0; }
.cards li { background: var(--raised); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem 1rem; min-width: 7rem; }
.cards b { display: block; font-size: 1.5rem; }
.state { font-weight: 600; white-space: nowrap; }
.published, .ok { color: var(--ok); } .refused, .failed { color: var(--bad); }
.skipped, .cancelled, .unchanged { color: var(--off); } .running { color: var(--warn); }
.CRITICAL { color: var(--critical); font-weight: 700; } .HIGH { color: var(--high); font-weight: 600; }
.MEDIUM { color: var(--medium); } .LOW { color: var(--low); } .UNKNOWN { color: var(--unknown); }
.tools { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end; margin: 0.5rem 0; }
label { display: grid; gap: 0.2rem; font-size: 0.875rem; color: var(--faint); }
input, select, button { font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--line); border-radius: 0.35rem; padding: 0.35rem 0.6rem; }
button { cursor: pointer; background: var(--raised); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--faint); padding: 0.25rem 0; }
th, td { text-align: left; padding: 0.4rem 0.6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { background: var(--raised); white-space: nowrap; position: sticky; top: 0; }
th button { border: 0; background: none; padding: 0; font-weight: 600; }
td code, td .mono, td.number { white-space: nowrap; overflow-wrap: normal; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
tr[hidden] { display: none; }
th[scope=row] button, td button { text-align: left; border: 0; background: none; color: var(--link); padding: 0; text-decoration: underline; overflow-wrap: anywhere; }
#detail { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0 1rem 1rem; margin: 1rem 0; background: var(--raised); }
#detail pre { background: var(--ground); border: 1px solid var(--line); border-radius: 0.35rem; padding: 0.5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
#detail .list { max-height: 24rem; overflow: auto; }
.new { background: var(--mark); }
svg { display: block; height: auto; background: var(--raised); border: 1px solid var(--line); border-radius: 0.5rem; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .box { fill: var(--ground); stroke: var(--line); } svg .edge { stroke: var(--faint); fill: none; }
svg .axis { stroke: var(--line); }
svg .published, svg .ok { fill: var(--ok); } svg .refused, svg .failed { fill: var(--bad); }
svg .skipped, svg .cancelled, svg .unchanged { fill: var(--off); } svg .running { fill: var(--warn); }
svg .critical { stroke: var(--ink); stroke-width: 2; }
@media (max-width: 46rem) {
  #images thead { position: absolute; left: -100rem; }
  #images tr { display: block; border: 1px solid var(--line); border-radius: 0.5rem; margin: 0.5rem 0; padding: 0.25rem 0.5rem; }
  #images td, #images th[scope=row] { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: 0.2rem 0; text-align: right; background: none; white-space: normal; position: static; }
  #images td::before, #images th[scope=row]::before { content: attr(data-label); color: var(--faint); text-align: left; font-weight: 400; }
}
@media print { nav, .tools, #detail { display: none; } }
`;
