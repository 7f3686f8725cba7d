/**
 * `reseal`: after a hand edit, tells what changed since CHECKSUMS was written and writes it anew. It vouches for nothing
 * but that the files are as they are now.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, mkdtemp, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import { compareUtf8 } from "../support/byte-order.js";
import { CHECKSUMS_FILE, type ChecksumRow, formatChecksumRow } from "./checksum-row.js";
import { sortedChecksums } from "./checksums.js";
import type { CheckProgress } from "./dump.js";
import { FileThreads } from "./file-threads.js";
import { HashPool } from "./hash-pool.js";
import { LinkCheck } from "./link-check.js";
import { blocksOfRows, rowsOf } from "./listing-blocks.js";
import { readManifest } from "./manifest.js";
import { identityAt } from "./row-batch.js";
import { treeFault, unreadable } from "./tree-fault.js";
import { mayBeUnlisted } from "./tree-tally.js";
import { walkFiles } from "./tree-walk.js";

export interface ResealOptions {
  /** Only tell. */
  readonly dryRun?: boolean;
  /** An existing directory in which one is made for what does not fit into memory; default: the system's for such. */
  readonly workRoot?: string;
  /** What the name of that one begins with. */
  readonly workPrefix?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CheckProgress) => void;
}

export interface Resealed {
  /** Paths that are not listed yet, in bytewise order like the other two. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Rows of the new CHECKSUMS. */
  readonly files: number;
}

/**
 * Needs a valid manifest; CHECKSUMS may be missing. Writes a temporary file and renames it: a crash leaves the old
 * CHECKSUMS. May run twice.
 * @throws RestoreError MANIFEST_*, VERSION_UNSUPPORTED, CHECKSUMS_INVALID, TREE_INVALID, DUMP_UNREADABLE, LOCAL_IO,
 *   INTERRUPTED
 */
export async function resealDump(path: string, options: ResealOptions = {}): Promise<Resealed> {
  await readManifest(path);
  const { workRoot = tmpdir(), workPrefix = "elastickv-restore-" } = options;
  const workDirectory = await mkdtemp(join(workRoot, workPrefix));
  let output: Output | undefined;
  try {
    if (options.dryRun !== true) output = await Output.create(path);
    const result = await hashTree(path, { options, workDirectory, output });
    await output?.commit();
    return result;
  } finally {
    await output?.discard();
    await rm(workDirectory, { recursive: true, force: true });
  }
}

interface Reseal {
  readonly options: ResealOptions;
  readonly workDirectory: string;
  readonly output: Output | undefined;
}

async function hashTree(root: string, { options, workDirectory, output }: Reseal): Promise<Resealed> {
  const { signal, onProgress } = options;
  const result = { added: [] as string[], removed: [] as string[], changed: [] as string[], files: 0 };
  const threads = new FileThreads();
  const pool = new HashPool({ root, threads, signal });
  const links = new LinkCheck(workDirectory);
  let bytes = 0;
  try {
    const files = blocksOfRows(resealedFiles(root, workDirectory, result.removed));
    for await (const { block, answer } of pool.hashAll(files)) {
      const linked = new Set(answer.linked);
      const exceptions = new Map(answer.exceptions.map((exception) => [exception.row, exception]));
      for (const { path, sha256: listed, line: row } of rowsOf({ ...block, line: 0 })) {
        const exception = exceptions.get(row);
        if (exception !== undefined && "error" in exception) throw unreadable(path, exception.error);
        if (linked.has(row)) assertFirst(path, identityAt(answer.columns, row), links);
        if (listed === UNLISTED) result.added.push(path);
        else if (exception !== undefined) result.changed.push(path);
        await output?.write(`${formatChecksumRow(path, exception?.sha256 ?? listed)}\n`);
      }
      result.files += block.ends.length;
      bytes += answer.bytes;
      onProgress?.({ files: result.files, bytes });
    }
    return result;
  } finally {
    links.close();
    await threads.close();
  }
}

/** Stands for the digest of a file without a row in the CHECKSUMS there is: no file has it. */
const UNLISTED = "-".repeat(64);

interface ResealedFile {
  readonly path: string;
  readonly sha256: string;
}

/** Merges walk and listing: every file of the tree, but unlisted debris. Listed files that are gone go to `removed`. */
async function* resealedFiles(root: string, workDirectory: string, removed: string[]): AsyncGenerator<ResealedFile> {
  const rows = sortedRows(root, workDirectory);
  try {
    let row = await rows.next();
    for (const path of walkFiles(root, { workDirectory })) {
      while (row.done !== true && compareUtf8(row.value.path, path) < 0) {
        removed.push(row.value.path);
        row = await rows.next();
      }
      if (row.done !== true && row.value.path === path) {
        yield row.value;
        row = await rows.next();
      } else if (!mayBeUnlisted(path)) yield { path, sha256: UNLISTED };
    }
    for (; row.done !== true; row = await rows.next()) removed.push(row.value.path);
  } finally {
    await rows.return(undefined);
  }
}

async function* sortedRows(root: string, workDirectory: string): AsyncGenerator<ChecksumRow> {
  try {
    yield* sortedChecksums(root, workDirectory);
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    if (error.code === "CHECKSUMS_INVALID") {
      throw new RestoreError(error.code, error.message, {
        where: error.where,
        hint: "What changed cannot be told from it. Mend the line, or remove CHECKSUMS to have it written for all that is there.",
        cause: error,
      });
    }
    if (error.code !== "CHECKSUMS_MISSING") throw error;
  }
}

/** @throws RestoreError TREE_INVALID */
function assertFirst(path: string, identity: string, links: LinkCheck): void {
  if (links.isAnother(identity)) throw treeFault(path, "is a hard link to another file");
}

/** The new CHECKSUMS, until it takes the old one's place. Its name counts as a crashed writer's debris. */
class Output {
  readonly #root: string;
  readonly #path: string;
  readonly #file: FileHandle;
  #pending = "";
  #isOpen = true;

  private constructor(root: string, path: string, file: FileHandle) {
    this.#root = root;
    this.#path = path;
    this.#file = file;
  }

  static async create(root: string): Promise<Output> {
    const path = join(root, `.${CHECKSUMS_FILE}.tmp-${randomBytes(8).toString("hex")}`);
    try {
      return new Output(root, path, await open(path, "wx", 0o644));
    } catch (cause) {
      throw new RestoreError("LOCAL_IO", `cannot write into ${root}: ${messageOf(cause)}`, {
        hint: "Reseal a copy of the dump that you may write to, or use --dry-run.",
        cause,
      });
    }
  }

  async write(line: string): Promise<void> {
    this.#pending += line;
    if (this.#pending.length >= 64 * 1024) await this.#flush();
  }

  async commit(): Promise<void> {
    await this.#flush();
    await this.#file.sync();
    await this.#close();
    await rename(this.#path, join(this.#root, CHECKSUMS_FILE));
    const directory = await open(this.#root, "r");
    await directory.sync().finally(() => directory.close());
  }

  /** Does nothing after `commit`. */
  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#path, { force: true });
  }

  async #flush(): Promise<void> {
    await this.#file.writeFile(this.#pending);
    this.#pending = "";
  }

  async #close(): Promise<void> {
    if (this.#isOpen) await this.#file.close();
    this.#isOpen = false;
  }
}
