/**
 * The runs of a schedule in a file, a line for each time that one changed; the last line of a run counts. A line is on disk
 * before anything is done because of it. Beyond a number of them, the runs that ended first are forgotten.
 */
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { replaceFile } from "../../support/durable-files.js";
import { type Run, runSchema } from "../schema/schedule.js";

/** Of a nightly drill, more than two years. */
const MOST_RUNS = 1000;

export class RunHistory {
  readonly #path: string;
  readonly #most: number;
  /** In the order in which they began. */
  readonly #runs = new Map<string, Run>();
  #lines: number;

  private constructor(path: string, most: number, { runs, lines }: { runs: readonly Run[]; lines: number }) {
    this.#path = path;
    this.#most = most;
    this.#lines = lines;
    for (const run of runs) this.#runs.set(run.id, run);
  }

  /**
   * Makes the file's folder where it is missing. Lines that cannot be read are told by `damaged`, once; the file that held
   * them is kept beside the new one.
   * @throws RestoreError LOCAL_IO
   */
  static async open(path: string, damaged: (text: string) => void, most: number = MOST_RUNS): Promise<RunHistory> {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const { runs, whole, unreadable } = await readRuns(path);
      const history = new RunHistory(path, most, { runs, lines: whole });
      if (unreadable > 0) {
        await rename(path, `${path}.damaged`);
        damaged(`${unreadable} lines of ${path} cannot be read; the file is kept as ${path}.damaged`);
      }
      await history.#rewrite();
      return history;
    } catch (cause) {
      throw fault("read", path, cause);
    }
  }

  /** The latest first. */
  list(): readonly Run[] {
    return [...this.#runs.values()].reverse();
  }

  /** The runs that have not ended, the earliest first. */
  unended(): readonly Run[] {
    return [...this.#runs.values()].filter(({ state }) => state !== "ended");
  }

  /** Adds a run, or replaces the one of its id. Resolves once it is on disk. @throws RestoreError LOCAL_IO */
  async put(run: Run): Promise<void> {
    try {
      await append(this.#path, `${JSON.stringify(run)}\n`);
    } catch (cause) {
      // What of the line may stand there would run into the next one.
      await this.#rewrite().catch(() => undefined);
      throw fault("add to", this.#path, cause);
    }
    this.#runs.set(run.id, run);
    this.#lines++;
    // The run itself is kept by now.
    if (this.#lines > 2 * this.#most) await this.#rewrite().catch(() => undefined);
  }

  async #rewrite(): Promise<void> {
    const ended = [...this.#runs.values()].filter(({ state }) => state === "ended");
    for (const { id } of ended.slice(0, Math.max(0, ended.length - this.#most))) this.#runs.delete(id);
    const runs = [...this.#runs.values()];
    await replaceFile(this.#path, runs.map((run) => `${JSON.stringify(run)}\n`).join(""));
    this.#lines = runs.length;
  }
}

async function append(path: string, text: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.appendFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A line that a crash cut off at the end was never acted upon, and is none. */
async function readRuns(path: string): Promise<{ runs: Run[]; whole: number; unreadable: number }> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n").slice(0, -1);
  const runs = new Map<string, Run>();
  let unreadable = 0;
  for (const line of lines) {
    const run = parsedRun(line);
    if (run === undefined) unreadable++;
    else runs.set(run.id, run);
  }
  return { runs: [...runs.values()], whole: lines.length, unreadable };
}

function parsedRun(line: string): Run | undefined {
  try {
    return runSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function fault(what: string, path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot ${what} ${path}: ${messageOf(cause)}`, {
    hint: "Make room, or name another place with --state-dir.",
    cause,
  });
}
