/** A job's report: the verdict in a sentence, the numbers behind it, and the file itself. */
import { answerOf, ask } from "./api.js";
import { fill, h } from "./dom.js";
import { facts, problem, problemOf, section, sentences, table, tiles } from "./pieces.js";
import { bytes, count, duration, instant, leftOver, OUTCOMES, plural, printable, rate } from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {import("../../run/report.js").Report} Report
 * @typedef {import("../../run/verify/report.js").Verification} Verification
 * @typedef {import("../../run/drill/report.js").DrillReport} DrillReport
 * @typedef {import("../../run/verify-dump.js").DumpVerification} DumpCheck
 * @typedef {Pick<Report["scopes"][number], "adapter" | "scope" | "target" | "recordsRead" | "outcomes" | "bytesRestored" | "durationMs" | "error">} ScopeOfReport
 * @typedef {import("./dom.js").Child} Child
 * @typedef {import("./words.js").Tone} Tone
 */

/** As many rows hide nothing. */
const FEW = 12;

/**
 * @param {JobView} job
 * @param {import("./app.js").ViewContext} context
 */
export function reportSection(job, { signal }) {
  const body = h("div", {}, h("p", { class: "note" }, "Loading the report…"));
  const trouble = h("div");
  const load = h(
    "button",
    { type: "button", onclick: () => void download(job, trouble) },
    "Download the report (JSON)",
  );
  void show(job, body, signal);
  return section("Report", body, trouble, load);
}

/**
 * @param {JobView} job
 * @param {HTMLElement} body
 * @param {AbortSignal} signal
 */
async function show(job, body, signal) {
  try {
    const report = /** @type {Record<string, unknown>} */ (await ask(`/v1/jobs/${job.id}/report`, { signal }));
    fill(body, partsOf(report));
  } catch (error) {
    if (!signal.aborted) fill(body, problemOf(error, "The report cannot be shown"));
  }
}

/**
 * @param {JobView} job
 * @param {HTMLElement} trouble
 */
async function download(job, trouble) {
  try {
    fill(trouble);
    const response = await answerOf(`/v1/jobs/${job.id}/report`);
    const address = URL.createObjectURL(await response.blob());
    h("a", { href: address, download: `${job.kind}-${job.id}-report.json` }).click();
    // Time for the browser to begin with it.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    fill(trouble, problemOf(error, "The report could not be downloaded"));
  }
}

/** @param {Record<string, unknown>} report @returns {Child} */
function partsOf(report) {
  const given = /** @type {unknown} */ (report);
  if ("drillReportVersion" in report) return drillParts(/** @type {DrillReport} */ (given));
  if ("verificationVersion" in report) return comparisonParts(/** @type {Verification} */ (given));
  if ("reportVersion" in report) return restoreParts(/** @type {Report} */ (given));
  return checkParts(/** @type {DumpCheck} */ (given));
}

/**
 * @param {Tone} tone
 * @param {string} sentence
 */
function verdict(tone, sentence) {
  return h("p", { class: `notice verdict ${tone}` }, sentence);
}

/** @param {Report} report */
function restoreParts(report) {
  const { totals, scopes, thisProcess, durationMs, recordsRead, verification, warnings, notRestorable, status } =
    report;
  const left = leftOver(totals);
  const skipped = totals["skipped-existing"] + totals["skipped-expired"] + totals["skipped-empty"];
  const isGood = status === "finished" && left === 0;
  const said = left === 0 ? "every record ended as it should" : `${plural(left, "record")} could not be restored`;
  return [
    verdict(
      isGood ? "good" : "warn",
      status === "finished"
        ? `The restore finished: ${said}.`
        : `The restore was stopped: ${count(totals.restored)} of ${plural(recordsRead, "record")} were restored.`,
    ),
    tiles([
      [count(recordsRead), "records read"],
      [count(totals.restored), "restored"],
      ...(skipped > 0 ? [/** @type {const} */ ([count(skipped), "skipped"])] : []),
      ...(left > 0 ? [/** @type {const} */ ([count(left), "not restored", "warn"])] : []),
      [duration(durationMs), "took"],
      [rate(thisProcess.recordsPerSecond), "records a second"],
    ]),
    outcomeTable(scopes),
    ...(verification === undefined
      ? []
      : [h("h3", {}, "Compared with the dump afterwards"), comparisonParts(verification)]),
    ...listPart("Warnings", [
      ...warnings,
      ...scopes.flatMap(({ adapter, scope, warnings: own }) => own.map((text) => `${adapter}: ${scope}: ${text}`)),
    ]),
    ...listPart("What no public endpoint can restore", notRestorable),
  ];
}

