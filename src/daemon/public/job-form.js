/** The fields of a new job, and what is made of them. */
import { fill, h, setText } from "./dom.js";
import { MODES, optionsInWords, TTL_POLICIES } from "./options-words.js";
import { field, select } from "./pieces.js";
import { ago, dumpName, instant, printable } from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {import("./new-view.js").Wanted} Wanted
 * @typedef {"dynamodb" | "s3" | "redis" | "sqs"} Adapter
 * @typedef {{ root: string, path: string, takenAt: string, adapters: readonly Adapter[] }} Dump
 * @typedef {{ dumps: readonly Dump[], unreadable: readonly { root: string, why: string }[] }} Dumps
 * @typedef {readonly { name: string, adapters: readonly Adapter[] }[]} Targets
 * @typedef {Dumps & { targets: Targets, like: JobView | undefined }} Choices
 * @typedef {Record<string, unknown>} Options
 */

/** @type {readonly Adapter[]} */
const ADAPTERS = ["dynamodb", "s3", "redis", "sqs"];

export class JobForm {
  #wanted;
  #choices;
  /** @type {Options} */
  #like;
  /** Of its options, those that no field asks for: they stay as they are. @type {Options} */
  #taken;
  #root;
  #dump = select("dump", []);
  #target;
  #adapters = h("div", { class: "choices" });
  #adapterHelp = h("p", { class: "help" });
  #dumpFacts = h("p", { class: "help" });
  #scopes;
  #include;
  #exclude;
  #rename;
  #modes;
  #ttl;
  #sample;
  #isChecksums = h("input", { type: "checkbox", id: "checksums" });
  #maxRto;
  #maxRpo;
  #assertions;
  #isVerified = h("input", { type: "checkbox", id: "consistent" });

