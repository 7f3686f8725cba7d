/** Compares a dump's tree, its CHECKSUMS and its files. Passes only when all three say the same. */
import { join } from "node:path";
import type { ErrorCode } from "../errors/codes.js";
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { compareUtf8 } from "../support/byte-order.js";
import { type Catalogue, CatalogueWriter } from "./catalogue.js";
import { type ChecksumRow, sortedChecksums } from "./checksums.js";
import type { CheckProgress } from "./dump.js";
import { HashPool } from "./hash-pool.js";
import { LinkCheck } from "./link-check.js";
import { mayBeUnlisted, walkFiles } from "./tree-walk.js";

export interface CheckOptions {
  readonly root: string;
  readonly workDirectory: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CheckProgress) => void;
}

const PROBLEMS_SHOWN = 20;

interface Problem {
  readonly code: ErrorCode;
  readonly path: string;
  readonly text: string;
}

/**
 * @throws RestoreError CHECKSUMS_MISSING, CHECKSUMS_INVALID, TREE_INVALID at once; CHECKSUM_MISMATCH, FILE_MISSING and
 *   FILE_UNLISTED after everything was looked at, with the first 20 problems
 */
export async function checkDump(options: CheckOptions): Promise<Catalogue> {
  const { root, workDirectory, signal, onProgress } = options;
  const problems: Problem[] = [];
  const writer = new CatalogueWriter(root, workDirectory);
  const pool = new HashPool();
  const links = new LinkCheck();
  const seen = { files: 0, bytes: 0 };
  try {
    const listed = matchTree(options, problems);
    for await (const [row, answer] of pool.hashAll(listed, ({ path }) => join(root, path))) {
      if (signal?.aborted === true) throw new RestoreError("INTERRUPTED", "interrupted", { retry: "fatal" });
      if ("error" in answer) problems.push(problem("TREE_INVALID", row.path, `cannot be read: ${answer.error}`));
      else if (links.isAnother(answer))
        problems.push(problem("TREE_INVALID", row.path, "is a hard link to another file"));
      else if (answer.sha256 !== row.sha256)
        problems.push(problem("CHECKSUM_MISMATCH", row.path, "has another digest"));
      else writer.add({ path: row.path, ...answer });
      seen.files++;
      seen.bytes += "error" in answer ? 0 : answer.size;
      if (seen.files % 64 === 0) onProgress?.({ ...seen });
    }
    onProgress?.({ ...seen });
    if (problems.length > 0) throw summary(root, problems);
    return writer.finish();
  } finally {
    writer.discard();
    await pool.close();
  }
}

/** Merges the walk and the listing; yields what stands in both. */
async function* matchTree(options: CheckOptions, problems: Problem[]): AsyncGenerator<ChecksumRow> {
  const { root, workDirectory } = options;
  const walk = walkFiles(root);
  let file = walk.next();
  const unlisted = (path: string) => {
    if (!mayBeUnlisted(path)) problems.push(problem("FILE_UNLISTED", path, "is not listed in CHECKSUMS"));
  };
  for await (const row of sortedChecksums(root, workDirectory)) {
    while (file.done !== true && compareUtf8(file.value, row.path) < 0) {
      unlisted(file.value);
      file = walk.next();
    }
    if (file.done !== true && file.value === row.path) {
      yield row;
      file = walk.next();
    } else problems.push(problem("FILE_MISSING", row.path, `is listed in CHECKSUMS:${row.line} and missing`));
  }
  for (; file.done !== true; file = walk.next()) unlisted(file.value);
}

function problem(code: ErrorCode, path: string, text: string): Problem {
  return { code, path, text };
}

function summary(root: string, problems: readonly Problem[]): RestoreError {
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(({ path, text }) => `${escapeForDisplay(path)} ${text}`);
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : [];
  return new RestoreError(problems[0]?.code ?? "CHECKSUM_MISMATCH", [...shown, ...more].join("\n"), {
    ...(problems[0] === undefined ? {} : { where: { path: problems[0].path } }),
    hint: `Copy the dump again. If the changes are yours, \`elastickv-restore reseal ${root}\` lists them and writes CHECKSUMS anew.`,
  });
}