/**
 * What was left over first.
 * @param {readonly ScopeOfReport[]} scopes
 */
function outcomeTable(scopes) {
  const used = OUTCOMES.filter(([kind]) => kind === "restored" || scopes.some(({ outcomes }) => outcomes[kind] > 0));
  const isBad = (/** @type {(typeof scopes)[number]} */ { outcomes, error }) =>
    error !== undefined || leftOver(outcomes) > 0;
  const [bad, good] = [scopes.filter(isBad), scopes.filter((scope) => !isBad(scope))];
  const all = (/** @type {typeof scopes} */ rows) => scopeRows(rows, used);
  if (scopes.length <= FEW || bad.length === 0) return all([...bad, ...good]);
  return [
    all(bad),
    h("details", {}, h("summary", {}, `${plural(good.length, "scope")} with nothing left over`), all(good)),
  ];
}

/**
 * @param {readonly ScopeOfReport[]} scopes
 * @param {typeof OUTCOMES} used
 */
function scopeRows(scopes, used) {
  return table(
    "Scopes of the report",
    [
      ["scope"],
      ["records", "number"],
      ...used.map(([, name]) => /** @type {const} */ ([name, "number"])),
      ["size", "number"],
      ["time", "number"],
    ],
    scopes.map((scope) => [
      [labelOf(scope), scope.error === undefined ? null : h("p", { class: "trouble" }, printable(scope.error))],
      count(scope.recordsRead),
      ...used.map(([kind]) => (scope.outcomes[kind] === 0 ? "" : count(scope.outcomes[kind]))),
      bytes(scope.bytesRestored),
      duration(scope.durationMs),
    ]),
  );
}

/** @param {{ adapter: string, scope: string, target: string }} scope */
function labelOf({ adapter, scope, target }) {
  return h("bdi", {}, `${adapter}: ${printable(scope)}${target === scope ? "" : ` → ${printable(target)}`}`);
}

/** @type {Readonly<Record<keyof Verification["standings"], string>>} */
const STANDINGS = {
  equal: "equal",
  missing: "missing",
  differing: "different",
  expired: "expired since",
  unproven: "not proven",
  malformed: "malformed in the dump",
  "not-compared": "not compared",
};

/** @param {Verification} verification @returns {readonly Node[]} */
function comparisonParts({ standings, extra, records, differenceCount, scopes, durationMs, warnings, sample }) {
  const names = /** @type {(keyof typeof STANDINGS)[]} */ (Object.keys(STANDINGS));
  const used = names.filter((each) => each === "equal" || standings[each] > 0);
  const isGood = differenceCount === 0;
  return [
    verdict(
      isGood ? "good" : "warn",
      `${isGood ? "No differences" : plural(differenceCount, "difference")} in ${plural(records, "record")}, after ${duration(durationMs)}.`,
    ),
    tiles([
      ...used.map(
        (each) =>
          /** @type {const} */ ([
            count(standings[each]),
            STANDINGS[each],
            each === "missing" || each === "differing" ? "warn" : "calm",
          ]),
      ),
      ...(extra > 0 ? [/** @type {const} */ ([count(extra), "on the target, not in the dump", "warn"])] : []),
    ]),
    ...(sample === undefined
      ? []
      : [
          h(
            "p",
            { class: "note" },
            `A sample: ${Number((sample.share * 100).toPrecision(4))} % of the records were compared.`,
          ),
        ]),
    table(
      "Scopes of the comparison",
      [
        ["scope"],
        ["records", "number"],
        ...used.map((each) => /** @type {const} */ ([STANDINGS[each], "number"])),
        ["only on the target", "number"],
      ],
      scopes.map((scope) => [
        labelOf(scope),
        count(scope.records),
        ...used.map((each) => (scope.standings[each] === 0 ? "" : count(scope.standings[each]))),
        scope.extra === undefined ? "nobody looked" : count(scope.extra),
      ]),
    ),
    ...listPart("Warnings of the comparison", warnings),
  ];
}

