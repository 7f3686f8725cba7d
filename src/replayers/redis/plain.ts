/**
 * Writes the plain records of a batch all at once: those whose whole content is in memory. Each is one atomic step:
 *
 * - a string that wins whatever stands under its key, or yields to it, is one SET with its expiry, and a collection that is
 *   merged without one is the one command that adds to it;
 * - a collection or a stream that wins goes with others into a transaction that deletes the keys and writes them anew, so
 *   that nobody sees half of one, a connection that breaks in the middle runs nothing of it, and a second run ends the same;
 * - where it has to be known what stands under the key, several go into a call of a script.
 *
 * What was not answered is sent again, unless the key had to be free: what stands there now may be the record. That, what
 * the server refused, and streams that are there are left to those who write with care, one record at a time: they find
 * out whose fault it was. A server that has no transactions for this user gets none of what needs them this way.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { type Outcome, RESTORED } from "../../model/outcome.js";
import type { CollectionRecord, SentRecord, StreamRecord } from "../../model/record.js";
import type { AddCommand } from "./added-content.js";
import { ADD_COMMANDS } from "./collection.js";
import { judge, momentNow, scriptModeOf, typeOfRecord, type WriteContext } from "./context.js";
import { type Moment, setOptions } from "./expiry.js";
import { type Link, replyLost } from "./link.js";
import { answerOf, EXEC, MULTI, type Plain, type PlainRecord, ScriptCalls, Transaction } from "./plain-groups.js";
import type { Command, Reply } from "./resp.js";
import type { ScriptMode } from "./scripts.js";
import { compareIds, EntryTally, SCRIPT_FIELDS } from "./stream-entries.js";
import { STREAMED_BYTES } from "./string.js";

/** Where a batch's outcomes are kept. */
export interface PlainEnds {
  readonly outcomes: (Outcome | undefined)[];
  /** Has been sent, perhaps: without an outcome nobody knows. */
  readonly sent: boolean[];
  /** REPLY_LOST of those whose key had to be free: what stands there now may be theirs. */
  readonly lost: (RestoreError | undefined)[];
}

export class PlainWriter {
  readonly #link: Link;
  #transacts: Promise<boolean> | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  /**
   * Fills in the outcomes of what it wrote, and leaves the others open.
   * @throws RestoreError as `Link.together`, when no other record could be written either
   */
  async write(context: WriteContext, batch: readonly SentRecord<"redis">[], ends: PlainEnds): Promise<void> {
    const open = await this.#plainOf(context, batch);
    const { ops: mostOps, bytes: mostBytes } = this.#link.portion;
    for (let from = 0; from < open.length; ) {
      let [to, ops, bytes] = [from, 0, 0];
      for (let each = open[to]; each !== undefined; each = open[++to]) {
        const [itsOps, itsBytes] = [opsOf(each.record), each.record.bytes + each.record.key.length];
        if (to > from && (ops + itsOps > mostOps || bytes + itsBytes > mostBytes)) break;
        ops += itsOps;
        bytes += itsBytes;
      }
      await this.#send(context, { open: open.slice(from, to), ends, ops, bytes });
      from = to;
    }
  }

