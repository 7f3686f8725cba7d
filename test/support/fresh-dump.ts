/** A copy of a fixture dump of the caller's own, to restore or to damage. */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");

export interface FreshDump {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Unpacks `gallery` or `design`. Expiry times are moved by the time since the dump was taken, so that what was alive
 * then is alive now and what was past is past, whenever the test runs; CHECKSUMS follows.
 */
export async function freshDump(name: "gallery" | "design"): Promise<FreshDump> {
  const path = await mkdtemp(join(tmpdir(), `elastickv-restore-${name}-`));
  // Where two names differ by case or by Unicode form, only some file systems hold both: tar tells.
  await promisify(execFile)("tar", ["-xzf", join(FIXTURES, `${name}.tar.gz`), "-C", path]);
  moveExpiries(path);
  reseal(path);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

function moveExpiries(dump: string): void {
  const taken = /"wall_time_iso":\s*"([^"]+)"/u.exec(readFileSync(join(dump, "MANIFEST.json"), "utf8"))?.[1];
  if (taken === undefined) throw new Error("the fixture's manifest has no wall_time_iso");
  const moved = BigInt(Date.now() - Date.parse(taken.replace(/(\.\d{3})\d+/u, "$1")));
  for (const path of regularFiles(join(dump, "redis"))) {
    if (!/\.jsonl?$/u.test(path)) continue;
    const text = readFileSync(path, "utf8");
    const later = text.replace(
      /("expire_at_ms":\s*)(\d+)/gu,
      (_, name: string, ms: string) => name + (BigInt(ms) + moved),
    );
    if (later !== text) writeFileSync(path, later);
  }
}

/** Writes CHECKSUMS anew for what the tree holds now, in the order of whole paths by bytes. */
export function reseal(dump: string): void {
  const lines = regularFiles(dump)
    .map((path) => ({ path, name: path.slice(dump.length + 1) }))
    .filter(({ name }) => name !== "CHECKSUMS" && !name.startsWith(".scratch/"))
    .sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)))
    .map(({ path, name }) => {
      const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
      return /[\n\r\\]/u.test(name) ? `\\${digest}  ${escaped(name)}\n` : `${digest}  ${name}\n`;
    });
  writeFileSync(join(dump, "CHECKSUMS"), lines.join(""));
}

function escaped(name: string): string {
  return name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

function regularFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
