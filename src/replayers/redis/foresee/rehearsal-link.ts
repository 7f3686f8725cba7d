/**
 * The link that a write is rehearsed over: questions go to the target, and every command and script that would write is
 * answered here as the target would answer it, with what the rehearsal wrote before taken into account. For one record.
 *
 * A command that is not known here ends the rehearsal: nothing reaches the target that could write.
 */
import { RestoreError } from "../../../errors/restore-error.js";
import { elementsOf } from "../added-content.js";
import { replyError } from "../classify-error.js";
import { LENGTH_BY_SCRIPT, PART_BY_SCRIPT } from "../compare/value.js";
import type { Command, Reply } from "../connection.js";
import type { WriteContext } from "../context.js";
import { notesOf } from "../expiry.js";
import { isCountable, registersOf } from "../hyperloglog.js";
import type { Requests } from "../link.js";
import {
  ADD_ENTRIES,
  ADD_TO_EXISTING,
  APPEND_ENTRIES,
  APPEND_TO_LIST,
  COMMIT,
  hindranceOf,
  MERGE_SKETCH,
  type ScriptMode,
} from "../scripts.js";
import type { WholeWriter } from "../whole.js";
import { isQuestion, RehearsedTarget } from "./rehearsed-target.js";

type Args = Command["args"];
type WholeRecord = Parameters<WholeWriter["write"]>[0];
type WholeAnswer = Awaited<ReturnType<WholeWriter["write"]>>;

const OK = Buffer.from("OK");
const NOT_A_COUNTER = "WRONGTYPE Key is not a valid HyperLogLog string value.";
const TORN = "INVALIDOBJ Corrupted HLL object detected";
const NOT_ABOVE = "ERR The ID specified in XADD is equal or smaller than the target stream top item";

export class RehearsalLink implements Requests {
  readonly #context: Pick<WriteContext, "link" | "abilities">;
  readonly #target: RehearsedTarget;

  /** `isEmptied`: as if the target held nothing. */
  constructor(context: Pick<WriteContext, "link" | "abilities">, isEmptied: boolean) {
    this.#context = context;
    this.#target = new RehearsedTarget(context, isEmptied);
  }

  get clustered(): boolean {
    return this.#context.link.clustered;
  }

  classify(error: Error, operation: string): RestoreError {
    return this.#context.link.classify(error, operation);
  }