  async #send(
    context: WriteContext,
    { open, ends, ops, bytes }: { open: Plain[]; ends: PlainEnds; ops: number; bytes: number },
  ): Promise<void> {
    let left: readonly Plain[] = open;
    try {
      await this.#link.together({
        ops,
        bytes,
        build: () => {
          const { commands, sent } = laidOut(context, left);
          left = sent;
          for (const { i } of sent) ends.sent[i] = true;
          return commands;
        },
        settle: (replies) => {
          const settled = this.#settle(context, { open: left, replies, ends });
          left = settled.left;
          return settled.error;
        },
      });
    } catch (error) {
      // A record on which the target breaks is found by writing one at a time.
      if (!(error instanceof RestoreError) || error.retry === "fatal" || error.code === "INTERRUPTED") throw error;
    }
  }

  /** What is to be sent again is left, with the error that says why; what is for others is neither left nor has it ended. */
  #settle(context: WriteContext, { open, replies, ends }: Answered) {
    const left: Plain[] = [];
    let error: RestoreError | undefined;
    for (const plain of open) {
      const answer = answerOf(plain, replies);
      if (typeof answer === "string") {
        ends.outcomes[plain.i] = outcomeOf(context, plain.record, answer);
        continue;
      }
      const operation = operationOf(plain);
      const classified = this.#link.classify(answer, operation);
      // A right that is lacking here may not be needed by those who write with care.
      if (classified.retry === "no" || classified.code === "TARGET_CREDENTIALS") continue;
      if (classified.reason === "reply-lost" && plain.mode === "absent") {
        ends.lost[plain.i] = replyLost(operation);
        continue;
      }
      if (error === undefined || (error.retry !== "fatal" && classified.retry === "fatal")) error = classified;
      left.push(plain);
    }
    return { left, error };
  }

  /** Those of the batch that are plain, with their content. */
  async #plainOf(context: WriteContext, batch: readonly SentRecord<"redis">[]): Promise<Plain[]> {
    const { abilities, policy, link } = context;
    // elastickv is told by what it lacks; a cluster has no transaction over two slots.
    if (!abilities.listable || !abilities.absoluteTimes || link.clustered) return [];
    const plain: Plain[] = [];
    let transacted = 0;
    for (let i = 0; i < batch.length; i++) {
      const record = batch[i];
      if (record === undefined || !isInMemory(record)) continue;
      const mode = modeOf(context, record);
      if (mode === undefined || policy.expiryOf(record.expireAtMs).kind === "skip") continue;
      if (isTransacted(record, mode)) transacted++;
      plain.push({ i, record, mode, by: "itself", from: 0, at: 0, within: 0, count: 0 });
    }
    if (transacted === 0 || (await this.#canTransact())) return plain;
    return plain.filter(({ record, mode }) => !isTransacted(record, mode));
  }

  async #canTransact(): Promise<boolean> {
    this.#transacts ??= this.#link
      .request({ build: () => [MULTI, EXEC] })
      .then(([, done]) => Array.isArray(done))
      .catch((error: unknown) => {
        if (error instanceof RestoreError && error.code === "TARGET_CREDENTIALS") return false;
        this.#transacts = undefined;
        throw error;
      });
    return await this.#transacts;
  }
}

interface Answered {
  readonly open: readonly Plain[];
  readonly replies: readonly Reply[];
  readonly ends: PlainEnds;
}

/** One that an earlier process may have begun is for those who look first. */
function isInMemory(record: SentRecord<"redis">): record is PlainRecord {
  if (record.announcedAt !== undefined) return false;
  switch (record.kind) {
    case "string":
      return record.value.bytes !== undefined && record.value.size <= STREAMED_BYTES;
    case "collection":
      return record.packed !== undefined && record.count > 0;
    case "stream":
      return record.packed !== undefined && record.count > 0 && record.faultyEntries.length === 0;
    case "hll":
    case "unjudged":
      return false;
  }
}

/** What may be under its key; undefined for what is written with care alone. */
function modeOf({ policy, abilities }: WriteContext, record: PlainRecord): ScriptMode | undefined {
  const action = policy.actionFor(typeOfRecord(record));
  if (action === "append") return undefined;
  const mode = scriptModeOf(action);
  switch (record.kind) {
    case "string":
      return action === "put-if-absent" || mode === "put" || mode === "overwrite" ? mode : undefined;
    case "collection":
      return mode;
    case "stream":
      if (!abilities.xsetid && isAboveTop(record)) return undefined;
      return mode === "put" || (mode === "absent" && !hasWideEntry(record)) ? mode : undefined;
  }
}

function isTransacted({ kind }: PlainRecord, mode: ScriptMode): boolean {
  return kind !== "string" && mode === "put";
}

/** More arguments than a script's `unpack` surely takes. */
function hasWideEntry({ packed: { widths } }: StreamRecord & Required<Pick<StreamRecord, "packed">>): boolean {
  for (const width of widths) if (width > SCRIPT_FIELDS) return true;
  return false;
}

