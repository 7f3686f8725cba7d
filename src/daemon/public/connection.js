/**
 * Whether what is shown is live. While a stream of events is lost, the page says so plainly, with the time of the last
 * news, and everything that was live looks old.
 */
import { every, now } from "./clock.js";
import { announce, byId, fill, h, setText } from "./dom.js";
import { duration, timeOfDay } from "./words.js";

/** @type {{ since: number, why: string, retry: () => void } | undefined} */
let lost;

/**
 * @param {number} since when something was heard last, milliseconds since 1970
 * @param {string} why
 * @param {() => void} retry tries at once
 */
export function connectionLost(since, why, retry) {
  const isNew = lost === undefined;
  lost = { since: lost?.since ?? since, why, retry };
  if (isNew) show();
  refresh();
}

export function connectionFound() {
  if (lost === undefined) return;
  lost = undefined;
  announce("Connected again. What is shown is live.");
  show();
}

/** A view that ended takes its loss with it. */
export function connectionUnused() {
  lost = undefined;
  show();
}

/** Whether what was live is old. */
export function isLost() {
  return lost !== undefined;
}

/** @param {AbortSignal} signal */
export function watchConnection(signal) {
  every(1000, signal, refresh);
}

function show() {
  const banner = byId("connection");
  document.body.classList.toggle("is-stale", lost !== undefined);
  banner.hidden = lost === undefined;
  if (lost === undefined) {
    fill(banner);
    return;
  }
  const text = `Connection lost since ${timeOfDay(lost.since)}.`;
  fill(
    banner,
    h(
      "div",
      { class: "frame" },
      h("p", {}, h("strong", {}, text), " What you see is from then. ", h("span", { id: "connection-age" })),
      h("button", { type: "button", onclick: () => lost?.retry() }, "Try now"),
    ),
  );
  announce(`${text} What you see is from then.`);
}

function refresh() {
  if (lost === undefined) return;
  setText(byId("connection-age"), `${capitalised(lost.why)}, for ${duration(now() - lost.since)}. Trying again.`);
}

/** @param {string} text */
function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