  /**
   * @param {Wanted} wanted
   * @param {Choices} choices
   */
  constructor(wanted, choices) {
    this.#wanted = wanted;
    this.#choices = choices;
    const { dumps, like, targets } = choices;
    this.#like = /** @type {Options} */ (like?.options ?? {});
    this.#taken = like !== undefined && wantedLike(like) === wanted ? unasked(wanted, this.#like) : {};
    const roots = [...new Set(dumps.map(({ root }) => root))];
    this.#root = select(
      "root",
      roots.map((root) => [root, root]),
      like?.dump.root,
    );
    const none = wanted === "verify" ? "none: check the dump alone" : "none: servers of its own";
    this.#target = select(
      "target",
      [
        ...(wanted === "restore" ? [] : [/** @type {const} */ (["", none])]),
        ...targets.map(({ name, adapters }) => /** @type {const} */ ([name, `${name} (${adapters.join(", ")})`])),
      ],
      like?.target,
    );
    this.#scopes = this.#lines("scopes");
    this.#include = this.#lines("include");
    this.#exclude = this.#lines("exclude");
    this.#rename = this.#lines("rename");
    this.#modes = this.#modeChoices();
    this.#ttl = select(
      "ttl",
      [
        [
          "",
          wanted === "drill"
            ? "usual for drills: the time that was left is left again"
            : `usual: ${TTL_POLICIES[0]?.[1]}`,
        ],
        ...TTL_POLICIES,
      ],
      this.#text("ttlPolicy"),
    );
    this.#sample = this.#word("sample");
    this.#maxRto = this.#word("maxRto");
    this.#maxRpo = this.#word("maxRpo");
    this.#assertions = this.#word("assertions");
    this.#isChecksums.checked = this.#like["checksums"] === true;
    this.#isVerified.checked = this.#like["requireConsistent"] === true;
    this.#showDumps();
    this.#root.addEventListener("change", () => this.#showDumps());
    for (const each of [this.#dump, this.#target]) each.addEventListener("change", () => this.#showAdapters());
  }

  /** The steps, numbered. */
  elements() {
    const { dumps, unreadable } = this.#choices;
    const isRestore = this.#wanted === "restore";
    const troubled = unreadable.map(({ root, why }) => h("li", {}, `${printable(root)}: ${printable(why)}`));
    return [
      step(
        "1. Dump",
        dumps.length === 0 ? h("p", { class: "notice warn" }, "There are no dumps below the configured roots.") : null,
        h("div", { class: "columns uneven" }, field("Root", this.#root), field("Dump, the newest first", this.#dump)),
        this.#dumpFacts,
        troubled.length === 0
          ? null
          : h("details", {}, h("summary", {}, "Some folders cannot be read"), h("ul", {}, troubled)),
      ),
      step(
        "2. Target",
        field(
          "Where to",
          this.#target,
          isRestore
            ? "Targets are named in the daemon's configuration; their endpoints are known to it alone."
            : undefined,
        ),
      ),
      step(
        "3. What of it",
        h("fieldset", { class: "bare" }, h("legend", {}, "Adapters"), this.#adapters),
        this.#adapterHelp,
        this.#narrowing(),
      ),
      step("4. How", isRestore || this.#wanted === "verify" ? this.#modes : null, this.#howMore()),
    ];
  }

  #narrowing() {
    const isOpen = ["scopes", "include", "exclude", "rename"].some((name) => this.#like[name] !== undefined);
    return h(
      "details",
      { open: isOpen },
      h("summary", {}, "Only some scopes or keys, or under other names"),
      field("Only these scopes", this.#scopes, "One a line: dynamodb=orders,users or redis=0"),
      field("Only keys like", this.#include, "One pattern a line, with * and ?"),
      field("Not the keys like", this.#exclude, "One pattern a line"),
      this.#wanted === "drill"
        ? null
        : field("Under other names", this.#rename, "One a line: dynamodb:orders=orders_copy, s3:*=dr-*"),
    );
  }

  #howMore() {
    if (this.#wanted === "restore") {
      return [
        field("Keys with an expiry", this.#ttl),
        choice(this.#isVerified, "Refuse a dump that is not one moment of the whole cluster"),
      ];
    }
    if (this.#wanted === "verify") {
      return [
        field("Compare only a sample", this.#sample, "A share such as 5%; empty: every record"),
        choice(this.#isChecksums, "Without a target: stop after manifest, digests and metadata"),
      ];
    }
    return [
      field("Keys with an expiry", this.#ttl),
      field("The longest that the restore may take", this.#maxRto, "30m, 2h; empty: no objective"),
      field("The oldest that the dump may be", this.#maxRpo, "24h, 7d; empty: no objective"),
      field("Assertions", this.#assertions, "The configuration's name for a file of assertions; empty: none"),
    ];
  }

  /** The body of the request. */
  request() {
    const { root, path } = this.#chosenDump() ?? { root: this.#root.value, path: "" };
    const kind = this.#kind();
    const target = this.#target.value;
    return { kind, dump: { root, path }, ...(target === "" ? {} : { target }), options: this.#options() };
  }

  inWords() {
    const dump = this.#chosenDump();
    if (dump === undefined) return "No dump is chosen.";
    const target = this.#target.value;
    const verb = { restore: "Restore", verify: target === "" ? "Check" : "Compare", drill: "Drill with" }[this.#wanted];
    const where = target === "" ? "" : ` ${this.#wanted === "verify" ? "with" : "into"} ${printable(target)}`;
    const how = optionsInWords(this.#kind(), /** @type {JobView["options"]} */ (this.#options()));
    return `${verb} ${dumpName(dump)}${where}. ${how.map((text) => text.replace(/\.?$/, ".")).join(" ")}`;
  }

  /** @returns {JobView["kind"]} */
  #kind() {
    return this.#wanted === "restore" ? "plan" : this.#wanted;
  }

  /** @returns {Options} */
  #options() {
    const boxes = [...this.#adapters.querySelectorAll("input")];
    const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
    const lists = { scopes: linesOf(this.#scopes), include: linesOf(this.#include), exclude: linesOf(this.#exclude) };
    return present({
      ...this.#taken,
      adapters: chosen.length === boxes.length ? undefined : chosen,
      ...lists,
      ...(this.#wanted === "drill"
        ? { maxRto: this.#maxRto.value, maxRpo: this.#maxRpo.value, assertions: this.#assertions.value }
        : { rename: linesOf(this.#rename), mode: this.#mode() }),
      ...(this.#wanted === "verify"
        ? { sample: this.#sample.value.replaceAll(" ", ""), checksums: this.#isChecksums.checked }
        : { ttlPolicy: this.#ttl.value }),
      ...(this.#wanted === "restore" ? { requireConsistent: this.#isVerified.checked } : {}),
    });
  }

  /** @returns {Dump | undefined} */
  #chosenDump() {
    return this.#choices.dumps.find(({ root, path }) => root === this.#root.value && path === this.#dump.value);
  }

  #showDumps() {
    const { dumps, like } = this.#choices;
    const here = dumps.filter(({ root }) => root === this.#root.value);
    fill(
      this.#dump,
      here.map((dump) => h("option", { value: dump.path, selected: dump.path === like?.dump.path }, dumpText(dump))),
    );
    this.#showAdapters();
  }

  /** Adapters that the dump holds; those that the target lacks cannot be chosen. */
  #showAdapters() {
    const dump = this.#chosenDump();
    const target = this.#choices.targets.find(({ name }) => name === this.#target.value);
    const held = ADAPTERS.filter((adapter) => dump?.adapters.includes(adapter));
    const wanted = this.#like["adapters"];
    setText(this.#dumpFacts, dumpFacts(dump));
    const missing = held.filter((adapter) => target !== undefined && !target.adapters.includes(adapter));
    fill(
      this.#adapters,
      held.map((adapter) => {
        const isMissing = missing.includes(adapter);
        const isChosen = !isMissing && (!Array.isArray(wanted) || wanted.includes(adapter));
        return choice(
          h("input", {
            type: "checkbox",
            id: `adapter-${adapter}`,
            value: adapter,
            checked: isChosen,
            disabled: isMissing,
          }),
          adapter,
        );
      }),
    );
    this.#adapterHelp.hidden = missing.length === 0;
    fill(this.#adapterHelp, `The target has no endpoint for ${missing.join(", ")}: that part of the dump is left out.`);
  }

  #modeChoices() {
    const chosen = this.#text("mode") ?? "";
    const radios = MODES.map(([mode, name, meaning]) =>
      h(
        "label",
        { class: mode === "replace" ? "option deleting" : "option" },
        h("input", { type: "radio", name: "mode", value: mode, checked: mode === chosen }),
        h(
          "span",
          {},
          h("strong", {}, name),
          " ",
          h("span", {}, this.#wanted === "verify" ? VERIFY_MODES[mode] : meaning),
        ),
      ),
    );
    const title =
      this.#wanted === "verify" ? "How it was restored (with a target)" : "What stands on the target already";
    return h("fieldset", { class: "bare" }, h("legend", {}, title), radios);
  }

  #mode() {
    const checked = this.#modes.querySelector("input:checked");
    return checked instanceof HTMLInputElement ? checked.value : "";
  }

  /** @param {string} name */
  #text(name) {
    const value = this.#like[name];
    return typeof value === "string" ? value : undefined;
  }

  /** @param {string} name */
  #word(name) {
    return h("input", { id: name, value: this.#text(name) ?? "", autocomplete: "off", spellcheck: "false" });
  }

  /** @param {string} name */
  #lines(name) {
    const value = this.#like[name];
    return h("textarea", { id: name, rows: "3", spellcheck: "false" }, Array.isArray(value) ? value.join("\n") : "");
  }
}

/** Asked for by a field, or not to be begun from here. @type {Readonly<Record<Wanted, readonly string[]>>} */
const ASKED = {
  restore: ["adapters", "scopes", "include", "exclude", "rename", "mode", "ttlPolicy", "requireConsistent", "verify"],
  verify: ["adapters", "scopes", "include", "exclude", "rename", "mode", "sample", "checksums", "repair"],
  drill: ["adapters", "scopes", "include", "exclude", "ttlPolicy", "maxRto", "maxRpo", "assertions"],
};

/**
 * @param {JobView} job
 * @returns {Wanted}
 */
function wantedLike({ kind }) {
  return kind === "verify" || kind === "drill" ? kind : "restore";
}

/**
 * @param {Wanted} wanted
 * @param {Options} options
 */
function unasked(wanted, options) {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !ASKED[wanted].includes(name)));
}

/** @type {Readonly<Record<string, string>>} */
const VERIFY_MODES = {
  "": "The target should hold exactly the dump.",
  "skip-existing": "The target may hold more than the dump.",
  merge: "The target may hold more than the dump.",
  replace: "The target should hold exactly the dump.",
};

/** @param {Dump} dump */
function dumpText({ path, takenAt }) {
  return `${printable(path === "" ? "the root itself" : path)}${isTime(takenAt) ? ` (${ago(takenAt)})` : ""}`;
}

/** @param {Dump | undefined} dump */
function dumpFacts(dump) {
  if (dump === undefined) return "";
  const { takenAt, adapters } = dump;
  const time = isTime(takenAt) ? `${instant(new Date(takenAt).toISOString())}, ${ago(takenAt)}` : printable(takenAt);
  return `Taken ${time}. It holds ${adapters.join(", ")}.`;
}

/** @param {string} text */
function isTime(text) {
  return !Number.isNaN(Date.parse(text));
}

/**
 * @param {string} title
 * @param {...import("./dom.js").Child} children
 */
function step(title, ...children) {
  return h("section", { class: "step" }, h("h2", {}, title), children.flat());
}

/**
 * @param {HTMLInputElement} box
 * @param {string} text
 */
function choice(box, text) {
  return h("label", { class: "choice" }, box, h("span", {}, text));
}

/** @param {HTMLTextAreaElement} area */
function linesOf(area) {
  return area.value
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Without what was left empty. @param {Options} options */
function present(options) {
  return Object.fromEntries(
    Object.entries(options).filter(
      ([, value]) =>
        value !== undefined && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  );
}
