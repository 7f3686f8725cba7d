/** Values of any number in a file, each of which can be taken out once. What is left can be looked through. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { WorkFile } from "../../../support/work-file.js";

const HEAD_BYTES = 5;
const THERE = 0;
const TAKEN = 1;

/** `T`: plain objects, arrays, texts, numbers and bytes. */
export class Drawer<T> {
  readonly #directory: string;
  #file: WorkFile | undefined;
  #end = 0;

  /** `directory` takes the file, if one is needed. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Returns where it lies. @throws RestoreError LOCAL_IO, like all below */
  put(value: T): number {
    this.#file ??= new WorkFile(join(this.#directory, `drawer-${randomBytes(8).toString("hex")}`));
    const at = this.#end;
    const bytes = serialize(value);
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(THERE, 0);
    head.writeUInt32LE(bytes.length, 1);
    this.#file.write(Buffer.concat([head, bytes]), at);
    this.#end += HEAD_BYTES + bytes.length;
    return at;
  }

  /** Undefined when it was taken out before. */
  take(at: number): T | undefined {
    const found = this.#read(at);
    if (found.isTaken) return undefined;
    this.#file?.write(Uint8Array.of(TAKEN), at);
    return found.value;
  }

  /** What nobody took out, in the order in which it was put. */
  *left(): Generator<T> {
    for (let at = 0; at < this.#end; ) {
      const { isTaken, value, next } = this.#read(at);
      if (!isTaken) yield value;
      at = next;
    }
  }

  /** Removes the file. Repeatable; nothing may be asked afterwards. */
  close(): void {
    this.#file?.remove();
  }

  #read(at: number): { readonly isTaken: boolean; readonly value: T; readonly next: number } {
    const head = Buffer.alloc(HEAD_BYTES);
    this.#file?.read(head, at);
    const bytes = Buffer.alloc(head.readUInt32LE(1));
    this.#file?.read(bytes, at + HEAD_BYTES);
    return { isTaken: head[0] === TAKEN, value: deserialize(bytes) as T, next: at + HEAD_BYTES + bytes.length };
  }
}
