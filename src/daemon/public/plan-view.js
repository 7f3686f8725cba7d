/** A plan: what would be deleted first and plainest, then what becomes of each scope, and how to carry it out. */
import { ask, may, newKey, withQuery } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { MODES } from "./options-words.js";
import { facts, problem, problemOf, section, sentences, table, tiles } from "./pieces.js";
import { bytes, count, duration, instant, OUTCOMES, plural, printable } from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {import("../../run/plan/plan-schema.js").Plan} Plan
 * @typedef {Plan["scopes"][number]} PlannedScope
 * @typedef {{ plan: Plan, deletes: readonly string[], confirm?: string }} PlanAnswer
 * @typedef {import("./app.js").ViewContext} ViewContext
 */

/** @type {Readonly<Record<PlannedScope["decision"], string>>} */
const ACTION = { create: "create", keep: "write into", empty: "EMPTY FIRST", refuse: "refused", skip: "skip whole" };

/** @type {Readonly<Record<PlannedScope["presence"], string>>} */
const PRESENCE = { absent: "absent", empty: "empty", "holds-records": "holds records" };

const SAMPLES = 5;

/**
 * @param {JobView} job
 * @param {ViewContext} context
 */
export function planSection(job, context) {
  const body = h("div", {}, h("p", { class: "note" }, "Loading the plan…"));
  void load(job, context, body);
  return body;
}

/**
 * @param {JobView} job
 * @param {ViewContext} context
 * @param {HTMLElement} body
 */
async function load(job, context, body) {
  const { signal } = context;
  try {
    /** @type {PlanAnswer} */
    const answer = await ask(`/v1/jobs/${job.id}/plan`, { signal });
    const done = await carriedOut(job.id, signal);
    fill(
      body,
      deletions(answer),
      planTiles(answer.plan),
      ...decisionPart(job, answer, done, context),
      ...detailParts(answer.plan),
    );
  } catch (error) {
    if (!signal.aborted) fill(body, problemOf(error, "The plan cannot be shown"));
  }
}

/**
 * The job that carries it out already.
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<JobView | undefined>}
 */
async function carriedOut(id, signal) {
  /** @type {{ jobs: readonly JobView[] }} */
  const { jobs } = await ask(withQuery("/v1/jobs", { kind: "apply", limit: 200 }), { signal });
  return jobs.find(({ plan }) => plan === id);
}

/** @param {PlanAnswer} answer */
function deletions({ deletes }) {
  if (deletes.length === 0) {
    return h(
      "div",
      { class: "notice good" },
      h("p", {}, h("strong", {}, "Nothing is deleted"), " by carrying out this plan."),
    );
  }
  return h(
    "div",
    { class: "notice deletes" },
    h("h2", {}, `This DELETES, in ${plural(deletes.length, "scope")}`),
    sentences(deletes),
  );
}

/** @param {Plan} plan */
function planTiles({ toWrite, alreadyEqual, scopes, expected, totals, notReached }) {
  const created = scopes.filter(({ decision }) => decision === "create").length;
  const emptied = scopes.filter(({ decision }) => decision === "empty").length;
  const conflicts = scopes.reduce((sum, scope) => sum + scope.conflicts.count, 0);
  const skipped = totals["skipped-existing"] + totals["skipped-expired"] + totals["skipped-empty"];
  return tiles([
    [count(toWrite.records), `records to write, ${bytes(toWrite.bytes)}`],
    [expected.seconds === undefined ? "not known" : duration(expected.seconds * 1000), "expected time"],
    [count(scopes.length), `scopes: ${created} created, ${emptied} emptied`, emptied > 0 ? "bad" : "calm"],
    ...(alreadyEqual > 0 ? [/** @type {const} */ ([count(alreadyEqual), "there already"])] : []),
    ...(skipped > 0 ? [/** @type {const} */ ([count(skipped), "skipped"])] : []),
    ...(totals.rejected > 0 ? [/** @type {const} */ ([count(totals.rejected), "would be rejected", "warn"])] : []),
    ...(conflicts > 0 ? [/** @type {const} */ ([count(conflicts), "conflict with what stands there", "warn"])] : []),
    ...(notReached > 0 ? [/** @type {const} */ ([count(notReached), "in scopes that would be refused", "warn"])] : []),
  ]);
}

