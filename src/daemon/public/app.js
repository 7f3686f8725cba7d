/** The page: who looks at it, which view the address names, and what is around the views. */
import { ask, forgetToken, hasToken, keepToken, onTokenWanted } from "./api.js";
import { connectionUnused, watchConnection } from "./connection.js";
import { askedToken } from "./dialogs.js";
import { byId, fill, h } from "./dom.js";
import { jobView } from "./job-view.js";
import { jobsView } from "./jobs-view.js";
import { newView } from "./new-view.js";
import { problemOf } from "./pieces.js";
import { schedulesView, scheduleView } from "./schedules-view.js";
import { printable } from "./words.js";

/**
 * @typedef {object} ViewContext
 * @property {HTMLElement} root what the view fills
 * @property {readonly string[]} parameters parts of the address behind the view's own
 * @property {URLSearchParams} query
 * @property {AbortSignal} signal aborts when another view follows
 * @property {import("./api.js").Who} who
 * @property {(hash: string) => void} go to another view
 *
 * @typedef {(context: ViewContext) => { title: string } | Promise<{ title: string }>} View it may throw once it is aborted
 */

const NAME = "elastickv-restore";

/** @type {readonly (readonly [pattern: RegExp, view: View])[]} */
const ROUTES = [
  [/^\/jobs$/, jobsView],
  [/^\/jobs\/([^/]+)$/, jobView],
  [/^\/new(?:\/([^/]+))?$/, newView],
  [/^\/schedules$/, schedulesView],
  [/^\/schedules\/([^/]+)$/, scheduleView],
];

/** @type {AbortController | undefined} */
let current;
/** @type {import("./api.js").Who | undefined} */
let who;

function start() {
  onTokenWanted(async (why) => {
    keepToken(await askedToken(why));
    // Another token is another person, who may do other things.
    who = undefined;
  });
  window.addEventListener("hashchange", () => void show());
  byId("forget").addEventListener("click", () => {
    forgetToken();
    location.reload();
  });
  byId("skip").addEventListener("click", (event) => {
    // The address names the view.
    event.preventDefault();
    byId("main").focus();
  });
  watchConnection(new AbortController().signal);
  void show();
}

/** @param {string} hash */
function go(hash) {
  location.hash = hash;
}

async function show() {
  current?.abort();
  connectionUnused();
  const own = new AbortController();
  current = own;
  const [path = "", query = ""] = location.hash.replace(/^#/, "").split("?");
  const address = path === "" || path === "/" ? "/jobs" : path;
  const root = h("div");
  fill(byId("main"), root);
  markCurrent(address);
  try {
    const client = await whoIsThere(own.signal);
    const { title } = await viewOf(address)({
      root,
      ...named(address),
      query: new URLSearchParams(query),
      signal: own.signal,
      who: client,
      go,
    });
    if (own.signal.aborted) return;
    document.title = `${title} · ${NAME}`;
  } catch (error) {
    if (own.signal.aborted) return;
    document.title = NAME;
    fill(
      root,
      h("h1", { tabindex: "-1" }, "Not to be shown"),
      problemOf(error),
      h("button", { type: "button", onclick: () => void show() }, "Try again"),
    );
  }
  // Whoever reads or types here already is not led away.
  if (document.activeElement === document.body || document.activeElement?.closest("nav") != null)
    root.querySelector("h1")?.focus();
}

/** @param {string} address @returns {View} */
function viewOf(address) {
  return ROUTES.find(([pattern]) => pattern.test(address))?.[1] ?? unknownView;
}

/** @param {string} address */
function named(address) {
  const [, ...found] = ROUTES.map(([pattern]) => pattern.exec(address)).find((match) => match !== null) ?? [];
  return { parameters: found.filter((each) => each !== undefined).map(decodeURIComponent) };
}

/** @type {View} */
function unknownView({ root }) {
  fill(root, h("h1", { tabindex: "-1" }, "There is nothing here"), h("p", {}, h("a", { href: "#/jobs" }, "All jobs")));
  return { title: "Nothing here" };
}

/** @param {AbortSignal} signal */
async function whoIsThere(signal) {
  who ??= /** @type {import("./api.js").Who} */ (await ask("/v1/whoami", { signal }));
  const roles = { read: "may read", restore: "may restore", destroy: "may restore and delete" };
  fill(byId("who"), h("bdi", {}, printable(who.name)), ` · ${roles[who.role]}`);
  byId("forget").hidden = !hasToken();
  return who;
}

/** @param {string} address */
function markCurrent(address) {
  for (const link of document.querySelectorAll("header nav a")) {
    const isCurrent = address.startsWith(`/${(link.getAttribute("href") ?? "").split("/")[1]}`);
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

start();
