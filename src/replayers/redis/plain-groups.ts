/**
 * The commands of plain records, gathered for a pipeline: by themselves, several records in a transaction, or several in
 * a script that looks at what stands under each key first. And the answers, found again among the replies.
 */
import type { CollectionRecord, StreamRecord, StringRecord } from "../../model/record.js";
import { replyError } from "./classify-error.js";
import { typeOfRecord } from "./context.js";
import { temporaryKey } from "./own-keys.js";
import { type Arguments, argumentsIn, type Command, type Reply } from "./resp.js";
import { type ScriptMode, WRITE_BY_COMMANDS } from "./scripts.js";

/** Transactions and scripts stay so short that other clients do not notice them. */
const GROUP_RECORDS = 64;
const GROUP_BYTES = 256 * 1024;

export const MULTI: Command = { name: "MULTI", args: [] };
export const EXEC: Command = { name: "EXEC", args: [] };

export type PlainRecord =
  | (StringRecord & { readonly value: { readonly bytes: Buffer } })
  | (CollectionRecord & Required<Pick<CollectionRecord, "packed">>)
  | (StreamRecord & Required<Pick<StreamRecord, "packed">>);

/** A plain record on its way. */
export interface Plain {
  /** Its place in the batch. */
  readonly i: number;
  readonly record: PlainRecord;
  readonly mode: ScriptMode;
  /** What its commands are part of. */
  by: "itself" | "transaction" | "script";
  /** Where its reply, or that of its group, is among the replies, and where that begins. */
  from: number;
  at: number;
  /** Its own replies within its group's. */
  within: number;
  count: number;
}

/** Why the record may not have been written, or a word of the script. `ok` where there is no more to say. */
export function answerOf({ by, from, at, within, count }: Plain, replies: readonly Reply[]): Error | string {
  const reply = replies[at];
  if (by === "itself") return reply instanceof Error ? reply : reply === null ? "exists" : "ok";
  // A transaction that was not run says so last; why, was said before.
  if (!Array.isArray(reply)) return firstError(replies, from, at + 1) ?? new Error(`a ${by} was not run`);
  if (by === "script") return wordOf((reply as readonly Reply[])[within]);
  const own = reply as readonly Reply[];
  return firstError(own, 0, 1) ?? firstError(own, within, within + count) ?? "ok";
}

/** Refusals that the script hands on are errors as they would be outside of it. */
function wordOf(reply: Reply | undefined): Error | string {
  const word = String(reply);
  if (word === "OK") return "ok";
  return word.startsWith("!") ? replyError(word.slice(1)) : word;
}

function firstError(replies: readonly Reply[], from: number, to: number): Error | undefined {
  for (let at = from; at < to; at++) {
    const reply = replies[at];
    if (reply instanceof Error) return reply;
  }
  return undefined;
}

/** Between others that are not its own. */
export class Transaction {
  readonly #commands: Command[];
  #plains: Plain[] = [];
  #keys: Buffer[] = [];
  #writes: Command[] = [];
  #bytes = 0;

  constructor(commands: Command[]) {
    this.#commands = commands;
  }

  add(plain: Plain, writes: readonly Command[]): void {
    const { key, bytes } = plain.record;
    if (isFull(this.#plains.length, this.#bytes, bytes)) this.end();
    plain.by = "transaction";
    // Behind the one that deletes all keys.
    plain.within = 1 + this.#writes.length;
    plain.count = writes.length;
    this.#plains.push(plain);
    this.#keys.push(key);
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

/** Calls of the script, each for records of one type under one condition. */
export class ScriptCalls {
  readonly #commands: Command[];
  readonly #jobId: string;
  readonly #open = new Map<string, ScriptCall>();

  constructor(commands: Command[], jobId: string) {
    this.#commands = commands;
    this.#jobId = jobId;
  }

  add(plain: Plain, writes: readonly Command[]): void {
    const { mode, record } = plain;
    const name = `${mode} ${typeOfRecord(record)}`;
    let call = this.#open.get(name);
    if (call !== undefined && isFull(call.plains.length, call.bytes, record.bytes)) {
      this.#end(call);
      call = undefined;
    }
    if (call === undefined) {
      call = { plains: [], more: [], bytes: 0 };
      this.#open.set(name, call);
    }
    plain.by = "script";
    plain.within = call.plains.push(plain) - 1;
    addArguments(call.more, writes);
    call.bytes += record.bytes;
  }

  end(): void {
    for (const call of this.#open.values()) this.#end(call);
    this.#open.clear();
  }

  #end({ plains, more }: ScriptCall): void {
    const [first] = plains;
    if (first === undefined) return;
    const { mode, record } = first;
    const keys = plains.map((plain) => plain.record.key);
    const spare = temporaryKey(this.#jobId, record.key);
    const args = [WRITE_BY_COMMANDS, String(1 + keys.length), spare, ...keys, mode, typeOfRecord(record)];
    const at = this.#commands.push({ name: "EVAL", args, more }) - 1;
    for (const plain of plains) plain.at = plain.from = at;
  }
}

interface ScriptCall {
  readonly plains: Plain[];
  readonly more: Arguments[];
  bytes: number;
}

/** A record's part of the script's arguments. */
function addArguments(all: Arguments[], writes: readonly Command[]): void {
  let total = 0;
  for (const write of writes) total += 1 + argumentsIn(write);
  let own: (string | Buffer)[] = [String(total)];
  for (const write of writes) {
    const { name, args, packed } = write;
    own.push(name, String(argumentsIn(write) - 1));
    for (let i = 1; i < args.length; i++) own.push(args[i] as string | Buffer);
    all.push(packed === undefined ? { args: own } : { args: own, packed });
    own = [];
  }
}

function isFull(records: number, bytes: number, more: number): boolean {
  return records > 0 && (records >= GROUP_RECORDS || bytes + more > GROUP_BYTES);
}
