/** Ways in which a dump's file can come to hold, or to be, something else while nobody looks at it. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeSync,
} from "node:fs";

/** Changes the file at the offset, or puts something else in its place. */
export type Tamper = (path: string, offset: number) => void;

/** Of what was moved out of the dump, beside it. */
const ASIDE = ".aside";

/** One bit, with the times as they were. */
export function edit(path: string, offset: number): void {
  const { atime, mtime } = statSync(path);
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  writeSync(file, Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, offset);
  closeSync(file);
  utimesSync(path, atime, mtime);
}

/** A copy that differs in one bit takes the file's place. */
function replace(path: string, offset: number): void {
  copyFileSync(path, `${path}${ASIDE}`);
  edit(`${path}${ASIDE}`, offset);
  renameSync(`${path}${ASIDE}`, path);
}

/** A link to the very bytes that were checked. */
function link(path: string): void {
  renameSync(path, `${path}${ASIDE}`);
  symlinkSync(`${path}${ASIDE}`, path);
}

function fifo(path: string): void {
  rmSync(path);
  execFileSync("mkfifo", [path]);
}

/** Zeros that cost no disk; the file keeps its size. */
function punch(path: string, offset: number): void {
  execFileSync("fallocate", ["--punch-hole", "--offset", String(offset), "--length", "4096", path]);
}

/** By name. Holes only where system and file system know them: `path` is a file to try it on. */
export function waysToTamper(path: string): Readonly<Record<string, Tamper>> {
  const everywhere = {
    edit,
    replace,
    truncate: truncateSync,
    grow: (file: string) => appendFileSync(file, "more"),
    link,
    fifo,
    delete: (file: string) => rmSync(file),
  };
  try {
    punch(path, 0);
    return { ...everywhere, punch };
  } catch {
    return everywhere;
  }
}
