/** Compares the last id that a stream handed out. */
import type { StreamRecord } from "../../../model/record.js";
import { topIdOf } from "../stream-by-entry.js";
import { compareIds, laterId } from "../stream-entries.js";
import { lastGeneratedId } from "../stream-fill.js";
import type { Matter } from "./matter.js";

export async function compareLastId({ reader, findings, allowMore }: Matter, record: StreamRecord): Promise<void> {
  const { key, lastId, topId } = record;
  const expected = lastId !== undefined && topId !== undefined ? laterId(lastId, topId) : (lastId ?? topId);
  if (expected === undefined) return;
  const [last, top] = await Promise.all([lastGeneratedId(reader.link, key), topIdOf(reader.link, key)]);
  if (last === undefined) {
    // An id that is above every entry is known by nothing else.
    if (top === undefined || compareIds(top, expected) < 0)
      findings.cannotTell("the target does not tell a stream's last id");
    return;
  }
  const order = compareIds(last, expected);
  // One that the target's own entries account for was told as theirs.
  const isExplained = order > 0 && (allowMore || top === last);
  if (order !== 0 && !isExplained) findings.add("last-id", `its last id is ${last} instead of ${expected}`);
}
