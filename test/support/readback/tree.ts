/** The dump's tree as the proof reads it: files below a scope, names of scopes, the two ways a key is written in a name. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { member, parseLines, text } from "./json.js";

/** Directories directly below `<dump>/<adapter>`, with the scope names that they stand for; forensics left out. */
export function scopeDirectories(dump: string, adapter: string): { name: string; path: string }[] {
  const root = join(dump, adapter);
  return directories(root)
    .filter((name) => !(adapter === "sqs" && name.endsWith(".orphan")))
    .map((name) => ({ name: decodeSegment(name).toString("utf8"), path: join(root, name) }));
}

function directories(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Paths of the regular files below a directory, relative to it, with `/`. None when it is missing. */
export function filesBelow(directory: string, prefix = ""): string[] {
  const found: string[] = [];
  for (const name of directories(directory)) found.push(...filesBelow(join(directory, name), `${prefix}${name}/`));
  return [...found, ...filesIn(directory).map((name) => prefix + name)].sort();
}

/** Names of the regular files directly in a directory. None when it is missing. */
export function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** A file's text; empty when it is missing. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

/** `%HH` back to bytes. */
export function decodeSegment(segment: string): Buffer {
  const parts = segment.split(/(%[0-9A-F]{2})/u);
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 1 ? Buffer.from(part.slice(1), "hex") : Buffer.from(part, "latin1"))),
  );
}

/** `KEYMAP.jsonl` of a scope: the original bytes by encoded name; empty when it is missing. */
export function keymapOf(directory: string): Map<string, Buffer> {
  const lines = parseLines(textOf(join(directory, "KEYMAP.jsonl")));
  return new Map(
    lines.map((line) => [
      text(member(line, "encoded")) ?? "",
      Buffer.from(text(member(line, "original")) ?? "", "base64url"),
    ]),
  );
}
