/** What can be done to a job: buttons for those who may, and a word why for those who may not. */
import { ask, may } from "./api.js";
import { confirmed } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { problemOf } from "./pieces.js";
import { jobTitle, printable } from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {"pause" | "resume" | "cancel"} Verb
 */

/** @type {Readonly<Record<JobView["state"], readonly Verb[]>>} */
const VERBS = {
  queued: ["cancel"],
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  held: ["resume", "cancel"],
  finished: [],
  failed: [],
  cancelled: [],
};

/** @type {readonly (readonly [Verb, string])[]} */
const BUTTONS = [
  ["pause", "Pause"],
  ["resume", "Resume"],
  ["cancel", "Cancel job…"],
];

/** @type {Readonly<Record<JobView["kind"], string>>} */
const LIKE = { plan: "plan", apply: "plan", verify: "verification", drill: "drill" };

export class JobActions {
  #job;
  #context;
  #onChange;
  /** @type {Map<Verb, HTMLButtonElement>} */
  #buttons;
  #why = h("p", { class: "note" });
  #trouble = h("div");
  #like = h("a", { class: "button" });

  /**
   * @param {JobView} job
   * @param {import("./app.js").ViewContext} context
   * @param {(job: JobView) => void} onChange
   */
  constructor(job, context, onChange) {
    this.#job = job;
    this.#context = context;
    this.#onChange = onChange;
    this.#buttons = new Map(
      BUTTONS.map(([verb, text]) => [
        verb,
        h(
          "button",
          { type: "button", class: verb === "cancel" ? "danger" : "", onclick: () => void this.#do(verb) },
          text,
        ),
      ]),
    );
    this.#like.href = `#/new/${job.kind === "verify" || job.kind === "drill" ? job.kind : "restore"}?like=${job.id}`;
    fill(this.#like, `New ${LIKE[job.kind]} like this`);
    this.element = h(
      "div",
      {},
      h("div", { class: "actions" }, ...this.#buttons.values(), this.#like),
      this.#why,
      this.#trouble,
    );
  }

  /** @param {JobView} job */
  show(job) {
    this.#job = job;
    const { who } = this.#context;
    const isAllowed = may(who, "restore");
    const mayResume = job.deletes !== true || may(who, "destroy");
    const verbs = VERBS[job.state].filter((verb) => verb !== "resume" || mayResume);
    const had = [...this.#buttons.values()].some((button) => button === document.activeElement);
    for (const [verb, button] of this.#buttons) button.hidden = !isAllowed || !verbs.includes(verb);
    this.#like.hidden = !isAllowed;
    const isKept = isAllowed && !mayResume && VERBS[job.state].includes("resume");
    this.#why.hidden = isAllowed ? !isKept : verbs.length === 0;
    fill(
      this.#why,
      isAllowed
        ? `This job deletes: to resume it takes a token that may delete, and ${printable(who.name)} may not.`
        : `You look on: the token ${printable(who.name)} may read. To pause, resume or cancel takes one that may restore.`,
    );
    // The button that had the focus may be gone; its place is taken by another.
    if (had && document.activeElement?.closest("[hidden]") != null)
      [...this.#buttons.values()].find(({ hidden }) => !hidden)?.focus();
    if (had && document.activeElement === document.body)
      [...this.#buttons.values()].find(({ hidden }) => !hidden)?.focus();
  }

  /** @param {Verb} verb */
  async #do(verb) {
    if (verb === "cancel" && !(await confirmed(cancelQuestion(this.#job)))) return;
    fill(this.#trouble);
    this.#setBusy(true);
    try {
      this.#onChange(await ask(`/v1/jobs/${this.#job.id}/${verb}`, { method: "POST" }));
    } catch (error) {
      fill(this.#trouble, problemOf(error, `The job could not be asked to ${verb === "cancel" ? "end" : verb}`));
    } finally {
      this.#setBusy(false);
    }
  }

  /** Stays in the tab order: a disabled button would lose the focus. @param {boolean} isBusy */
  #setBusy(isBusy) {
    for (const button of this.#buttons.values()) button.setAttribute("aria-disabled", String(isBusy));
  }
}

/** @param {JobView} job */
function cancelQuestion(job) {
  const writes = job.kind === "apply" && job.state !== "queued";
  return {
    title: "Cancel this job?",
    text: [
      jobTitle(job),
      writes
        ? "It ends where it is. What it has written stays on the target; the rest is not restored. It cannot be resumed afterwards: to stop it for a while, pause it."
        : "It ends where it is, and cannot be resumed afterwards.",
    ],
    yes: "Cancel the job",
    no: "Let it go on",
  };
}
