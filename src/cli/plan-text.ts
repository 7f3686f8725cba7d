/** Plans as text: what a tired person has to see before hours of writing. Pure. */
import { OUTCOMES } from "../model/outcome.js";
import { plannedLabel } from "../run/plan/outline.js";
import type { Outline, OutlinedScope, Plan, PlannedScope } from "../run/plan/plan-schema.js";
import { formatBytes, formatCount, formatDuration, plural, table } from "./format.js";
import { lines, scopeWarnings, shownPlace, warningLines } from "./text-parts.js";

const SAMPLES_SHOWN = 5;
const KEY_SHOWN = 60;

/** What is known before records are read. */
export function outlineText(outline: Outline): string {
  const rows = outline.scopes.map((scope) => [
    ...outlineRow(scope),
    formatCount(scope.files),
    formatBytes(scope.bytes),
  ]);
  return lines([
    ...headLines(outline),
    "",
    ...table([...OUTLINE_COLUMNS, "files", "size"], rows, ["holds", "files", "size"]),
    ...deletionLines(outline.scopes),
    ...warningLines([...outline.warnings, ...scopeWarnings(outline.scopes, plannedLabel)]),
  ]);
}

export function planText(plan: Plan): string {
  const { scopes, refusal } = plan;
  return lines([
    ...headLines(plan),
    "",
    ...foreseenTable(plan),
    ...reasonLines(scopes),
    ...deletionLines(scopes),
    ...conflictLines(scopes),
    ...warningLines([...plan.warnings, ...scopeWarnings(scopes, plannedLabel)]),
    "",
    ...sumLines(plan),
    ...(refusal === undefined ? [] : ["", `apply would refuse this: ${refusal.message}`, refusal.hint ?? ""]),
  ]);
}

function headLines({ dump, mode, transform, retry, targets }: Outline): string[] {
  return [
    `Dump     ${dump.path}`,
    `         taken ${dump.takenAt} (${dump.phase}), ${plural(dump.files, "file")}, ${formatBytes(dump.bytes)}`,
    `Mode     ${retry === undefined ? MODE_TEXT[mode] : `${mode}, into scopes as they stand: none is emptied`}`,
    ...(transform === undefined ? [] : [`Change   every record goes through ${transform}`]),
    ...(retry === undefined ? [] : [`Only     ${plural(retry.records, "record")} that ${retry.report} lists`]),
    ...targets.flatMap((target, i) => [
      `${i === 0 ? "Targets" : "       "}  ${target.adapter.padEnd(8)}  ${target.endpoint}  (${target.origin})  ${target.server}`,
      ...target.fallbacks.map((fallback) => `                   ${fallback}`),
    ]),
  ];
}

const MODE_TEXT: Record<Plan["mode"], string> = {
  none: "none: only into scopes that are absent or empty",
  replace: "replace: each scope holds exactly the dump afterwards; what it holds now is deleted",
  merge: "merge: the dump's records win, what the dump does not name stays",
  "skip-existing": "skip-existing: what stands on the target stays untouched",
};

const ACTION: Record<PlannedScope["decision"], string> = {
  create: "create",
  keep: "write into",
  empty: "empty first",
  refuse: "refused",
  skip: "skip whole",
};

const PRESENCE: Record<PlannedScope["presence"], string> = {
  absent: "absent",
  empty: "empty",
  "holds-records": "holds records",
};

const OUTLINE_COLUMNS = ["scope", "on the target", "holds", "action"];

function outlineRow(scope: OutlinedScope): string[] {
  const { holds, presence } = scope;
  const held =
    holds === undefined || presence === "absent" ? "" : `${holds.exact ? "" : "~"}${formatCount(holds.value)}`;
  return [plannedLabel(scope), PRESENCE[presence], held, ACTION[scope.decision]];
}

type Sums = Pick<PlannedScope, "alreadyEqual" | "leftOut" | "notReached" | "recordsRead" | "requests" | "toWrite"> & {
  readonly outcomes: PlannedScope["outcomes"];
};

/** What becomes of the records: columns that are zero everywhere are left out. */
const COLUMNS: readonly (readonly [name: string, of: (sums: Sums) => number])[] = [
  ["records", ({ recordsRead }) => recordsRead],
  ["write", ({ toWrite }) => toWrite.records],
  ["equal", ({ alreadyEqual }) => alreadyEqual],
  ...OUTCOMES.filter((kind) => kind !== "restored").map(
    (kind) => [kind, ({ outcomes }: Sums) => outcomes[kind]] as const,
  ),
  ["not planned", ({ notReached }) => notReached],
  ["left out", ({ leftOut = 0 }) => leftOut],
];

function foreseenTable(plan: Plan): string[] {
  const { scopes } = plan;
  const total: Sums = { ...plan, outcomes: plan.totals };
  const used = COLUMNS.filter(([name, of]) => name === "records" || name === "write" || of(total) > 0);
  const cells = (sums: Sums) => [
    ...used.map(([name, of]) => (of(sums) === 0 && name !== "records" ? "" : formatCount(of(sums)))),
    sums.toWrite.records === 0 ? "" : formatBytes(sums.toWrite.bytes),
    sums.requests === 0 ? "" : formatCount(sums.requests),
  ];
  const names = [...used.map(([name]) => name), "bytes", "requests"];
  const rows = scopes.map((scope) => [...outlineRow(scope), ...cells(scope)]);
  const sums = scopes.length < 2 ? [] : [["all", "", "", "", ...cells(total)]];
  return table([...OUTLINE_COLUMNS, ...names], [...rows, ...sums], ["holds", ...names]);
}