/** @param {DrillReport} report */
function drillParts({
  verdict: word,
  failures,
  times,
  restore,
  verification,
  objectives,
  assertions,
  dump,
  cleanUp,
  warnings,
  error,
}) {
  const isGood = word === "passed";
  return [
    verdict(
      isGood ? "good" : "bad",
      isGood
        ? "The drill passed: this dump can be restored from."
        : `The drill did not pass: ${failures.length === 0 ? word : failures.map(printable).join("; ")}.`,
    ),
    error === undefined ? null : problem("What ended it", error),
    tiles([
      [
        times.restoreMs === undefined ? "not measured" : duration(times.restoreMs),
        "recovery time",
        objectives.recoveryTime.met === false ? "bad" : "calm",
      ],
      [
        objectives.recoveryPoint.ms === undefined ? "not known" : duration(objectives.recoveryPoint.ms),
        "age of the dump",
        objectives.recoveryPoint.met === false ? "bad" : "calm",
      ],
      ...(restore === undefined ? [] : [/** @type {const} */ ([count(restore.totals.restored), "records restored"])]),
      ...(verification === undefined
        ? []
        : [/** @type {const} */ ([count(verification.standings.equal), "of them found equal"])]),
    ]),
    facts([
      ["Allowed recovery time", objectiveWords(objectives.recoveryTime)],
      ["Allowed age of the dump", objectiveWords(objectives.recoveryPoint)],
      ["Dump taken", dump.takenAt === undefined ? "not known" : printable(dump.takenAt)],
    ]),
    ...(assertions.length === 0
      ? []
      : [
          table(
            "Assertions",
            [["assertion"], ["outcome"], ["why"]],
            assertions.map(({ name, outcome, detail }) => [
              printable(name),
              outcome.replace("-", " "),
              printable(detail ?? ""),
            ]),
          ),
        ]),
    ...(restore === undefined ? [] : [outcomeTable(restore.scopes)]),
    ...listPart("What could not be removed afterwards", cleanUp.left),
    ...listPart("Warnings of the drill", warnings),
  ];
}

/** @param {DrillReport["objectives"]["recoveryTime"]} objective */
function objectiveWords({ maxMs, met }) {
  if (maxMs === undefined) return "none set";
  return `${duration(maxMs)}: ${met === undefined ? "not measured" : met ? "met" : "MISSED"}`;
}

/** @param {DumpCheck} check */
function checkParts({ files, bytes: size, takenAt, scopes, malformedCount, malformed, warnings }) {
  return [
    verdict(
      malformedCount === 0 ? "good" : "warn",
      malformedCount === 0
        ? "The dump is whole."
        : `The dump's files are whole, but ${plural(malformedCount, "record")} in it cannot be read.`,
    ),
    facts([
      ["Dump taken", /^\d{4}-/.test(takenAt) ? instant(takenAt) : printable(takenAt)],
      ["Checked", `${plural(files, "file")}, ${bytes(size)}`],
    ]),
    table(
      "Scopes of the dump",
      [["scope"], ["files", "number"], ["size", "number"], ["records", "number"], ["malformed", "number"]],
      scopes.map((scope) => [
        h("bdi", {}, `${scope.adapter}: ${printable(scope.scope)}`),
        count(scope.files),
        bytes(scope.bytes),
        scope.records === undefined ? "" : count(scope.records),
        scope.malformed === undefined || scope.malformed === 0 ? "" : count(scope.malformed),
      ]),
    ),
    ...listPart(
      "Malformed records",
      malformed
        .slice(0, 100)
        .map(({ scope, key, path, reason, detail }) => `${scope} ${key} (${path}): ${reason}: ${detail}`),
    ),
    ...listPart("Warnings of the check", warnings),
  ];
}

/**
 * @param {string} title
 * @param {readonly string[]} texts
 */
function listPart(title, texts) {
  return texts.length === 0 ? [] : [h("h3", {}, title), sentences(texts)];
}
