/** CHECKSUMS: `sha256sum` output over every file of the dump, read and written line by line. */
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { compareUtf8 } from "../support/byte-order.js";
import { type ChecksumRow, sortRows } from "./checksum-sort.js";
import { lines, tooLong } from "./lines.js";
import { openRegular } from "./regular-file.js";

export const CHECKSUMS_FILE = "CHECKSUMS";

export type { ChecksumRow };

/** No system opens a path of more than some kilobytes, however it is escaped. */
const MAX_ROW_BYTES = 64 * 1024;

const ROW = /^(\\?)([0-9a-fA-F]{64}) [ *](.+)$/s;

/**
 * The rows in bytewise order of their paths. Rows that already stand in that order, as shipped dumps have them, are
 * streamed; others are sorted in runs on disk, in `workDirectory`.
 * @throws RestoreError CHECKSUMS_MISSING, CHECKSUMS_INVALID
 */
export async function* sortedChecksums(root: string, workDirectory: string): AsyncGenerator<ChecksumRow> {
  if (await isSorted(root)) {
    yield* readChecksums(root);
    return;
  }
  let last: ChecksumRow | undefined;
  for await (const row of sortRows(readChecksums(root), workDirectory)) {
    if (last?.path === row.path) throw invalidChecksums(row.line, `"${escapeForDisplay(row.path)}" is listed twice`);
    yield row;
    last = row;
  }
}

async function isSorted(root: string): Promise<boolean> {
  let last: string | undefined;
  for await (const row of readChecksums(root)) {
    if (last !== undefined) {
      const order = compareUtf8(last, row.path);
      if (order === 0) throw invalidChecksums(row.line, `"${escapeForDisplay(row.path)}" is listed twice`);
      if (order > 0) return false;
    }
    last = row.path;
  }
  if (last === undefined) throw invalidChecksums(1, "it has no rows");
  return true;
}

export function checksumsMissing(): RestoreError {
  return new RestoreError("CHECKSUMS_MISSING", "the dump has no CHECKSUMS", {
    where: { path: CHECKSUMS_FILE },
    hint: "Without it nothing tells whether files are whole. If you trust them, run `elastickv-restore reseal`.",
  });
}

async function* readChecksums(root: string): AsyncGenerator<ChecksumRow> {
  const file = await openRegular(root, CHECKSUMS_FILE);
  if (file === undefined) throw checksumsMissing();
  try {
    const rows = lines(file.createReadStream({ autoClose: false }), undefined, MAX_ROW_BYTES);
    for await (const { bytes, line } of rows) yield parseRow(bytes, line);
  } finally {
    await file.close();
  }
}

function parseRow(bytes: Buffer | undefined, line: number): ChecksumRow {
  if (bytes === undefined) throw invalidChecksums(line, tooLong(MAX_ROW_BYTES));
  const text = bytes.toString("utf8");
  const match = ROW.exec(text);
  if (match === null || !Buffer.from(text).equals(bytes)) throw invalidChecksums(line, "it is malformed");
  const [, escaped, digest = "", name = ""] = match;
  if (name.endsWith("\r")) throw invalidChecksums(line, "it ends in CR LF");
  const path = (escaped === "" ? name : unescapePath(name, line)).replace(/^\.\//, "");
  if (path.startsWith("/")) throw invalidChecksums(line, "its path is absolute");
  if (path.includes("\0") || path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw invalidChecksums(line, "its path has an empty, `.` or `..` segment");
  }
  return { path, sha256: digest.toLowerCase(), line };
}

function unescapePath(name: string, line: number): string {
  return name.replace(/\\(.?)/gs, (_match, char: string) => {
    if (char === "\\") return "\\";
    if (char === "n") return "\n";
    if (char === "r") return "\r";
    throw invalidChecksums(line, "it has an unknown escape");
  });
}

/** One line as `sha256sum` writes it, without the line feed. */
export function formatChecksumRow(path: string, sha256: string): string {
  if (!/[\n\r\\]/.test(path)) return `${sha256}  ${path}`;
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `\\${sha256}  ${escaped}`;
}

export function invalidChecksums(line: number, what: string): RestoreError {
  return new RestoreError("CHECKSUMS_INVALID", `${CHECKSUMS_FILE}:${line}: ${what}`, {
    where: { path: CHECKSUMS_FILE, line },
    hint: "Copy the dump again; after a hand edit, `elastickv-restore reseal <dump>` writes CHECKSUMS anew.",
  });
}
