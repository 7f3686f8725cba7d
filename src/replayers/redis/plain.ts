/**
 * Writes the plain records of a batch all at once: those whose whole content is in memory and that win whatever stands
 * under their key. Each is one atomic step that may be repeated:
 *
 * - a string is one SET with its expiry;
 * - a collection or a stream goes with others into a transaction that deletes the keys and writes them anew, so that
 *   nobody sees half of one, a connection that breaks in the middle runs nothing of it, and a second run ends the same.
 *
 * So what was not answered is sent again, and what the server refused is left to those who write with care, one record at
 * a time: they find out whose fault it was. A server that has no transactions for this user gets strings alone this way.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { type Outcome, RESTORED } from "../../model/outcome.js";
import type { WritePolicy } from "../../model/policy.js";
import type { CollectionRecord, SentRecord, StreamRecord, StringRecord } from "../../model/record.js";
import type { AddCommand } from "./added-content.js";
import { ADD_COMMANDS } from "./collection.js";
import { momentNow, type WriteContext } from "./context.js";
import { type Moment, setOptions } from "./expiry.js";
import type { Link } from "./link.js";
import type { Command, Reply } from "./resp.js";
import { compareIds, EntryTally } from "./stream-entries.js";
import { STREAMED_BYTES } from "./string.js";

/** Transactions stay so short that other clients do not notice them. */
const TRANSACTION_RECORDS = 64;
const TRANSACTION_BYTES = 256 * 1024;

const MULTI: Command = { name: "MULTI", args: [] };
const EXEC: Command = { name: "EXEC", args: [] };

/** Where a batch's outcomes are kept. */
export interface PlainEnds {
  readonly outcomes: (Outcome | undefined)[];
  /** Has been sent, perhaps: without an outcome nobody knows. */
  readonly sent: boolean[];
}

type PlainRecord =
  | (StringRecord & { readonly value: { readonly bytes: Buffer } })
  | (CollectionRecord & Required<Pick<CollectionRecord, "packed">>)
  | (StreamRecord & Required<Pick<StreamRecord, "packed">>);