function isAboveTop({ lastId, topId }: StreamRecord): boolean {
  return lastId !== undefined && topId !== undefined && lastId !== topId && compareIds(lastId, topId) > 0;
}

function opsOf(record: PlainRecord): number {
  return record.kind === "stream" ? record.count : 1;
}

/** The commands, and which records they write: one that has expired by now is left out, and ends as those do. */
function laidOut(context: WriteContext, open: readonly Plain[]): { commands: Command[]; sent: Plain[] } {
  const commands: Command[] = [];
  const sent: Plain[] = [];
  const transaction = new Transaction(commands);
  const calls = new ScriptCalls(commands, context.policy.jobId);
  for (const plain of open) {
    const { record, mode } = plain;
    const moment = momentNow(context, record);
    // What is past, or further ahead than a server can count, has its own ways.
    if (moment.how === "skip" || moment.how === "X" || ("clamped" in moment && moment.clamped)) continue;
    sent.push(plain);
    // One command that keeps to the record's condition without help goes by itself.
    if (record.kind === "string" && mode !== "overwrite") {
      addAlone(commands, plain, setOf(record, mode, moment));
      continue;
    }
    const writes = writesOf(plain, moment);
    const [first] = writes;
    if (mode === "put") transaction.add(plain, writes);
    else if (mode === "merge" && writes.length === 1 && first !== undefined) addAlone(commands, plain, first);
    else calls.add(plain, writes);
  }
  transaction.end();
  calls.end();
  return { commands, sent };
}

function addAlone(commands: Command[], plain: Plain, command: Command): void {
  plain.by = "itself";
  plain.at = plain.from = commands.push(command) - 1;
}

function setOf({ key, value }: PlainRecord & { readonly kind: "string" }, mode: ScriptMode, moment: Moment): Command {
  // Grown, not spread: there is one for every key.
  const args: (string | Buffer)[] = [key, value.bytes];
  if (mode === "absent") args.push("NX");
  for (const option of setOptions(moment, true)) args.push(option);
  return { name: "SET", args };
}

/** The commands that write a record under its key where the condition holds. */
function writesOf({ record, mode }: Plain, moment: Moment): Command[] {
  const { key } = record;
  if (record.kind === "string") return [setOf(record, mode, moment)];
  const writes = record.kind === "stream" ? entriesOf(record) : [addOf(key, ADD_COMMANDS[record.type], record.packed)];
  if (record.kind === "stream" && isAboveTop(record)) {
    writes.push({ name: "XSETID", args: [key, record.lastId ?? ""] });
  }
  if (moment.how === "A") writes.push({ name: "PEXPIREAT", args: [key, moment.ms] });
  if (moment.how === "P" && (mode === "merge" || mode === "overwrite")) writes.push({ name: "PERSIST", args: [key] });
  return writes;
}

function addOf(key: Buffer, name: AddCommand, packed: CollectionRecord["packed"]): Command {
  return { name, args: [key], ...(packed === undefined ? {} : { packed }) };
}

function entriesOf({ key, packed: { bytes, ranges, widths } }: StreamRecord & Required<Pick<StreamRecord, "packed">>) {
  const commands: Command[] = [];
  let from = 0;
  for (let entry = 0; entry < widths.length; entry++) {
    const to = from + (widths[entry] ?? 0) * 2;
    commands.push({ name: "XADD", args: [key], packed: { bytes, ranges: ranges.subarray(from, to) } });
    from = to;
  }
  return commands;
}

function operationOf({ by, record }: Plain): string {
  if (by === "transaction") return "EXEC";
  if (by === "script") return "EVAL";
  return record.kind === "collection" ? ADD_COMMANDS[record.type] : "SET";
}

/** Undefined: those who write with care find out. */
function outcomeOf(context: WriteContext, record: PlainRecord, word: string): Outcome | undefined {
  if (word === "ok" && record.kind === "stream") {
    const tally = new EntryTally([]);
    tally.restored(record.count);
    return tally.outcome(RESTORED);
  }
  if (word === "ok") return RESTORED;
  if (word === "exists" && record.kind === "stream") return undefined;
  return judge(context, context.policy.actionFor(typeOfRecord(record)), { word });
}
