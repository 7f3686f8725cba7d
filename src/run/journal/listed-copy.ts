/**
 * A copy of a job's list for whoever looks at its report, written while the list is read: made with the first record.
 * One that cannot be written costs nobody the reading.
 */
import { type FileHandle, open } from "node:fs/promises";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { printableJson } from "../../model/display.js";
import type { ListedRecord } from "../listed-record.js";

/** Lines are handed to the system once there are as many characters of them. */
const WRITE_LENGTH = 256 * 1024;

export interface ListedCopyInit {
  /** The list, for messages. */
  readonly from: string;
  readonly to: string;
}

export class ListedCopy {
  readonly #init: ListedCopyInit;
  #file: FileHandle | undefined;
  #pending = "";
  #failure: RestoreError | undefined;

  constructor(init: ListedCopyInit) {
    this.#init = init;
  }

  /** Why the copy is not whole: RestoreError LOCAL_IO. */
  get failure(): RestoreError | undefined {
    return this.#failure;
  }

  /** Never throws. Nothing more is written once something could not be. */
  async add(record: ListedRecord): Promise<void> {
    if (this.#failure !== undefined) return;
    this.#pending += `${printableJson(record)}\n`;
    if (this.#pending.length >= WRITE_LENGTH) await this.#write();
  }

  /** Writes what is left and lets go of the file. Repeatable, never throws. */
  async close(): Promise<void> {
    if (this.#pending !== "" && this.#failure === undefined) await this.#write();
    await this.#file?.close().catch((error: unknown) => this.#fail(error));
    this.#file = undefined;
  }

  async #write(): Promise<void> {
    const { to } = this.#init;
    const text = this.#pending;
    this.#pending = "";
    try {
      this.#file ??= await open(to, "w", 0o600);
      await this.#file.appendFile(text);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(cause: unknown): void {
    const { from, to } = this.#init;
    this.#failure ??= new RestoreError("LOCAL_IO", `cannot write ${to}: ${messageOf(cause)}`, {
      hint: `Name a writable place with --report. The list stands in ${from} as well.`,
      cause,
    });
  }
}