/** A plain record on its way. */
interface Plain {
  /** Its place in the batch. */
  readonly i: number;
  readonly record: PlainRecord;
  /** Where its reply, or that of its transaction, is among the replies, and where that begins. */
  from: number;
  at: number;
  /** Its own replies within its transaction's. */
  within: number;
  count: number;
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
          const settled = this.#settle(left, replies, ends);
          left = settled.left;
          return settled.error;
        },
      });
    } catch (error) {
      // A record on which the target breaks is found by writing one at a time.
      if (!(error instanceof RestoreError) || error.retry === "fatal" || error.code === "INTERRUPTED") throw error;
    }
  }

  /** What is to be sent again is left, with the error that says why; what was refused is neither left nor has it ended. */
  #settle(open: readonly Plain[], replies: readonly Reply[], ends: PlainEnds) {
    const left: Plain[] = [];
    let error: RestoreError | undefined;
    for (const plain of open) {
      const why = failureOf(plain, replies);
      if (why === undefined) {
        ends.outcomes[plain.i] = outcomeOf(plain.record);
        continue;
      }
      const classified = this.#link.classify(why, plain.record.kind === "string" ? "SET" : "EXEC");
      // A right that is lacking here may not be needed by those who write with care.
      if (classified.retry === "no" || classified.code === "TARGET_CREDENTIALS") continue;
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
    let strings = 0;
    for (let i = 0; i < batch.length; i++) {
      const record = batch[i];
      if (record === undefined || !isPlain(context, record)) continue;
      if (policy.expiryOf(record.expireAtMs).kind === "skip") continue;
      if (record.kind === "string") strings++;
      plain.push({ i, record, from: 0, at: 0, within: 0, count: 0 });
    }
    if (strings === plain.length || (await this.#canTransact())) return plain;
    return plain.filter(({ record }) => record.kind === "string");
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

/** One that an earlier process may have begun is for those who look first. */
function isPlain({ policy, abilities }: WriteContext, record: SentRecord<"redis">): record is PlainRecord {
  if (record.announcedAt !== undefined) return false;
  switch (record.kind) {
    case "string":
      return record.value.bytes !== undefined && isPut(policy, "string") && record.value.size <= STREAMED_BYTES;
    case "collection":
      return record.packed !== undefined && record.count > 0 && isPut(policy, record.type);
    case "stream":
      return (
        record.packed !== undefined &&
        record.count > 0 &&
        record.faultyEntries.length === 0 &&
        isPut(policy, "stream") &&
        (abilities.xsetid || !isAboveTop(record))
      );
    case "hll":
    case "unjudged":
      return false;
  }
}

function isPut(policy: WritePolicy, type: Parameters<WritePolicy["actionFor"]>[0]): boolean {
  return policy.actionFor(type) === "put";
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
  const group = new Transaction(commands);
  for (const plain of open) {
    const { record } = plain;
    const moment = momentNow(context, record);
    // What is past, or further ahead than a server can count, has its own ways.
    if (moment.how === "skip" || moment.how === "X" || ("clamped" in moment && moment.clamped)) continue;
    sent.push(plain);
    if (record.kind !== "string") {
      group.add(plain, writesOf(record, moment));
      continue;
    }
    plain.at = plain.from = commands.length;
    plain.within = -1;
    commands.push({ name: "SET", args: [record.key, record.value.bytes, ...setOptions(moment, true)] });
  }
  group.end();
  return { commands, sent };
}

/** Gathers the commands of several records, between others that are not its own. */
class Transaction {
  readonly #commands: Command[];
  #plains: Plain[] = [];
  #keys: Buffer[] = [];
  #writes: Command[] = [];
  #bytes = 0;

  constructor(commands: Command[]) {
    this.#commands = commands;
  }

  add(plain: Plain, writes: readonly Command[]): void {
    const bytes = plain.record.bytes;
    const isFull = this.#plains.length >= TRANSACTION_RECORDS || this.#bytes + bytes > TRANSACTION_BYTES;
    if (isFull && this.#plains.length > 0) this.end();
    // Behind the one that deletes all keys.
    plain.within = 1 + this.#writes.length;
    plain.count = writes.length;
    this.#plains.push(plain);
    this.#keys.push(plain.record.key);
    for (const write of writes) this.#writes.push(write);
    this.#bytes += bytes;
  }

  end(): void {
    if (this.#plains.length === 0) return;
    const from = this.#commands.length;
    this.#commands.push(MULTI, { name: "DEL", args: this.#keys });
    for (const write of this.#writes) this.#commands.push(write);
    const at = this.#commands.push(EXEC) - 1;
    for (const plain of this.#plains) {
      plain.from = from;
      plain.at = at;
    }
    [this.#plains, this.#keys, this.#writes, this.#bytes] = [[], [], [], 0];
  }
}

function writesOf(record: Exclude<PlainRecord, StringRecord>, moment: Moment): Command[] {
  const { key } = record;
  const writes = record.kind === "stream" ? entriesOf(record) : [addOf(key, ADD_COMMANDS[record.type], record.packed)];
  if (record.kind === "stream" && isAboveTop(record)) {
    writes.push({ name: "XSETID", args: [key, record.lastId ?? ""] });
  }
  if (moment.how === "A") writes.push({ name: "PEXPIREAT", args: [key, moment.ms] });
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

/** Why the record may not have been written. */
function failureOf({ from, at, within, count }: Plain, replies: readonly Reply[]): Error | undefined {
  const reply = replies[at];
  if (within < 0) return reply instanceof Error ? reply : undefined;
  // A transaction that was not run says so last; why, was said before.
  if (!Array.isArray(reply)) return firstError(replies, from, at + 1) ?? new Error("a transaction was not run");
  return firstError(reply as readonly Reply[], 0, 1) ?? firstError(reply as readonly Reply[], within, within + count);
}

function firstError(replies: readonly Reply[], from: number, to: number): Error | undefined {
  for (let at = from; at < to; at++) {
    const reply = replies[at];
    if (reply instanceof Error) return reply;
  }
  return undefined;
}

function outcomeOf(record: PlainRecord): Outcome {
  if (record.kind !== "stream") return RESTORED;
  const tally = new EntryTally([]);
  tally.restored(record.count);
  return tally.outcome(RESTORED);
}
