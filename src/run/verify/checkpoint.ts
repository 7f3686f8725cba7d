/**
 * What a comparison that is stopped remembers: the scopes that are done, and of the others how many records were
 * compared. It changes nothing on a target, so what was not kept is compared again, and nothing else is lost.
 */
import { type FileHandle, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import type { Place } from "../../model/position.js";
import { replaceFile } from "../../support/durable-files.js";
import { wholeLines } from "../../support/file-lines.js";
import { STANDINGS, type Standings } from "./counts.js";
import { FoundList } from "./found.js";
import { type VerifiedScope, verifiedScopeSchema } from "./report.js";

const count = z.int().nonnegative();

const begunSchema = z.strictObject({
  compared: count.describe("records that were compared, in the dump's order"),
  standings: z.strictObject(
    Object.fromEntries(STANDINGS.map((each) => [each, count])) as Record<(typeof STANDINGS)[number], typeof count>,
  ),
  unproven: z.array(z.tuple([z.string(), count])),
  bytes: count,
  differences: count,
  suspects: count.describe("bytes of the file of those that differed"),
});

const checkpointSchema = z.strictObject({
  checkpointVersion: z.literal(1),
  fingerprint: z.string(),
  startedAt: count,
  seed: z.string(),
  done: z.record(z.string(), verifiedScopeSchema),
  begun: z.record(z.string(), begunSchema),
});

type Checkpoint = z.infer<typeof checkpointSchema>;

/** The first look at a scope, as far as it went. */
export type Begun = Omit<z.infer<typeof begunSchema>, "standings"> & { readonly standings: Standings };

const SAVE_EVERY_MS = 5_000;

export interface CheckpointInit {
  /** The folder of this comparison. Made where it is missing. */
  readonly directory: string;
  /** Names what is compared with what: another one is begun anew. */
  readonly fingerprint: string;
  readonly takeUp: boolean;
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** Of the sample, should none be taken up. */
  readonly seed: string;
  /** Milliseconds, monotonic. */
  readonly monotonic: () => number;
}

export class Checkpoints {
  readonly found: FoundList;
  readonly #init: CheckpointInit;
  readonly #state: Checkpoint;
  /** By the labels of scopes. */
  readonly #keptAt = new Map<string, number>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(init: CheckpointInit, state: Checkpoint, found: FoundList) {
    this.#init = init;
    this.#state = state;
    this.found = found;
  }

  /** @throws RestoreError LOCAL_IO; JOB_UNKNOWN when there is nothing to be taken up */
  static async open(init: CheckpointInit): Promise<Checkpoints> {
    const { directory, fingerprint, startedAt, seed } = init;
    const kept = init.takeUp ? await readCheckpoint(init) : undefined;
    if (kept === undefined) await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw unwritable(directory, error);
    });
    const state = kept ?? { checkpointVersion: 1, fingerprint, startedAt, seed, done: {}, begun: {} };
    return new Checkpoints(init, state, await FoundList.open(join(directory, "differences.jsonl"), countedIn(state)));
  }

  /** Unix milliseconds of the first process. */
  get startedAt(): number {
    return this.#state.startedAt;
  }

  get seed(): string {
    return this.#state.seed;
  }

  done(label: string): VerifiedScope | undefined {
    return this.#state.done[label];
  }

  begun(label: string): Begun | undefined {
    return this.#state.begun[label];
  }

  /** Whether it is time to keep how far a scope came. */
  isDue(label: string): boolean {
    const now = this.#init.monotonic();
    const before = this.#keptAt.get(label);
    if (before === undefined) this.#keptAt.set(label, now);
    return before !== undefined && now - before >= SAVE_EVERY_MS;
  }

  /** Keeps how far the first look at a scope came. @throws RestoreError LOCAL_IO */
  async keep(label: string, begun: Begun): Promise<void> {
    this.#state.begun[label] = begun;
    this.#keptAt.set(label, this.#init.monotonic());
    await this.save();
  }

  /** A scope is done: what was found in it stands in the list. @throws RestoreError LOCAL_IO */
  async finish(label: string, scope: VerifiedScope): Promise<void> {
    this.#state.done[label] = scope;
    delete this.#state.begun[label];
    await this.save();
  }

  /** @throws RestoreError LOCAL_IO */
  async save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    await this.#saving;
  }

  /** The file of what differed in one scope. */
  async suspects(number: number, bytes: number): Promise<SuspectFile> {
    return await SuspectFile.open(join(this.#init.directory, `suspects-${number}.jsonl`), bytes);
  }

  /** Repeatable. */
  async close(): Promise<void> {
    await this.#saving.catch(() => undefined);
    await this.found.close();
  }

  /** For a comparison that came to its end. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.#init.directory, { recursive: true, force: true });
  }

  async #save(): Promise<void> {
    // What others find meanwhile is not counted in it.
    const text = `${JSON.stringify(this.#state)}\n`;
    await this.found.flush();
    const path = join(this.#init.directory, "checkpoint.json");
    await replaceFile(path, text).catch((error: unknown) => {
      throw unwritable(path, error);
    });
  }
}

/** By the labels of scopes, how many entries of the list are theirs. What was found since then is found again. */
function countedIn({ done, begun }: Checkpoint): Map<string, number> {
  return new Map(
    [...Object.entries(begun), ...Object.entries(done)].map(([label, { differences }]) => [label, differences]),
  );
}

/** @throws RestoreError JOB_UNKNOWN when there is none, JOURNAL_INVALID for one that cannot be read */
async function readCheckpoint({ directory, fingerprint }: CheckpointInit): Promise<Checkpoint> {
  const path = join(directory, "checkpoint.json");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw unwritable(path, error);
  });
  if (text === undefined) {
    throw new RestoreError("JOB_UNKNOWN", "no comparison of this dump with these targets was stopped half-way", {
      hint: "Leave --resume out to begin one. It is taken up with the same dump, targets and options only.",
    });
  }
  const parsed = checkpointSchema.safeParse(parsedOrNothing(text));
  if (parsed.success && parsed.data.fingerprint === fingerprint) return parsed.data;
  throw new RestoreError("JOURNAL_INVALID", `${path} cannot be read: it is damaged or of another version`, {
    hint: "Leave --resume out to begin anew.",
  });
}

function parsedOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Places of records, a line each, behind one another in a file. */
export class SuspectFile {
  readonly #file: FileHandle;
  readonly #path: string;
  #pending: string[] = [];
  #bytes: number;

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /** What stands behind `bytes` is cut off. @throws RestoreError LOCAL_IO */
  static async open(path: string, bytes: number): Promise<SuspectFile> {
    try {
      const file = await open(path, "a+", 0o600);
      await file.truncate(bytes);
      return new SuspectFile(path, file, bytes);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** With those that are not yet written. */
  get bytes(): number {
    return this.#bytes;
  }

  add({ path, line }: Place): void {
    const text = `${JSON.stringify(line === undefined ? [path] : [path, line])}\n`;
    this.#pending.push(text);
    this.#bytes += Buffer.byteLength(text);
  }

  /** @throws RestoreError LOCAL_IO */
  async flush(): Promise<void> {
    const text = this.#pending.join("");
    this.#pending = [];
    if (text === "") return;
    await this.#file.appendFile(text).catch((error: unknown) => {
      throw unwritable(this.#path, error);
    });
  }

  /** All of them that were written. */
  async *places(): AsyncGenerator<Place> {
    for await (const text of wholeLines(this.#path)) {
      const [path, line] = placeSchema.parse(JSON.parse(text));
      yield { path, ...(line === undefined ? {} : { line }) };
    }
  }

  /** Repeatable. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }
}

const placeSchema = z.tuple([z.string(), z.int().optional()]);

function unwritable(path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot write ${path}: ${messageOf(cause)}`, {
    hint: "Make room or name another place with --state-dir.",
    retry: "fatal",
    cause,
  });
}