  async request({ build }: Parameters<Requests["request"]>[0]): Promise<Reply[]> {
    const commands = build();
    if (commands.every(isQuestion)) return await this.#target.read(commands);
    const replies: Reply[] = [];
    for (const command of commands) replies.push(await this.#answer(command));
    return replies;
  }

  async command(name: string, args: Args): Promise<Reply> {
    const reply = await this.#answer({ name, args });
    if (reply instanceof Error) throw this.classify(reply, name);
    return reply;
  }

  /** As `WholeWriter.write`. */
  async write({ key, mode, kind, command, moment }: WholeRecord): Promise<WholeAnswer> {
    const now = moment();
    if (now.how === "skip") return { word: "expired", notes: [] };
    const type = mode === "put" ? "none" : await this.#target.typeOf(key);
    const notes = notesOf(now);
    const why = hindranceOf(type, mode, kind);
    if (why !== undefined) return { word: why, notes };
    if (now.how === "X") return { word: "deleted", notes };
    const isMerged = mode === "merge" && type !== "none";
    return { word: isMerged ? await this.#added(key, command) : "ok", notes };
  }

  async #answer(command: Command): Promise<Reply> {
    const { name, args } = command;
    const key = bytesOf(args[name === "XGROUP" || name === "XINFO" ? 1 : 0]);
    switch (name) {
      case "TYPE":
        return Buffer.from(await this.#target.typeOf(key));
      case "EXISTS":
        return (await this.#target.typeOf(key)) === "none" ? 0 : 1;
      case "EVAL":
        return await this.#script(args);
      case "SET":
        return await this.#set(key, args);
      case "DEL":
        this.#target.leave(key, { type: "none" });
        return 1;
      case "PFCOUNT":
        return await this.#count(key);
      case "PFADD":
        return (await this.#added(key, name)) === "ok" ? 1 : replyError(NOT_A_COUNTER);
      case "RPUSH":
        return this.#target.push(key, elementsOf(command));
      case "HSET":
      case "SADD":
      case "ZADD":
      case "PEXPIRE":
      case "PEXPIREAT":
      case "PERSIST":
        return 1;
      case "XADD":
        return await this.#addEntry(key, args);
      case "XGROUP":
        if (args[0] === "CREATE") this.#target.leave(key, { type: "stream", last: "0-0" });
        return OK;
      case "XSETID":
        this.#target.leave(key, { ...(await this.#target.stream(key)), last: String(args[1]) });
        return OK;
      case "XINFO":
        return await this.#info(key);
      case "XREVRANGE":
        return await this.#highest(key);
      default:
        return (await this.#target.read([{ name, args }]))[0] ?? null;
    }
  }

  async #set(key: Buffer, args: Args): Promise<Reply> {
    if (args.includes("NX") && (await this.#target.typeOf(key)) !== "none") return null;
    this.#target.leave(key, { type: "string", value: bytesOf(args[1]) });
    return OK;
  }

  /** Of a sketch that was set before; elastickv's count changes nothing, while Redis's may write. */
  async #count(key: Buffer): Promise<Reply> {
    const { link, abilities } = this.#context;
    const { value } = this.#target.leftAt(key) ?? {};
    if (value === undefined && !abilities.sketches) return await link.command("PFCOUNT", [key]);
    return value !== undefined && isCountable(value) ? 0 : replyError(NOT_A_COUNTER);
  }

  /** The word for elements that are added to what is there. */
  async #added(key: Buffer, command: string): Promise<string> {
    const isRefused =
      command === "PFADD" && (await this.#target.typeOf(key)) === "string" && !(await this.#target.isCounter(key));
    return isRefused ? `!${NOT_A_COUNTER}` : "ok";
  }

  async #script(args: Args): Promise<Reply> {
    const [script, count] = args;
    const keys = args.slice(2, 2 + Number(count)).map(bytesOf);
    const rest = args.slice(2 + Number(count));
    const [key = NO_KEY, second = NO_KEY] = keys;
    switch (script) {
      case COMMIT:
        return Buffer.from(await this.#commit(second, rest.map(String)));
      case ADD_TO_EXISTING:
        return Buffer.from(await this.#addToExisting(key, rest.slice(0, 3).map(String)));
      case MERGE_SKETCH:
        return Buffer.from(await this.#mergeSketch(key, second, String(rest[0])));
      case APPEND_TO_LIST:
        return [Buffer.from(await this.#append(key, "list", { mustExist: rest[2], how: rest[3] })), -1];
      case APPEND_ENTRIES: {
        const word = await this.#append(key, "stream", { mustExist: rest[1], how: rest[2] });
        return [
          Buffer.from(word),
          -1,
          Buffer.from(
            entriesOf(rest.slice(4), 0)
              .map(() => "0-1")
              .join("\n"),
          ),
        ];
      }
      case ADD_ENTRIES:
        return await this.#addEntries(key, rest);
      case LENGTH_BY_SCRIPT:
      case PART_BY_SCRIPT:
        return await this.#context.link.command("EVAL", args);
      default:
        throw new RestoreError("INTERNAL", "a script was not rehearsed");
    }
  }

  async #commit(key: Buffer, [mode = "", kind = "", how]: readonly string[]): Promise<string> {
    const why = mode === "put" ? undefined : hindranceOf(await this.#target.typeOf(key), mode as ScriptMode, kind);
    return why ?? (how === "X" ? "deleted" : "ok");
  }

  async #addToExisting(key: Buffer, [kind, command = "", how]: readonly string[]): Promise<string> {
    const type = await this.#target.typeOf(key);
    if (type === "none") return "gone";
    if (type !== kind) return "wrong-type";
    return how === "X" ? "deleted" : await this.#added(key, command);
  }

  /** Merging looks at the registers, even where a count is cached. */
  async #mergeSketch(key: Buffer, sketch: Buffer, how: string): Promise<string> {
    const type = await this.#target.typeOf(key);
    if (type !== "none" && type !== "string") return "wrong-type";
    if (how === "X") return "deleted";
    const word = await this.#added(key, "PFADD");
    const { value = NO_KEY } = this.#target.leftAt(sketch) ?? {};
    if (word !== "ok") return word;
    const isWhole = registersOf(value) !== undefined && (type === "none" || (await this.#target.isWholeSketch(key)));
    return isWhole ? word : `!${TORN}`;
  }

  async #append(
    key: Buffer,
    kind: string,
    { mustExist, how }: { readonly mustExist: unknown; readonly how: unknown },
  ): Promise<string> {
    const type = await this.#target.typeOf(key);
    if (type !== "none" && type !== kind) return "wrong-type";
    if (type === "none" && mustExist === "1") return "gone";
    if (how === "X") return "deleted";
    this.#target.leave(key, { type: kind });
    return "ok";
  }

  async #addEntries(key: Buffer, [mustExist, ...content]: Args): Promise<Reply> {
    const type = await this.#target.typeOf(key);
    if (type === "none" && mustExist === "1") return [Buffer.from("gone")];
    if (type !== "none" && type !== "stream") return [Buffer.from("wrong-type")];
    const refusals: Buffer[] = [];
    for (const [i, id] of entriesOf(content, 1).entries()) {
      if (!(await this.#target.takes(key, id))) refusals.push(Buffer.from(String(i + 1)), Buffer.from(`!${NOT_ABOVE}`));
    }
    return [Buffer.from("ok"), ...refusals];
  }

  async #addEntry(key: Buffer, args: Args): Promise<Reply> {
    if (args[1] === "MAXLEN") {
      this.#target.leave(key, { type: "stream", last: String(args[3]) });
      return OK;
    }
    return (await this.#target.takes(key, String(args[1]))) ? OK : replyError(NOT_ABOVE);
  }

  async #info(key: Buffer): Promise<Reply> {
    const { last = "0-0" } = await this.#target.stream(key);
    return [Buffer.from("last-generated-id"), Buffer.from(last)];
  }

  /** The highest entry, of which its id is all that is asked for. */
  async #highest(key: Buffer): Promise<Reply> {
    const { top } = await this.#target.stream(key);
    return top === undefined ? [] : [[Buffer.from(top), []]];
  }
}

const NO_KEY = Buffer.alloc(0);

function bytesOf(argument: string | Buffer | undefined): Buffer {
  return Buffer.from(argument ?? "");
}

/** What stands before each entry's number of fields: its id, where there is one. */
function entriesOf(content: Args, before: 0 | 1): string[] {
  const ids: string[] = [];
  for (let at = 0; at < content.length; at += before + 1 + Number(content[at + before])) ids.push(String(content[at]));
  return ids;
}