/** Why records would not be written, most frequent first. */
function reasonLines(scopes: readonly PlannedScope[]): string[] {
  const counts = new Map<string, number>();
  for (const { reasons } of scopes) {
    for (const [reason, value] of Object.entries(reasons)) counts.set(reason, (counts.get(reason) ?? 0) + value);
  }
  const told = OUTCOMES.filter((kind) => kind !== "restored").flatMap((kind) => {
    const of = [...counts].filter(([reason]) => reason.startsWith(`${kind}/`)).sort(([, a], [, b]) => b - a);
    const listed = of.map(([reason, value]) => `${formatCount(value)} ${reason.slice(kind.length + 1)}`).join(", ");
    return of.length === 0 ? [] : [`  ${kind}: ${listed}`];
  });
  return told.length === 0 ? [] : ["", "Why records would not be written:", ...told];
}

/** What is to be confirmed. */
export function deletionText(scopes: readonly OutlinedScope[]): string {
  return lines(deletionLines(scopes));
}

/** What a mode that empties takes away: of every scope that holds anything, or may. */
function deletionLines(scopes: readonly OutlinedScope[]): string[] {
  const rows = scopes
    .filter(({ decision, ...scope }) => decision === "empty" && !isBare(scope))
    .map((scope) => [`  ${plannedLabel(scope)}`, deletedText(scope)]);
  return rows.length === 0 ? [] : ["", "To be deleted:", ...table(["", " "], rows, []).slice(1)];
}

/** A target that cannot count looks empty where it holds none of the dump's own keys, and may hold any others. */
function isBare({ presence, holds, losses = [] }: Omit<OutlinedScope, "decision">): boolean {
  return presence === "empty" && holds !== undefined && losses.length === 0;
}

function deletedText({ presence, holds, losses = [] }: OutlinedScope): string {
  const held =
    holds === undefined || (holds.value === 0 && presence === "holds-records")
      ? "all it holds, which cannot be counted"
      : `${holds.exact ? "" : "about "}${plural(holds.value, "record")}`;
  return losses.length === 0 ? held : `${held}; and, not brought back: ${losses.join(", ")}`;
}

function conflictLines(scopes: readonly PlannedScope[]): string[] {
  const met = scopes.filter(({ conflicts }) => conflicts.count > 0);
  if (met.length === 0) return [];
  return ["", "Not written for what stands on the target:", ...met.flatMap(conflictsOf)];
}

function conflictsOf(scope: PlannedScope): string[] {
  const { count, samples } = scope.conflicts;
  const shown = samples.slice(0, SAMPLES_SHOWN);
  const rows = shown.map(({ key, path, line, outcome, reason }) => [
    ...[`    ${outcome}`, reason, shortened(key), shownPlace(path, line)],
  ]);
  const more = count - shown.length;
  const rest = more === 0 ? [] : [`    and ${formatCount(more)} more`];
  return [
    `  ${plannedLabel(scope)}: ${plural(count, "record")}`,
    ...table(["", "", "", ""], rows, []).slice(1),
    ...rest,
  ];
}

/** A key of a megabyte would hide everything else. */
function shortened(key: string): string {
  const characters = [...key];
  return characters.length <= KEY_SHOWN ? key : `${characters.slice(0, KEY_SHOWN).join("")}…`;
}

function sumLines(plan: Plan): string[] {
  const { toWrite, alreadyEqual, leftOut = 0, requests } = plan;
  const compared = alreadyEqual === 0 ? "" : `, ${formatCount(alreadyEqual)} compared and already there`;
  const dropped = leftOut === 0 ? "" : `, ${formatCount(leftOut)} left out by the transform`;
  const least = requests === 0 ? "" : `, in at least ${plural(requests, "request")}`;
  return [
    `${plural(toWrite.records, "record")} to write (${formatBytes(toWrite.bytes)})${least}${compared}${dropped}.`,
    ...timeLines(plan),
    "Nothing was written.",
  ];
}

function timeLines({ expected: { seconds, adapters }, targets }: Plan): string[] {
  if (adapters.length === 0) return [];
  const unknown = adapters.filter((each) => each.seconds === undefined).map(({ adapter }) => adapter);
  const total = seconds === undefined ? "not known" : `about ${formatDuration(seconds * 1000)}`;
  const each = adapters.flatMap(({ adapter, seconds: own, by, past }) => {
    if (own === undefined) return [];
    const why =
      by === "rate-limit" || past === undefined
        ? "by the rate limit"
        : `at ${formatCount(Math.round(past.recordsPerSecond))} records/s and ${formatBytes(past.bytesPerSecond)}/s a scope, as in ${past.jobs.length === 1 ? "job" : "jobs"} ${past.jobs.join(", ")}`;
    return [`  ${adapter.padEnd(8)}  ${formatDuration(own * 1000)}, ${why}`];
  });
  const endpoints = targets.filter(({ adapter }) => unknown.includes(adapter)).map(({ endpoint }) => endpoint);
  const why =
    endpoints.length === 0
      ? []
      : [
          `  ${unknown.join(", ")}: no rate limit, and no restore into ${endpoints.join(", ")} is remembered here that is large enough to tell`,
        ];
  return [`Expected time: ${total}`, ...each, ...why];
}
