/**
 * The list beside a journal: `listed.jsonl`, a line a record that did not end plainly restored, in the order in which
 * they ended. A line `{"rewound":"redis:db_0"}` takes back what stands before it of that scope.
 */
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { scopeLabel } from "../../model/scope.js";
import { wholeLines } from "../../support/file-lines.js";
import type { ListedRecord } from "../listed-record.js";
import { listedRecordSchema } from "./entries.js";

/** Lines are handed to the system once there are as many bytes of them. */
const WRITE_BYTES = 256 * 1024;

/** What earlier processes of the job left. */
export interface ListedBefore {
  /** Length of the list. */
  readonly bytes: number;
  /** Whether a scope was rewound. */
  readonly isRewound: boolean;
}

/** A line that takes back what stands before it, with its scope as JSON. */
const REWOUND = /^\{"rewound":("(?:[^"\\]|\\.)*")\}$/;

export class ListedFile {
  readonly path: string;
  readonly #file: FileHandle;
  #bytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Whether a scope may have been rewound. */
  #isRewound: boolean;

  private constructor(path: string, file: FileHandle, { bytes, isRewound }: ListedBefore) {
    this.path = path;
    this.#file = file;
    this.#bytes = bytes;
    this.#isRewound = isRewound;
  }

  /** Cuts the file back to what was there. @throws RestoreError LOCAL_IO, JOURNAL_INVALID when it is shorter than that */
  static async open(directory: string, before: ListedBefore): Promise<ListedFile> {
    const { bytes } = before;
    const path = join(directory, "listed.jsonl");
    let file: FileHandle | undefined;
    try {
      file = await open(path, "a+", 0o600);
      const { size } = await file.stat();
      if (size < bytes) throw tooShort(path, size, bytes);
      await file.truncate(bytes);
      return new ListedFile(path, file, before);
    } catch (error) {
      await file?.close().catch(() => undefined);
      throw error instanceof RestoreError ? error : unwritable(path, error);
    }
  }

  /** Length of the list with everything that was added so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The records that count, in their order, once they were flushed. */
  records(): AsyncGenerator<ListedRecord> {
    return readListed(this.path, this.#isRewound);
  }

  /** Adds lines. They are written soon, and are on disk after `flush`. */
  add(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#isRewound ||= lines.some((line) => REWOUND.test(line));
    const text = Buffer.from(`${lines.join("\n")}\n`);
    this.#bytes += text.length;
    this.#pending.push(text);
    this.#pendingBytes += text.length;
    if (this.#pendingBytes < WRITE_BYTES) return;
    this.#writing = this.#writing.then(() => this.#write());
    // Whoever flushes next is told.
    this.#writing.catch(() => undefined);
  }

  /** Everything that was added is on disk. @throws RestoreError LOCAL_IO */
  async flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
    await this.#file.datasync().catch((error: unknown) => {
      throw unwritable(this.path, error);
    });
  }

  /** Lets go of the file. Repeatable. What was added and not flushed may be missing in it then. */
  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#file.close().catch(() => undefined);
  }

  async #write(): Promise<void> {
    const taken = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      await this.#file.appendFile(taken);
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }
}

/**
 * The listed records of a job, in their order; nothing where the file is missing. `mayBeRewound`: false spares a second
 * reading where no scope was.
 */
export async function* readListed(path: string, mayBeRewound = true): AsyncGenerator<ListedRecord> {
  const rewound = mayBeRewound ? await rewoundAt(path) : new Map<string, number>();
  let number = 0;
  for await (const line of wholeLines(path)) {
    number++;
    const json: unknown = JSON.parse(line);
    if (typeof json === "object" && json !== null && "rewound" in json) continue;
    const record = listedRecordSchema.parse(json) as ListedRecord;
    if (number > (rewound.get(scopeLabel({ adapter: record.adapter, name: record.scope })) ?? 0)) yield record;
  }
}

/** By scope, the number of the last line that takes back what stands before it. */
async function rewoundAt(path: string): Promise<ReadonlyMap<string, number>> {
  const rewound = new Map<string, number>();
  let number = 0;
  for await (const line of wholeLines(path)) {
    number++;
    const [, label] = REWOUND.exec(line) ?? [];
    if (label !== undefined) rewound.set(JSON.parse(label) as string, number);
  }
  return rewound;
}

function tooShort(path: string, size: number, bytes: number): RestoreError {
  return new RestoreError("JOURNAL_INVALID", `${path} has ${size} bytes, and ${bytes} by the journal beside it`, {
    hint: "The job cannot be taken up again. `elastickv-restore cancel` lets go of it; then restore with --mode merge or replace.",
    retry: "fatal",
  });
}

function unwritable(path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot write ${path}: ${messageOf(cause)}`, {
    hint: "Make room or name another place with --state-dir, then take the job up again.",
    retry: "fatal",
    cause,
  });
}
