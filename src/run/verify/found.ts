/**
 * The list of what was found: one line of JSON a difference, in a file, however many there are; the first of them in
 * memory, for the report.
 */
import { type FileHandle, open, rename } from "node:fs/promises";
import * as z from "zod";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { DIFFERENCES, type Difference } from "../../model/difference.js";
import { printableJson } from "../../model/display.js";
import type { Place } from "../../model/position.js";
import { ADAPTERS, type Scope, scopeLabel } from "../../model/scope.js";
import { wholeLines } from "../../support/file-lines.js";

export const foundSchema = z.strictObject({
  adapter: z.enum(ADAPTERS),
  scope: z.string(),
  target: z.string(),
  key: z.string().exactOptional().describe("the record's key, printable; absent for the scope itself"),
  path: z.string().exactOptional().describe("where the record stands in the dump"),
  line: z.int().positive().exactOptional(),
  kind: z.enum(DIFFERENCES),
  at: z.string().exactOptional().describe("where in the record or the scope"),
  detail: z.string(),
});

export type Found = z.infer<typeof foundSchema>;

/** As many stand in the report itself. */
const SHOWN = 1000;
const WRITE_BYTES = 64 * 1024;

export class FoundList {
  readonly path: string;
  /** The first ones. */
  readonly first: Found[] = [];
  readonly #file: FileHandle;
  #count = 0;
  #pending: string[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Goes on with the list that an earlier process left. `counted`: by the label of a scope, how many of its entries count,
   * the first ones. The others go: they are found again.
   * @throws RestoreError LOCAL_IO; JOURNAL_INVALID when entries that count are not there
   */
  static async open(path: string, counted: ReadonlyMap<string, number> = new Map()): Promise<FoundList> {
    const aside = `${path}.tmp`;
    try {
      const list = new FoundList(path, await open(aside, "w", 0o600));
      if (counted.size > 0) await list.#takeOver(counted);
      await rename(aside, path);
      return list;
    } catch (error) {
      throw error instanceof RestoreError ? error : unwritable(path, error);
    }
  }

  get count(): number {
    return this.#count;
  }

  /** @throws RestoreError LOCAL_IO */
  async add(found: Found): Promise<void> {
    const line = `${printableJson(found)}\n`;
    this.#count++;
    this.#show(found);
    this.#pending.push(line);
    this.#pendingBytes += line.length;
    if (this.#pendingBytes >= WRITE_BYTES) await this.flush();
  }

  /** Everything that was added stands in the file. @throws RestoreError LOCAL_IO */
  async flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  /** Repeatable. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }

  async #write(): Promise<void> {
    const text = this.#pending.join("");
    this.#pending = [];
    this.#pendingBytes = 0;
    if (text === "") return;
    await this.#file.appendFile(text).catch((error: unknown) => {
      throw unwritable(this.path, error);
    });
  }

  async #takeOver(counted: ReadonlyMap<string, number>): Promise<void> {
    const left = new Map(counted);
    let missing = [...left.values()].reduce((sum, count) => sum + count, 0);
    for await (const each of wholeEntries(this.path)) {
      const label = scopeLabel({ adapter: each.adapter, name: each.scope });
      const expected = left.get(label) ?? 0;
      if (expected === 0) continue;
      left.set(label, expected - 1);
      missing--;
      await this.add(each);
    }
    if (missing > 0) {
      throw new RestoreError("JOURNAL_INVALID", `${missing} lines are missing in ${this.path}`, {
        hint: "Leave --resume out to begin anew.",
      });
    }
    await this.flush();
  }

  #show(found: Found): void {
    if (this.first.length < SHOWN) this.first.push(found);
  }
}

export function foundIn(
  scope: Scope,
  difference: Difference,
  record: { readonly key?: string; readonly place?: Place } = {},
): Found {
  return {
    adapter: scope.adapter,
    scope: scope.name,
    target: scope.target,
    ...(record.key === undefined ? {} : { key: record.key }),
    ...record.place,
    ...difference,
  };
}

/**
 * Whether writing the record again mends it. A message that is sent again stands beside the one that differs, and behind
 * all others.
 */
export function isMendedByWriting({ adapter, kind, path }: Found): boolean {
  if (path === undefined) return false;
  return adapter !== "sqs" || kind === "missing" || kind === "scope-missing";
}

/** The entries of a list, in order. @throws what reading throws, and ZodError for what is no list */
export async function* readFound(path: string): AsyncGenerator<Found> {
  for await (const line of wholeLines(path)) yield foundSchema.parse(JSON.parse(line));
}

/** As far as the list is whole: its last line may be cut, and what stands behind a cut line was never counted. */
async function* wholeEntries(path: string): AsyncGenerator<Found> {
  try {
    yield* readFound(path);
  } catch (error) {
    const isCut = error instanceof SyntaxError || error instanceof z.ZodError;
    if (!isCut && systemCode(error) !== "ENOENT") throw error;
  }
}

function unwritable(path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot write ${path}: ${messageOf(cause)}`, {
    hint: "Make room or name another place with --state-dir.",
    retry: "fatal",
    cause,
  });
}
