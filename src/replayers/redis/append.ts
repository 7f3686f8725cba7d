/**
 * Appends a list's items to the list on the target, each chunk exactly once: the script that pushes a chunk also counts
 * it in a marker, which a repetition finds. Markers go when the scope is finished.
 */
import type { Outcome } from "../../model/outcome.js";
import type { CollectionRecord } from "../../model/record.js";
import { judge, momentNow, type WriteContext } from "./context.js";
import { type Moment, notesOf, scriptArgs } from "./expiry.js";
import { markerOf } from "./own-keys.js";
import { APPEND_TO_LIST } from "./scripts.js";

export async function appendToList(context: WriteContext, record: CollectionRecord): Promise<Outcome> {
  const { markers, field } = markerOf(context.policy.jobId, record.key, context.link.clustered);
  let moment: Moment = { how: "N" };
  let chunk = 0;
  let mustExist = false;
  for await (const elements of record.elements()) {
    chunk++;
    const [reply] = await context.link.request({
      build: () => {
        moment = momentNow(context, record);
        const fixed = [field, String(chunk), mustExist ? "1" : "0", ...scriptArgs(moment)];
        const args = [APPEND_TO_LIST, "2", record.key, markers, ...fixed, ...elements.flat()];
        return moment.how === "skip" ? [] : [{ name: "EVAL", args }];
      },
    });
    if (reply instanceof Error) throw context.link.classify(reply, "RPUSH");
    const [word, left] = Array.isArray(reply) ? [String(reply[0]), Number(reply[1])] : ["expired", -1];
    if (word !== "ok") return judge(context, "append", { word, notes: notesOf(moment) });
    mustExist ||= mayVanish(left, moment);
  }
  return judge(context, "append", { word: "ok", notes: notesOf(moment) });
}

/**
 * A list with an expiry may vanish between two chunks; pushing on would bring it back half and immortal. A list without
 * one that is gone was consumed, and takes the rest.
 */
export function mayVanish(left: number, moment: Moment): boolean {
  return left >= 0 || moment.how === "A" || moment.how === "R";
}
