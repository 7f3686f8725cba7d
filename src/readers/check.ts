/** Compares a dump's tree, its CHECKSUMS and its files. Passes only when all three say the same. */
import { join } from "node:path";
import type { ErrorCode } from "../errors/codes.js";
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { compareUtf8 } from "../support/byte-order.js";
import { type Catalogue, CatalogueWriter } from "./catalogue.js";
import { CHECKSUMS_FILE, type ChecksumRow, invalidChecksums, sortedChecksums } from "./checksums.js";
import type { CheckProgress } from "./dump.js";
import { HashPool } from "./hash-pool.js";
import { LinkCheck } from "./link-check.js";
import { UNREADABLE_HINT } from "./tree-fault.js";
import { mayBeUnlisted, walkFiles } from "./tree-walk.js";

export interface CheckOptions {
  readonly root: string;
  readonly workDirectory: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CheckProgress) => void;
}

const PROBLEMS_SHOWN = 20;

/** The first problems, and how many there are: a dump can have one for every row of CHECKSUMS. */
class Problems {
  readonly #shown: string[] = [];
  #first: { readonly code: ErrorCode; readonly path: string } | undefined;
  #count = 0;

  add(code: ErrorCode, path: string, what: string): void {
    this.#first ??= { code, path };
    if (this.#count++ < PROBLEMS_SHOWN) this.#shown.push(`${escapeForDisplay(path)} ${what}`);
  }

  /** @throws RestoreError with the first one's code, when there are any */
  assertNone(root: string): void {
    if (this.#first === undefined) return;
    const { code, path } = this.#first;
    const more = this.#count - this.#shown.length;
    throw new RestoreError(code, [...this.#shown, ...(more > 0 ? [`and ${more} more`] : [])].join("\n"), {
      where: { path },
      hint:
        code === "DUMP_UNREADABLE"
          ? UNREADABLE_HINT
          : `Copy the dump again. If the changes are yours, \`elastickv-restore reseal ${root}\` lists them and writes CHECKSUMS anew.`,
    });
  }
}

/**
 * @throws RestoreError CHECKSUMS_MISSING, CHECKSUMS_INVALID, TREE_INVALID at once; CHECKSUM_MISMATCH, FILE_MISSING,
 *   DUMP_UNREADABLE and FILE_UNLISTED after everything was looked at, with the first 20 problems
 */
export async function checkDump(options: CheckOptions): Promise<Catalogue> {
  const { root, workDirectory, signal, onProgress } = options;
  const problems = new Problems();
  const writer = new CatalogueWriter(root, workDirectory);
  const pool = new HashPool(signal);
  const links = new LinkCheck(workDirectory);
  const seen = { files: 0, bytes: 0 };
  try {
    const listed = matchTree(options, problems);
    for await (const [row, answer] of pool.hashAll(listed, ({ path }) => join(root, path))) {
      if ("error" in answer) problems.add("DUMP_UNREADABLE", row.path, `cannot be read: ${answer.error}`);
      else if (links.isAnother(answer)) problems.add("TREE_INVALID", row.path, "is a hard link to another file");
      else if (answer.sha256 !== row.sha256) problems.add("CHECKSUM_MISMATCH", row.path, "has another digest");
      else writer.add({ path: row.path, ...answer });
      seen.files++;
      seen.bytes += "error" in answer ? 0 : answer.size;
      if (seen.files % 64 === 0) onProgress?.({ ...seen });
    }
    onProgress?.({ ...seen });
    problems.assertNone(root);
    return writer.finish();
  } finally {
    writer.discard();
    links.close();
    await pool.close();
  }
}

/** Merges the walk and the listing; yields what stands in both. */
async function* matchTree(options: CheckOptions, problems: Problems): AsyncGenerator<ChecksumRow> {
  const { root, workDirectory } = options;
  const walk = walkFiles(root, { workDirectory });
  const unlisted = (path: string) => {
    if (!mayBeUnlisted(path)) problems.add("FILE_UNLISTED", path, "is not listed in CHECKSUMS");
  };
  try {
    let file = walk.next();
    for await (const row of sortedChecksums(root, workDirectory)) {
      if (row.path === CHECKSUMS_FILE) {
        throw invalidChecksums(row.line, "it lists CHECKSUMS itself, whose digest no row of it can hold");
      }
      while (file.done !== true && compareUtf8(file.value, row.path) < 0) {
        unlisted(file.value);
        file = walk.next();
      }
      if (file.done !== true && file.value === row.path) {
        yield row;
        file = walk.next();
      } else problems.add("FILE_MISSING", row.path, `is listed in CHECKSUMS:${row.line} and missing`);
    }
    for (; file.done !== true; file = walk.next()) unlisted(file.value);
  } finally {
    walk.return(undefined);
  }
}
