/** The target as it stands with what a rehearsal has written. What it did not write is asked of the target itself. */
import { RestoreError } from "../../../errors/restore-error.js";
import type { Command, Reply } from "../connection.js";
import type { WriteContext } from "../context.js";
import { looksLikeSketch, registersOf, SKETCH_HEAD_BYTES } from "../hyperloglog.js";
import { topIdOf } from "../stream-by-entry.js";
import { compareIds } from "../stream-entries.js";
import { lastGeneratedId } from "../stream-fill.js";

/** What the rehearsal left under a key. Of a stream: its highest entry, and the last id that it handed out. */
interface Left {
  readonly type: string;
  readonly top?: string | undefined;
  readonly last?: string;
  /** Of a string. */
  readonly value?: Buffer;
  /** Of a list, what was added to it. */
  readonly length?: number;
}

/** No sketch is longer; of what is, so much is no sketch either. */
const MOST_SKETCH_BYTES = 64 * 1024;

/** Commands that ask. */
const READING = new Set([
  ...["HGET", "STRLEN", "GETRANGE", "HLEN", "HMGET", "LLEN", "LRANGE", "SCARD", "SISMEMBER", "ZCARD", "ZSCORE"],
  ...["XLEN", "XRANGE", "GET"],
]);

export function isQuestion({ name }: Command): boolean {
  return READING.has(name);
}

export class RehearsedTarget {
  readonly #context: Pick<WriteContext, "link" | "abilities">;
  readonly #isEmptied: boolean;
  readonly #left = new Map<string, Left>();

  /** `isEmptied`: it holds nothing, whatever it holds now. */
  constructor(context: Pick<WriteContext, "link" | "abilities">, isEmptied: boolean) {
    this.#context = context;
    this.#isEmptied = isEmptied;
  }

  async typeOf(key: Buffer): Promise<string> {
    const left = this.leftAt(key);
    if (left !== undefined) return left.type;
    return this.#isEmptied ? "none" : String(await this.#context.link.command("TYPE", [key]));
  }

  leave(key: Buffer, left: Left): void {
    this.#left.set(key.toString("latin1"), left);
  }

  leftAt(key: Buffer): Left | undefined {
    return this.#left.get(key.toString("latin1"));
  }

  /** How many elements were added to the list by now. */
  push(key: Buffer, elements: number): number {
    const length = (this.leftAt(key)?.length ?? 0) + elements;
    this.leave(key, { type: "list", length });
    return length;
  }

  /** Asks the target, in one request. @throws RestoreError INTERNAL for what does more than ask */
  async read(commands: readonly Command[]): Promise<Reply[]> {
    const other = commands.find((command) => !isQuestion(command));
    if (other !== undefined) throw new RestoreError("INTERNAL", `${other.name} was not rehearsed`);
    if (this.#isEmptied) return commands.map(({ name }) => (name === "XRANGE" ? [] : null));
    return await this.#context.link.request({ build: () => commands });
  }

  /** Whether the server adds members to this string. */
  async isCounter(key: Buffer): Promise<boolean> {
    if (this.leftAt(key) !== undefined) return true;
    const { link, abilities } = this.#context;
    if (!abilities.sketches) {
      const [count] = await link.request({ build: () => [{ name: "PFCOUNT", args: [key] }] });
      return !(count instanceof Error);
    }
    const [size, head] = await this.read([
      { name: "STRLEN", args: [key] },
      { name: "GETRANGE", args: [key, "0", String(SKETCH_HEAD_BYTES - 1)] },
    ]);
    return Buffer.isBuffer(head) && looksLikeSketch(head, Number(size));
  }

  /** Whether all registers of the string can be read, as merging does. */
  async isWholeSketch(key: Buffer): Promise<boolean> {
    if (this.leftAt(key) !== undefined) return true;
    const [bytes] = await this.read([{ name: "GETRANGE", args: [key, "0", String(MOST_SKETCH_BYTES)] }]);
    return Buffer.isBuffer(bytes) && registersOf(bytes) !== undefined;
  }

  /** Whether the stream takes an entry under this id; it has it then. */
  async takes(key: Buffer, id: string): Promise<boolean> {
    const { last = "0-0" } = await this.stream(key);
    if (compareIds(id, last) <= 0) return false;
    this.leave(key, { type: "stream", top: id, last: id });
    return true;
  }

  async stream(key: Buffer): Promise<Left> {
    const left = this.leftAt(key);
    if (left !== undefined) return left;
    if (this.#isEmptied) return { type: "stream" };
    const { link } = this.#context;
    if ((await this.typeOf(key)) === "none") return { type: "stream" };
    const [top, last = top ?? "0-0"] = await Promise.all([topIdOf(link, key), lastGeneratedId(link, key)]);
    return { type: "stream", top, last };
  }
}
