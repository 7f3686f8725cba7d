/** What a comparison with the targets found, as text. Pure. */
import { plannedLabel } from "../run/plan/outline.js";
import { STANDINGS, type Standing, unlike } from "../run/verify/counts.js";
import type { Found } from "../run/verify/found.js";
import type { Verification, VerifiedScope } from "../run/verify/report.js";
import { formatBytes, formatCount, formatDuration, plural, table } from "./format.js";
import { lines, named, scopeWarnings, shownPlace, warningLines } from "./text-parts.js";

const SHOWN = 20;

export function comparisonText(verification: Verification): string {
  const { scopes, standings, warnings } = verification;
  const columns = STANDINGS.filter((each) => each === "equal" || standings[each] > 0);
  const right = ["records", ...columns, "extra", "size", "time"];
  return lines([
    ...table(
      ["scope", ...right],
      scopes.map((scope) => [
        plannedLabel(scope),
        formatCount(scope.records),
        ...columns.map((each) => count(scope.standings[each])),
        scope.extra === undefined ? "?" : count(scope.extra),
        formatBytes(scope.bytes),
        formatDuration(scope.durationMs),
      ]),
      right,
    ),
    "",
    ...differenceLines(verification),
    ...untoldLines(scopes),
    ...warningLines([...warnings, ...scopeWarnings(scopes, plannedLabel)]),
    verdictOf(verification),
    ...remarks(verification),
  ]);
}

function count(value: number): string {
  return value === 0 ? "" : formatCount(value);
}

function differenceLines({ differences, differenceCount, differencesFile }: Verification): string[] {
  if (differenceCount === 0) return [];
  const shown = differences.slice(0, SHOWN).map((found) => `  ${differenceText(found)}`);
  const more = differenceCount - shown.length;
  const where = differencesFile === undefined ? "--report FILE lists all of them" : `all stand in ${differencesFile}`;
  return ["Differences:", ...shown, ...(more > 0 ? [`  and ${formatCount(more)} more; ${where}`] : []), ""];
}

/** `value  redis:db_0  "key", field "name": … (redis/db_0/hashes/key.json)`. */
function differenceText(found: Found): string {
  const { kind, key, at, detail, path, line } = found;
  const place = path === undefined || key === undefined ? "" : ` (${shownPlace(path, line)})`;
  const where = [key, at].filter((part) => part !== undefined).join(", ");
  return `${kind}  ${plannedLabel(found)}  ${where}${where === "" ? "" : ": "}${detail}${place}`;
}

function untoldLines(scopes: readonly VerifiedScope[]): string[] {
  const untold = new Map<string, string[]>();
  for (const scope of scopes) {
    for (const { what, records } of scope.unproven) {
      const of = records === 0 ? plannedLabel(scope) : `${plannedLabel(scope)} (${plural(records, "record")})`;
      untold.set(what, [...(untold.get(what) ?? []), of]);
    }
  }
  const notListed = scopes.flatMap((scope) =>
    scope.notListed === undefined || !scope.exists ? [] : [{ scope: plannedLabel(scope), why: scope.notListed }],
  );
  for (const { scope, why } of notListed) {
    const what = `nobody looked for records that the dump lacks: ${why}`;
    untold.set(what, [...(untold.get(what) ?? []), scope]);
  }
  if (untold.size === 0) return [];
  return ["Not proven:", ...[...untold].map(([what, of]) => `  ${named(of)}: ${what}`), ""];
}

/** For people, in text and on pages. */
export const STANDING_WORDS: Readonly<Record<Standing, string>> = {
  equal: "equal",
  missing: "missing",
  differing: "different",
  expired: "expired since",
  unproven: "not proven",
  malformed: "malformed in the dump",
  "not-compared": "not compared",
};

function verdictOf({ records, standings, extra, durationMs, differenceCount }: Verification): string {
  const told = STANDINGS.filter((each) => standings[each] > 0).map(
    (each) => `${formatCount(standings[each])} ${STANDING_WORDS[each]}`,
  );
  const beside = extra > 0 ? [`${plural(extra, "record")} that the dump lacks`] : [];
  const isGood = unlike(standings) + differenceCount === 0;
  const verdict = isGood ? "No differences" : plural(differenceCount, "difference");
  return `${verdict} after ${formatDuration(durationMs)}: of ${plural(records, "record")} ${[...told, ...beside].join(", ") || "none"}.`;
}

function remarks({ scopes, sample, looks }: Verification): string[] {
  const settled = scopes.reduce((sum, scope) => sum + scope.settled, 0);
  return [
    ...(settled > 0 ? [`${plural(settled, "record")} differed at first and no more when looked at again.`] : []),
    ...(sample === undefined
      ? []
      : [`A sample of ${String(Number((sample.share * 100).toPrecision(4)))}%, chosen by the seed ${sample.seed}.`]),
    ...(looks === 1 ? ["What differs was looked at once: a target in use raises false alarms so."] : []),
  ];
}