/**
 * @param {JobView} job
 * @param {PlanAnswer} answer
 * @param {JobView | undefined} done
 * @param {ViewContext} context
 */
function decisionPart(job, answer, done, context) {
  const { who } = context;
  const { refusal } = answer.plan;
  if (done !== undefined) {
    return [
      h(
        "p",
        { class: "notice" },
        "This plan was carried out: ",
        h("a", { href: `#/jobs/${done.id}` }, "the restore ", h("code", {}, done.id)),
      ),
    ];
  }
  if (refusal !== undefined) return [problem("It cannot be carried out as it is", refusal)];
  if (!may(who, "restore")) return [refused(who.name, "restore")];
  if (answer.deletes.length > 0 && answer.confirm === undefined) return [refused(who.name, "delete")];
  return [section("Carry it out", confirmForm(job, answer, context))];
}

/**
 * @param {string} name
 * @param {string} what
 */
function refused(name, what) {
  const needed = what === "delete" ? "destroy" : "restore";
  return h(
    "p",
    { class: "notice" },
    `You cannot carry this out: the token ${printable(name)} may not ${what}. `,
    `Send this page's address to somebody whose token has the role ${needed}.`,
  );
}

/**
 * @param {JobView} job
 * @param {PlanAnswer} answer
 * @param {ViewContext} context
 */
