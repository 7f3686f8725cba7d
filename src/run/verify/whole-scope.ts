/** Compares a scope whose records have no keys to ask for: all of them at once, as often as is looked. */
import { RestoreError } from "../../errors/restore-error.js";
import { scopeLabel } from "../../model/scope.js";
import type { FoundDifference } from "../../replayers/verifier.js";
import { present } from "../../support/present.js";
import { Places } from "./places.js";
import type { VerifiedScope } from "./report.js";
import { comparable, pause, recordsOf, type ScopeCheck, standingUnasked } from "./scope-check.js";

export interface Whole extends Pick<VerifiedScope, "extra" | "notListed"> {
  /** How many records differed at the first look and no more at the last. */
  readonly settled: number;
}

export async function verifyWhole(check: ScopeCheck): Promise<Whole> {
  const { tally, how } = check;
  let asked = 0;
  for await (const record of recordsOf(check)) {
    const standing = standingUnasked(check, record);
    if (standing === undefined) asked++;
    else tally.count(standing, record);
  }
  // What was received may be gone by then, or be received once too often.
  const most = how.comparing.messages === "no" ? how.looks : 1;
  const first = await look(check, most === 1);
  let last = first;
  for (let looks = 2; last.found > 0 && looks <= most; looks++) {
    await pause(check);
    last = await look(check, looks === most);
  }
  const { equal, unproven, missing, differing } = last;
  if (equal + unproven + missing + differing !== asked) {
    throw new RestoreError("INTERNAL", `the records of ${scopeLabel(check.scope)} were compared, and do not add up`);
  }
  Object.assign(tally.standings, { equal, unproven, missing, differing });
  tally.bytes += last.bytes;
  for (const note of last.notes) tally.cannotTell(note, 0);
  const settled = Math.max(0, first.missing + first.differing - missing - differing);
  // Counts alone do not tell which records there are too many.
  const isListed = how.comparing.messages !== "no";
  return { settled, ...(isListed ? { extra: last.extra } : { notListed: "records were counted only" }) };
}

interface Look {
  readonly found: number;
  readonly extra: number;
  readonly equal: number;
  readonly unproven: number;
  readonly missing: number;
  readonly differing: number;
  readonly bytes: number;
  readonly notes: readonly string[];
}

/** `counts`: what differs is told. */
async function look(check: ScopeCheck, counts: boolean): Promise<Look> {
  const { verifier, scope, how, tally, run } = check;
  if (verifier.compareAll === undefined) throw new RestoreError("INTERNAL", `${scope.adapter} compares by record`);
  const [missing, differing] = [new Places(run.options.workRoot), new Places(run.options.workRoot)];
  let found = 0;
  let extra = 0;
  let bytes = 0;
  const take = async ({ record, displayKey: key, difference }: FoundDifference): Promise<void> => {
    found++;
    if (difference.kind === "extra" || difference.kind === "duplicate") extra++;
    if (record !== undefined) (difference.kind === "missing" ? missing : differing).add(record.place);
    if (counts) await tally.found(difference, present({ key: key === "" ? undefined : key, place: record?.place }));
  };
  const records = async function* () {
    bytes = 0;
    for await (const record of comparable(check)) {
      bytes += record.bytes;
      yield record;
    }
  };
  try {
    const { equal, unproven, notes } = await verifier.compareAll(scope, records, how.comparing, take);
    return { found, extra, equal, unproven, missing: missing.size, differing: differing.size, bytes, notes };
  } finally {
    missing.close();
    differing.close();
  }
}
