/** One row of CHECKSUMS, as `sha256sum` writes and reads it, and the errors of what is no such row. */
import { RestoreError } from "../errors/restore-error.js";
import { tooLong } from "./lines.js";

export const CHECKSUMS_FILE = "CHECKSUMS";

export interface ChecksumRow {
  /** Relative to the dump's root, with `/`. */
  readonly path: string;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly line: number;
}

/** No system opens a path of more than some kilobytes, however it is escaped. */
export const MAX_ROW_BYTES = 64 * 1024;

const ROW = /^(\\?)([0-9a-fA-F]{64}) [ *](.+)$/s;

/** `bytes` without the line feed. @throws RestoreError CHECKSUMS_INVALID */
export function parseRow(bytes: Buffer, line: number): ChecksumRow {
  if (bytes.length > MAX_ROW_BYTES) throw invalidChecksums(line, tooLong(MAX_ROW_BYTES));
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

export function checksumsMissing(): RestoreError {
  return new RestoreError("CHECKSUMS_MISSING", "the dump has no CHECKSUMS", {
    where: { path: CHECKSUMS_FILE },
    hint: "Without it nothing tells whether files are whole. If you trust them, run `elastickv-restore reseal`.",
  });
}

export function invalidChecksums(line: number, what: string): RestoreError {
  return new RestoreError("CHECKSUMS_INVALID", `${CHECKSUMS_FILE}:${line}: ${what}`, {
    where: { path: CHECKSUMS_FILE, line },
    hint: "Copy the dump again; after a hand edit, `elastickv-restore reseal <dump>` writes CHECKSUMS anew.",
  });
}
