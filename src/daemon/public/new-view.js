/** A new restore, comparison or drill: what of which dump goes where, and how, in the order in which one thinks of it. */
import { ask, may, newKey } from "./api.js";
import { fill, h, setText } from "./dom.js";
import { JobForm } from "./job-form.js";
import { problemOf } from "./pieces.js";
import { printable } from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {import("../schema/http.js").dumpsSchema} dumpsSchema
 * @typedef {import("./app.js").ViewContext} ViewContext
 * @typedef {"restore" | "verify" | "drill"} Wanted
 */

/** @type {Readonly<Record<Wanted, { title: string, lead: string, button: string }>>} */
const WORDS = {
  restore: {
    title: "New restore",
    lead: "This makes a plan first, and writes nothing. You see what would happen before you decide.",
    button: "Make the plan",
  },
  verify: {
    title: "New verification",
    lead: "Checks that a dump is whole, or compares a target with it, record by record. Nothing is changed.",
    button: "Verify",
  },
  drill: {
    title: "New drill",
    lead: "Restores a dump into servers of its own (or beside what a target holds), proves it, measures it and cleans up.",
    button: "Begin the drill",
  },
};

/**
 * @param {ViewContext} context
 * @returns {Promise<{ title: string }>}
 */
export async function newView({ root, parameters, query, signal, who, go }) {
  const wanted = isWanted(parameters[0]) ? parameters[0] : "restore";
  const words = WORDS[wanted];
  const kinds = /** @type {Wanted[]} */ (Object.keys(WORDS)).map((kind) =>
    h(
      "li",
      {},
      h("a", { href: `#/new/${kind}`, "aria-current": kind === wanted ? "page" : undefined }, WORDS[kind].title),
    ),
  );
  const body = h("div", {}, h("p", { class: "note" }, "Loading…"));
  fill(
    root,
    h("h1", { tabindex: "-1" }, words.title),
    h("nav", { "aria-label": "What is new" }, h("ul", { class: "tabs" }, kinds)),
    h("p", {}, words.lead),
    body,
  );
  if (!may(who, "restore")) {
    fill(
      body,
      h(
        "p",
        { class: "notice" },
        `You look on: the token ${printable(who.name)} may read. This takes a token that may restore.`,
      ),
    );
    return { title: words.title };
  }
  try {
    const [{ dumps, unreadable }, { targets }, like] = await Promise.all([
      /** @type {Promise<import("./job-form.js").Dumps>} */ (ask("/v1/dumps", { signal })),
      /** @type {Promise<{ targets: import("./job-form.js").Targets }>} */ (ask("/v1/targets", { signal })),
      likeJob(query.get("like"), signal),
    ]);
    const form = new JobForm(wanted, { dumps, unreadable, targets, like });
    fill(body, formElement(form, words.button, go));
  } catch (error) {
    signal.throwIfAborted();
    fill(body, problemOf(error, "Dumps and targets cannot be shown"));
  }
  return { title: words.title };
}

/** @param {string | undefined} text @returns {text is Wanted} */
function isWanted(text) {
  return text !== undefined && Object.hasOwn(WORDS, text);
}

/**
 * The job whose dump, target and options are the first choice.
 * @param {string | null} id
 * @param {AbortSignal} signal
 * @returns {Promise<JobView | undefined>}
 */
async function likeJob(id, signal) {
  return id === null ? undefined : await ask(`/v1/jobs/${encodeURIComponent(id)}`, { signal });
}

/**
 * @param {JobForm} form
 * @param {string} text
 * @param {(hash: string) => void} go
 */
function formElement(form, text, go) {
  const trouble = h("div");
  const summary = h("p", { class: "summary", id: "summary" });
  const button = h("button", { type: "submit", class: "primary strong", "aria-describedby": "summary" }, text);
  let key = newKey();
  let isSending = false;
  const tell = () => setText(summary, form.inWords());
  const send = async () => {
    if (isSending) return;
    isSending = true;
    fill(trouble);
    try {
      /** @type {JobView} */
      const { id } = await ask("/v1/jobs", {
        method: "POST",
        body: form.request(),
        headers: { "idempotency-key": key },
      });
      go(`#/jobs/${id}`);
    } catch (error) {
      fill(trouble, problemOf(error, "It was not begun"));
    } finally {
      isSending = false;
    }
  };
  const element = h(
    "form",
    {
      class: "steps",
      oninput: () => {
        // Another request is another job.
        key = newKey();
        tell();
      },
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void send();
      },
    },
    form.elements(),
    h("section", { class: "last" }, summary, trouble, button),
  );
  tell();
  return element;
}
