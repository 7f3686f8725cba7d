/** What a drill's page has beyond a report's. */
import { Markup } from "./markup.js";

export const DRILL_STYLE = new Markup(`
:root { --dynamodb: #3d7fc1; --s3: #b8741a; --redis: #c8373f; --sqs: #2f8f5b; --past: #9aa3b5; }
@media (prefers-color-scheme: dark) {
  :root { --dynamodb: #62a0e0; --s3: #e0a04b; --redis: #ec6f78; --sqs: #4bb57c; --past: #6d778a; }
}
.lead { font-size: 1rem; font-weight: 400; white-space: pre-line; }
i.dynamodb { background: var(--dynamodb); } i.s3 { background: var(--s3); } i.redis { background: var(--redis); } i.sqs { background: var(--sqs); }
svg .line { fill: none; stroke-width: 3; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
svg .line.dynamodb { stroke: var(--dynamodb); } svg .line.s3 { stroke: var(--s3); stroke-dasharray: 9 4; }
svg .line.redis { stroke: var(--redis); stroke-dasharray: 3 3; } svg .line.sqs { stroke: var(--sqs); stroke-dasharray: 14 4 3 4; }
figure.framed { display: grid; grid-template-columns: max-content 1fr; gap: 0 .6rem; margin: .5rem 0 0; }
figure.framed svg { display: block; width: 100%; height: 12rem; overflow: visible; }
.levels { display: flex; flex-direction: column; justify-content: space-between; height: 12rem; color: var(--soft); font-size: .85rem; text-align: right; }
.past { list-style: none; padding: 0; margin: .5rem 0; }
.past li { display: grid; grid-template-columns: 6.5rem 1fr 13rem; gap: .75rem; align-items: center; margin: .3rem 0; }
.past .now { font-weight: 600; }
.past .when { white-space: nowrap; font-variant-numeric: tabular-nums; color: var(--soft); } .past .now .when { color: var(--ink); }
.past .track { position: relative; display: block; height: 1.1rem; }
.past .fill { display: block; height: 100%; border-radius: .2rem; background: var(--past); min-width: 3px; }
.past .fill.failed, .past .fill.incomplete { background: var(--rejected); }
.past .now .fill.passed { background: var(--restored); }
.past .limit { position: absolute; top: -.25rem; bottom: -.25rem; width: 0; border-left: 2px dashed var(--failed); }
.past .took { font-variant-numeric: tabular-nums; } .past small { color: var(--soft); font-weight: 400; margin-left: .5rem; }
.mark { font-weight: 600; white-space: nowrap; } .mark.ok { color: var(--good-ink); } .mark.no { color: var(--stop-ink); } .mark.open { color: var(--soft); }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem; margin: .4rem 0 0; overflow-x: auto; font-size: .85rem; max-height: 16rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 34rem) {
  .past li { grid-template-columns: 6rem 1fr; } .past .took { grid-column: 1 / -1; margin-top: -.2rem; }
  figure.framed svg, .levels { height: 9rem; }
}
`);
