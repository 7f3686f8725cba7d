/** Where listed records go: the first ones stay in memory for the report, all of them go to a JSONL file when one is named. */

import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import { printableJson } from "../model/display.js";
import type { ListedRecord, RejectsSink } from "./ledger.js";

const KEPT = 1000;

export class Rejects implements RejectsSink {
  /** The first listed records, in the order in which they ended. */
  readonly first: ListedRecord[] = [];
  readonly path: string | undefined;
  count = 0;
  #file: WriteStream | undefined;
  #draining: Promise<void> | undefined;
  #error: unknown;

  /** `path`: a JSONL file, made when the first record is listed; absent: memory only. */
  constructor(path?: string) {
    this.path = path;
  }

  async write(record: ListedRecord): Promise<void> {
    this.count++;
    if (this.first.length < KEPT) this.first.push(record);
    if (this.path === undefined) return;
    // A stream that broke never drains.
    this.#throwIfBroken();
    this.#file ??= this.#open(this.path);
    if (!this.#file.write(`${printableJson(record)}\n`)) await this.#drain(this.#file);
    this.#throwIfBroken();
  }

  async close(): Promise<void> {
    if (this.#file === undefined) return;
    this.#file.end();
    await finished(this.#file).catch(() => undefined);
    this.#throwIfBroken();
  }

  /** One wait for all writers. */
  #drain(file: WriteStream): Promise<void> {
    this.#draining ??= once(file, "drain")
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        this.#draining = undefined;
      });
    return this.#draining;
  }

  #open(path: string): WriteStream {
    const file = createWriteStream(path, { mode: 0o600 });
    file.on("error", (error) => {
      this.#error = error;
    });
    return file;
  }

  #throwIfBroken(): void {
    if (this.#error === undefined) return;
    throw new RestoreError("LOCAL_IO", `cannot write ${this.path}: ${messageOf(this.#error)}`, {
      hint: "Name a writable place with --report.",
      retry: "fatal",
      cause: this.#error,
    });
  }
}

/** `report.json` → `report.rejects.jsonl`, in the same folder. */
export function rejectsPathFor(reportPath: string): string {
  return `${reportPath.replace(/\.(json|html)$/i, "")}.rejects.jsonl`;
}