function confirmForm(job, { plan, deletes, confirm }, context) {
  const trouble = h("div");
  const isDeleting = deletes.length > 0;
  const target = job.target ?? "";
  const button = h(
    "button",
    { type: "submit", class: isDeleting ? "danger strong" : "primary" },
    isDeleting ? "Delete and restore" : "Restore now",
  );
  const typed = h("input", { id: "confirm", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const isConfirmed = () => !isDeleting || typed.value.trim() === target;
  const show = () => {
    button.disabled = !isConfirmed();
  };
  typed.addEventListener("input", show);
  show();
  const key = newKey();
  const send = async () => {
    fill(trouble);
    button.disabled = true;
    announce("Starting the restore");
    try {
      const body = { kind: "apply", plan: job.id, ...(confirm === undefined ? {} : { confirm }) };
      /** @type {JobView} */
      const { id } = await ask("/v1/jobs", { method: "POST", body, headers: { "idempotency-key": key } });
      context.go(`#/jobs/${id}`);
    } catch (error) {
      fill(trouble, problemOf(error, "The restore was not begun"));
      show();
    }
  };
  return h(
    "form",
    {
      class: isDeleting ? "notice deletes" : "notice",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        if (isConfirmed()) void send();
      },
    },
    h(
      "p",
      {},
      `${plural(plan.toWrite.records, "record")} (${bytes(plan.toWrite.bytes)}) are written into `,
      h("strong", {}, h("bdi", {}, printable(target))),
      ".",
    ),
    isDeleting
      ? h(
          "div",
          { class: "field" },
          h(
            "label",
            { for: "confirm" },
            "To delete what is listed above, type the target's name: ",
            h("strong", {}, h("bdi", {}, printable(target))),
          ),
          typed,
        )
      : null,
    trouble,
    button,
  );
}

/** @param {Plan} plan */
function detailParts(plan) {
  const { dump, mode, targets, scopes, warnings, madeAt } = plan;
  const [, name = mode, meaning = ""] = MODES.find(([known]) => known === (mode === "none" ? "" : mode)) ?? [];
  const warned = [
    ...warnings,
    ...scopes.flatMap((scope) => scope.warnings.map((text) => `${labelOf(scope)}: ${text}`)),
  ];
  return [
    section("Scopes", scopeTable(plan)),
    ...conflictPart(scopes),
    warned.length === 0 ? null : section("Warnings of the plan", sentences(warned)),
    section(
      "What it was made from",
      facts([
        ["Made", instant(madeAt)],
        [
          "Dump taken",
          `${printable(dump.takenAt)} (${printable(dump.phase)}), ${plural(dump.files, "file")}, ${bytes(dump.bytes)}`,
        ],
        ["Mode", `${name}. ${meaning}`],
        ...targets.map(
          (target) =>
            /** @type {const} */ ([target.adapter, `${printable(target.endpoint)} ${printable(target.server)}`]),
        ),
        ["Time", timeWords(plan)],
      ]),
    ),
  ];
}

/** @param {PlannedScope} scope */
function labelOf({ adapter, scope, target }) {
  const label = `${adapter}: ${printable(scope)}`;
  return scope === target ? label : `${label} → ${printable(target)}`;
}

/**
 * @typedef {Pick<PlannedScope, "recordsRead" | "toWrite" | "alreadyEqual" | "outcomes" | "notReached">} Sums
 * @type {readonly (readonly [name: string, of: (sums: Sums) => number])[]}
 */
const COLUMNS = [
  ["records", ({ recordsRead }) => recordsRead],
  ["to write", ({ toWrite }) => toWrite.records],
  ["there already", ({ alreadyEqual }) => alreadyEqual],
  ...OUTCOMES.filter(([kind]) => kind !== "restored").map(
    ([kind, name]) => /** @type {const} */ ([name, (/** @type {Sums} */ { outcomes }) => outcomes[kind]]),
  ),
  ["not planned", ({ notReached }) => notReached],
];

/** Scopes that lose something come first; columns that are zero everywhere are left out. @param {Plan} plan */
function scopeTable(plan) {
  const all = { ...plan, outcomes: plan.totals };
  const used = COLUMNS.filter(([, of], at) => at < 2 || of(all) > 0);
  const order = ["empty", "refuse", "skip", "keep", "create"];
  const sorted = [...plan.scopes].sort((a, b) => order.indexOf(a.decision) - order.indexOf(b.decision));
  return table(
    "Scopes of the plan",
    [
      ["scope"],
      ["action"],
      ["on the target"],
      ["holds", "number"],
      ...used.map(([name]) => /** @type {const} */ ([name, "number"])),
      ["size", "number"],
    ],
    sorted.map((scope) => [
      h("bdi", {}, labelOf(scope)),
      h("span", { class: scope.decision === "empty" ? "deleting" : "" }, ACTION[scope.decision]),
      PRESENCE[scope.presence],
      holdsText(scope),
      ...used.map(([, of]) => (of(scope) === 0 ? "" : count(of(scope)))),
      bytes(scope.toWrite.bytes),
    ]),
  );
}

/** @param {PlannedScope} scope */
function holdsText({ holds, presence }) {
  if (presence === "absent") return "";
  return holds === undefined ? "not countable" : `${holds.exact ? "" : "~"}${count(holds.value)}`;
}

/** @param {readonly PlannedScope[]} scopes */
function conflictPart(scopes) {
  const met = scopes.filter(({ conflicts }) => conflicts.count > 0);
  if (met.length === 0) return [];
  const rows = met.flatMap((scope) =>
    scope.conflicts.samples
      .slice(0, SAMPLES)
      .map(({ key, path, line, outcome, reason }) => [
        labelOf(scope),
        h("bdi", {}, printable(key)),
        outcome,
        reason,
        `${printable(path)}${line === undefined ? "" : `:${line}`}`,
      ]),
  );
  const said = met.map((scope) => `${labelOf(scope)}: ${plural(scope.conflicts.count, "record")}`);
  return [
    section(
      "Not written for what stands on the target",
      sentences(said),
      h("p", { class: "note" }, `The first ${SAMPLES} of each scope:`),
      table("Conflicts", [["scope"], ["key"], ["outcome"], ["reason"], ["place in the dump"]], rows),
    ),
  ];
}

/** @param {Plan} plan */
function timeWords({ expected: { seconds, adapters } }) {
  const each = adapters.map(({ adapter, seconds: own, by }) =>
    own === undefined
      ? `${adapter}: not known, no rate limit and no earlier restore tells`
      : `${adapter}: ${duration(own * 1000)}, by ${by === "rate-limit" ? "the rate limit" : "earlier restores"}`,
  );
  return h(
    "ul",
    { class: "plain" },
    [`${seconds === undefined ? "Not known" : `About ${duration(seconds * 1000)}`}`, ...each].map((text) =>
      h("li", {}, text),
    ),
  );
}
