/** The end of what a job's processes say on standard error, in a file: what was said last is kept, from all of them. */
import { readFile, writeFile } from "node:fs/promises";
import type { Clock } from "../../support/clock.js";

const KEPT_BYTES = 64 * 1024;
const BETWEEN_WRITES_MS = 1_000;

export class OutputFile {
  readonly #path: string;
  readonly #clock: Clock;
  #kept: Buffer;
  #isDirty = false;
  #writing: Promise<void> | undefined;
  #hurry = new AbortController();

  private constructor(path: string, clock: Clock, kept: Buffer) {
    this.#path = path;
    this.#clock = clock;
    this.#kept = kept;
  }

  /** Goes on behind what an earlier process said. */
  static async open(path: string, clock: Clock): Promise<OutputFile> {
    return new OutputFile(path, clock, await readFile(path).catch(() => Buffer.alloc(0)));
  }

  /** Never rejects: what cannot be written is lost. */
  take(chunk: Buffer): void {
    const whole = Buffer.concat([this.#kept, chunk]);
    this.#kept = whole.subarray(Math.max(0, whole.length - KEPT_BYTES));
    this.#isDirty = true;
    this.#writing ??= this.#write();
  }

  /** Resolves once all of it is written. */
  async close(): Promise<void> {
    this.#hurry.abort();
    await this.#writing;
  }

  /** The last line that says anything, without what is for terminals. */
  get lastLine(): string | undefined {
    const lines = this.#kept.toString("utf8").split("\n");
    return lines.map((line) => line.trim()).findLast((line) => line !== "");
  }

  async #write(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      await writeFile(this.#path, this.#kept, { mode: 0o600 }).catch(() => undefined);
      await this.#clock.sleep(BETWEEN_WRITES_MS, this.#hurry.signal).catch(() => undefined);
    }
    this.#writing = undefined;
  }
}
