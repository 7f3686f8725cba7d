/** Limits of a job, changed while it runs. */
import { ask, may } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { field, problemOf } from "./pieces.js";
import { printable } from "./words.js";

/** @typedef {import("../schema/job.js").JobView} JobView */

const CAN_CHANGE = new Set(["queued", "running", "paused", "held"]);

export class LimitsForm {
  #job;
  #rate;
  #concurrency;
  #now = h("p");
  #trouble = h("div");
  #form;

  /**
   * @param {JobView} job
   * @param {import("./app.js").ViewContext} context
   * @param {(job: JobView) => void} onChange
   */
  constructor(job, { who }, onChange) {
    this.#job = job;
    this.#rate = h("input", {
      id: "rate-limit",
      value: job.limits.rateLimit ?? "",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.#concurrency = h("input", {
      id: "concurrency",
      value: job.limits.concurrency ?? "",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.#form = h(
      "form",
      {
        hidden: !may(who, "restore"),
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          void this.#send(onChange);
        },
      },
      h(
        "div",
        { class: "columns" },
        field("Rate limit", this.#rate, "5000ops/s for all, or dynamodb=500ops/s,s3=50MiB/s; none: no limit"),
        field("Concurrency", this.#concurrency, "batches at once in each scope: 8, or dynamodb=8,s3=4"),
      ),
      this.#trouble,
      h("button", { type: "submit" }, "Change limits"),
    );
    this.element = h("section", {}, h("h2", {}, "Limits"), this.#now, this.#form);
  }

  /** @param {JobView} job */
  show(job) {
    this.#job = job;
    const { rateLimit, concurrency } = job.limits;
    this.element.hidden = !CAN_CHANGE.has(job.state);
    fill(
      this.#now,
      `Now: ${rateLimit === undefined || rateLimit === "none" ? "no rate limit" : printable(rateLimit)}, ${concurrency === undefined ? "usual concurrency" : `concurrency ${printable(concurrency)}`}`,
    );
  }

  /** @param {(job: JobView) => void} onChange */
  async #send(onChange) {
    fill(this.#trouble);
    const [rateLimit, concurrency] = [this.#rate.value.trim(), this.#concurrency.value.trim()];
    const body = { ...(rateLimit === "" ? {} : { rateLimit }), ...(concurrency === "" ? {} : { concurrency }) };
    try {
      onChange(await ask(`/v1/jobs/${this.#job.id}/limits`, { method: "PATCH", body }));
      announce("The new limits hold.");
    } catch (error) {
      fill(this.#trouble, problemOf(error, "The limits stay as they are"));
    }
  }
}
