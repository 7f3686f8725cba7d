/** The look of a report as HTML: light and dark, from a phone's width on. Nothing is loaded from anywhere. */
import { Markup } from "./markup.js";

export const STYLE = new Markup(`
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d1f24; --soft: #5c6270; --line: #dfdcd5;
  --restored: #2f8f5b; --existing: #3d7fc1; --expired: #8a93a5; --empty: #b3b9c6;
  --rejected: #d9822b; --failed: #c8373f; --ambiguous: #8b4fbf; --not-reached: #d6d3cc;
  --good: #e4f3ea; --good-ink: #1f6b42; --bad: #fbe9e4; --bad-ink: #9a3412; --stop: #f6e3e4; --stop-ink: #98222a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171b; --card: #1e2127; --ink: #e8e8ea; --soft: #a2a8b6; --line: #353a44;
    --restored: #4bb57c; --existing: #62a0e0; --expired: #7d8698; --empty: #59606f;
    --rejected: #e79a4b; --failed: #e5606a; --ambiguous: #b083e0; --not-reached: #434853;
    --good: #1b3527; --good-ink: #a6e3c0; --bad: #3d2a1a; --bad-ink: #f6c79a; --stop: #40211f; --stop-ink: #f5b3ae;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0 0 .75rem; letter-spacing: .02em; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
p { margin: .4rem 0; }
.verdict { padding: 1.1rem 1.25rem; border-radius: .6rem; font-size: 1.3rem; line-height: 1.4; font-weight: 600; }
.verdict p { font-size: 1rem; font-weight: 400; margin: .5rem 0 0; overflow-wrap: anywhere; }
.good { background: var(--good); color: var(--good-ink); }
.bad { background: var(--bad); color: var(--bad-ink); }
.stop { background: var(--stop); color: var(--stop-ink); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin-top: 1rem; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.45rem; font-variant-numeric: tabular-nums; line-height: 1.25; }
.tile span { color: var(--soft); font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
th, td { text-align: left; padding: .5rem .8rem; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.key, td.place { overflow-wrap: anywhere; min-width: 9rem; max-width: 22rem; font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .87rem; }
td.why { min-width: 12rem; overflow-wrap: anywhere; }
.scope { margin: 0 0 1rem; }
.scope .name { display: flex; flex-wrap: wrap; gap: .2rem 1rem; justify-content: space-between; overflow-wrap: anywhere; }
.scope .name span { color: var(--soft); font-size: .9rem; }
.bar { display: flex; height: .85rem; border-radius: .3rem; overflow: hidden; background: var(--line); margin-top: .2rem; }
.bar i { display: block; min-width: 3px; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; color: var(--soft); font-size: .9rem; margin: 0 0 1rem; padding: 0; list-style: none; }
.legend i { display: inline-block; width: .75rem; height: .75rem; border-radius: .2rem; margin-right: .4rem; }
.restored { background: var(--restored); } .skipped-existing { background: var(--existing); }
.skipped-expired { background: var(--expired); } .skipped-empty { background: var(--empty); }
.rejected { background: var(--rejected); } .failed { background: var(--failed); }
.ambiguous { background: var(--ambiguous); } .not-reached { background: var(--not-reached); }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .9rem; }
.axis { display: flex; justify-content: space-between; color: var(--soft); font-size: .85rem; }
svg { display: block; width: 100%; height: 11rem; overflow: visible; margin: .3rem 0; }
svg * { vector-effect: non-scaling-stroke; } svg .grid { stroke: var(--line); }
svg .area { fill: var(--restored); opacity: .18; } svg .curve { fill: none; stroke: var(--restored); stroke-width: 2; }
.note { color: var(--soft); font-size: .9rem; }
ul { padding-left: 1.2rem; margin: .4rem 0; } li { overflow-wrap: anywhere; margin: .2rem 0; }
@media (max-width: 34rem) {
  .verdict { font-size: 1.12rem; } .tile b { font-size: 1.2rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
}
@media print { body { background: none; } .wide { overflow: visible; } }
`);
