/**
 * Appends a stream's entries under new ids, each chunk exactly once: the script that adds a chunk keeps the new ids in a
 * marker, which a repetition finds, and from which the remap lines are written.
 *
 * A stream that the target lacks is written with its own ids instead: nothing there forces new ones.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { StreamEntry, StreamRecord } from "../../model/record.js";
import { mayVanish } from "./append.js";
import { judge, momentNow, type WriteContext } from "./context.js";
import { type Moment, notesOf, scriptArgs } from "./expiry.js";
import { markerOf } from "./own-keys.js";
import { typeOf } from "./read-back.js";
import type { RemapLine, RemapWriter } from "./remap.js";
import { APPEND_ENTRIES } from "./scripts.js";
import { EntryTally, isWide, unfit } from "./stream-entries.js";
import type { BuildInit } from "./temporary.js";

type Marker = NonNullable<BuildInit["marker"]>;

interface Ways {
  /** Writes the stream with its own ids, with the marker in the same step. Undefined: there is one by now. */
  readonly buildNew: (marker: Marker) => Promise<Outcome | undefined>;
}

export async function appendEntries(context: WriteContext, record: StreamRecord, ways: Ways): Promise<Outcome> {
  const marker = markerOf(context.policy.jobId, record.key, context.link.clustered);
  // An earlier attempt of this job may have written it whole.
  if ((await context.link.command("HGET", [marker.markers, marker.field])) !== null) {
    const tally = new EntryTally(record.faultyEntries);
    tally.restored(record.count);
    return tally.outcome({ kind: "restored" });
  }
  if ((await typeOf(context.link, record.key)) === "none" && !(await hasBegun(context, marker))) {
    const outcome = await ways.buildNew(marker);
    if (outcome !== undefined) return outcome;
  }
  const appending = new Appending(context, record, marker);
  return await appending.run();
}

async function hasBegun(context: WriteContext, { markers, field }: Marker): Promise<boolean> {
  return (await context.link.command("HGET", [markers, `${field}:1`])) !== null;
}

class Appending {
  readonly #context: WriteContext;
  readonly #record: StreamRecord;
  readonly #marker: Marker;
  readonly #tally: EntryTally;
  #writer: RemapWriter | undefined;
  #moment: Moment = { how: "N" };
  #mustExist = false;

  constructor(context: WriteContext, record: StreamRecord, marker: Marker) {
    this.#context = context;
    this.#record = record;
    this.#marker = marker;
    this.#tally = new EntryTally(record.faultyEntries);
  }

  async run(): Promise<Outcome> {
    try {
      const outcome = await this.#appendAll();
      await this.#writer?.close();
      return outcome;
    } catch (error) {
      const isOver = !(error instanceof RestoreError) || error.retry === "fatal";
      await (isOver ? this.#writer?.abandon() : this.#writer?.close());
      throw error;
    }
  }

  async #appendAll(): Promise<Outcome> {
    let chunk = 0;
    for await (const entries of this.#record.entries()) {
      const fit = entries.filter((entry) => this.#isFit(entry));
      const word = fit.length === 0 ? "ok" : await this.#append(fit, ++chunk);
      if (word !== "ok") return judge(this.#context, "append", { word });
    }
    return this.#tally.outcome({ kind: "restored", notes: notesOf(this.#moment) });
  }

  #isFit(entry: StreamEntry): boolean {
    // New ids need a script that keeps them, and a script does not take so many fields.
    const why = isWide(entry) ? "too-many-fields" : unfit({ ...entry, id: "*" }, this.#context.abilities);
    if (why !== undefined) this.#tally.refused(entry.id, why);
    return why === undefined;
  }

  async #append(entries: readonly StreamEntry[], chunk: number): Promise<string> {
    const { markers, field } = this.#marker;
    const [reply] = await this.#context.link.request({
      build: () => {
        this.#moment = momentNow(this.#context, this.#record);
        if (this.#moment.how === "skip") return [];
        const fixed = [`${field}:${chunk}`, this.#mustExist ? "1" : "0", ...scriptArgs(this.#moment)];
        const content = entries.flatMap(({ fields }) => [String(fields.length), ...fields]);
        return [{ name: "EVAL", args: [APPEND_ENTRIES, "2", this.#record.key, markers, ...fixed, ...content] }];
      },
    });
    if (reply instanceof Error) throw this.#context.link.classify(reply, "XADD");
    if (!Array.isArray(reply)) return "expired";
    const [word, left, joined] = [String(reply[0]), Number(reply[1]), String(reply[2])];
    if (word !== "ok") return word;
    this.#mustExist ||= mayVanish(left, this.#moment);
    await this.#settle(entries, joined.split("\n"));
    return word;
  }

  async #settle(entries: readonly StreamEntry[], ids: readonly string[]): Promise<void> {
    const lines: RemapLine[] = [];
    entries.forEach((entry, i) => {
      const id = ids[i];
      if (id === undefined || id.startsWith("!")) this.#tally.refused(entry.id, "refused-by-target");
      else lines.push({ original_id: entry.id, new_id: id });
    });
    this.#tally.restored(lines.length);
    if (lines.length === 0 || this.#context.remaps === undefined) return;
    this.#writer ??= await this.#context.remaps.open(this.#context.scope, this.#record);
    await this.#writer.write(lines);
  }
}
