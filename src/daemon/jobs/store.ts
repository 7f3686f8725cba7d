/**
 * The folders of jobs: one a job, `job.json` in it replaced as a whole, readable by their owner alone. A folder without it
 * is of a job that nobody was told of, or of one that is being removed: it goes.
 */
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { replaceFile, syncDirectory } from "../../support/durable-files.js";
import { someAtOnce } from "../../support/some-at-once.js";
import { JOB_ID } from "../schema/job.js";
import { filesOf } from "./folder.js";
import { type JobRecord, recordSchema } from "./record.js";

const READ_AT_ONCE = 32;

export class Store {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder where it is missing. @throws RestoreError LOCAL_IO */
  static async open(folder: string): Promise<Store> {
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
      throw unwritable(folder, cause);
    });
    return new Store(folder);
  }

  /**
   * Calls `take` with every record, in no order. `damaged`: told of those that cannot be read; they stay where they are.
   * @throws RestoreError LOCAL_IO
   */
  async readAll(take: (record: JobRecord) => void, damaged: (text: string) => void): Promise<void> {
    const names = await readdir(this.folder).catch((cause: unknown) => {
      throw unwritable(this.folder, cause);
    });
    await someAtOnce(
      names.filter((name) => JOB_ID.test(name)),
      READ_AT_ONCE,
      async (id) => {
        const text = await this.#textOf(id);
        if (text === undefined) return await rm(join(this.folder, id), { recursive: true, force: true });
        const record = parsed(text);
        if (record?.id === id) take(record);
        else damaged(`the record of job ${id} cannot be read: it is damaged or of another version`);
      },
    );
  }

  /** Resolves once the job's folder and record are on disk. @throws RestoreError LOCAL_IO; nothing is left then */
  async create(record: JobRecord): Promise<void> {
    const { folder } = filesOf(this.folder, record);
    try {
      await mkdir(folder, { mode: 0o700 });
      await this.write(record);
      await syncDirectory(this.folder);
    } catch (cause) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      throw cause instanceof RestoreError ? cause : unwritable(folder, cause);
    }
  }

  /** Resolves once it is on disk. @throws RestoreError LOCAL_IO */
  async write(record: JobRecord): Promise<void> {
    const path = filesOf(this.folder, record).record;
    await replaceFile(path, `${JSON.stringify(record)}\n`).catch((cause: unknown) => {
      throw unwritable(path, cause);
    });
  }

  /** Of a job whose folder is there. Waits for the disk: lists of jobs are asked for page by page. */
  read(id: string): JobRecord {
    return recordSchema.parse(JSON.parse(readFileSync(join(this.folder, id, "job.json"), "utf8")));
  }

  /** Repeatable; what a crash leaves of it is no job any more. */
  async remove(id: string): Promise<void> {
    await rm(join(this.folder, id, "job.json"), { force: true });
    await rm(join(this.folder, id), { recursive: true, force: true });
  }

  async #textOf(id: string): Promise<string | undefined> {
    return await readFile(join(this.folder, id, "job.json"), "utf8").catch((cause: unknown) => {
      if (systemCode(cause) === "ENOENT") return undefined;
      throw new RestoreError("LOCAL_IO", `cannot read the record of job ${id}: ${messageOf(cause)}`, { cause });
    });
  }
}

function parsed(text: string): JobRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function unwritable(path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot keep jobs in ${path}: ${messageOf(cause)}`, {
    hint: "Make room, or name another place with --state-dir.",
    cause,
  });
}
