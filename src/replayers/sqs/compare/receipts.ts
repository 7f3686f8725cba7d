/**
 * Receipts of the messages that have to be given back, in a file: some hundred bytes a message. Giving back starts with
 * the first one received.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { WorkFile } from "../../../support/work-file.js";

const LENGTH_BYTES = 4;

export class Receipts {
  readonly #file: WorkFile;
  #end = 0;

  /** @throws RestoreError LOCAL_IO, like all below */
  constructor(directory: string) {
    this.#file = new WorkFile(join(directory, `receipts-${randomBytes(8).toString("hex")}`));
  }

  add(receipts: readonly string[]): void {
    const parts = receipts.flatMap((receipt) => {
      const bytes = Buffer.from(receipt, "utf8");
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    });
    const all = Buffer.concat(parts);
    this.#file.write(all, this.#end);
    this.#end += all.length;
  }

  /** In the order of `add`, so many at a time. */
  *inBatches(size: number): Generator<readonly string[]> {
    let batch: string[] = [];
    for (let at = 0; at < this.#end; ) {
      const length = Buffer.alloc(LENGTH_BYTES);
      this.#file.read(length, at);
      const bytes = Buffer.alloc(length.readUInt32LE());
      this.#file.read(bytes, at + LENGTH_BYTES);
      batch.push(bytes.toString("utf8"));
      at += LENGTH_BYTES + bytes.length;
      if (batch.length < size && at < this.#end) continue;
      yield batch;
      batch = [];
    }
  }

  /** Removes the file. Repeatable. */
  close(): void {
    this.#file.remove();
  }
}
