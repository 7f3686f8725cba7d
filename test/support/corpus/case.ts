/** What a case of the corpus is: a dump, built sound or damaged, and what has to become of it. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type DumpDescription, type DumpFile, s3Object, sqsMessage, tableSchema } from "../dump-builder.js";
import { reseal } from "../fresh-dump.js";
import type { Holding } from "./holdings.js";

/** A dump that `verify` and `apply` refuse before anything is written. */
export interface RefusedCase {
  readonly name: string;
  /** By default a sound dump with one record of each adapter. */
  readonly dump?: DumpDescription;
  /** Done to the dump after it was sealed. */
  readonly damage?: Damage;
  /** 4 unless told; 5 is the target's matter, and `verify`, which asks no target, then passes with `verified`. */
  readonly status?: 2 | 4 | 5;
  /** What `verify` ends with where that is not `status`. */
  readonly verified?: 0 | 3;
  /** All of it stands in the message: what, and where. */
  readonly says: readonly string[];
  readonly options?: readonly string[];
}

/** A dump that is odd and legal: it restores, exactly. */
export interface LegalCase {
  readonly name: string;
  readonly dump: DumpDescription;
  readonly damage?: Damage;
  /** All of it stands in the output of `verify` as well as of `apply`. */
  readonly warns?: readonly string[];
  /** All that the target holds afterwards. */
  readonly holds: readonly Holding[];
  readonly options?: readonly string[];
}

/** One record, or a file of odd ones, in the dump that all of these share. Independent of every other. */
export interface RecordCase {
  readonly name: string;
  /** Files of this case alone. */
  readonly files?: Readonly<Record<string, DumpFile>>;
  /** Lines put behind those that other cases put into the same file. */
  readonly lines?: Readonly<Record<string, readonly unknown[]>>;
  /** How its records end that are not plainly restored. */
  readonly ends?: readonly End[];
  readonly holds?: readonly Holding[];
}

export interface End {
  /** Path; where lines are shared, the file in which this case's line stands. */
  readonly path: string;
  /** Of this case's own lines in that file, counted from 0. Absent: the whole file is the record. */
  readonly own?: number;
  readonly outcome: "rejected" | "skipped-empty" | "skipped-expired" | "restored";
  /** Reason of a rejection, or kind of a note. */
  readonly reason?: string;
  /** Who finds it: the reader, so that `verify` lists it too, or the target's side. */
  readonly by?: "reader" | "target";
}

type Damage = (root: string) => void | Promise<void>;

/** One record of each adapter: whatever a refused dump holds, these were ready to be written. */
export const SOUND_FILES = {
  "dynamodb/sound-table/_schema.json": tableSchema("sound-table"),
  "dynamodb/sound-table/items/a.json": { id: { S: "a" } },
  "s3/sound-bucket/_bucket.json": { format_version: 1, name: "sound-bucket" },
  ...s3Object("s3/sound-bucket/object", "body"),
  "redis/db_0/strings/sound.bin": "value",
  "sqs/sound-queue/_queue.json": { format_version: 1, name: "sound-queue" },
  "sqs/sound-queue/messages.jsonl": [sqsMessage("hello")],
} as const;

/** The sound dump with these files beside or in place of its own. */
export function soundWith(files: Readonly<Record<string, DumpFile>>): DumpDescription {
  return { files: { ...SOUND_FILES, ...files } };
}

/** The sound dump without the files whose path begins so. */
export function soundWithout(prefix: string, files: Readonly<Record<string, DumpFile>> = {}): DumpDescription {
  const left = Object.entries(SOUND_FILES).filter(([path]) => !path.startsWith(prefix));
  return { files: { ...Object.fromEntries(left), ...files } };
}

/** Damages the tree, then writes CHECKSUMS over what is there: the damage is the producer's. */
export function resealed(damage: Damage): Damage {
  return async (root) => {
    await damage(root);
    reseal(root);
  };
}

/** Changes CHECKSUMS alone. */
export function checksums(change: (text: string) => string | Buffer): Damage {
  return (root) => {
    const path = join(root, "CHECKSUMS");
    writeFileSync(path, change(readFileSync(path, "utf8")));
  };
}

/** A program of the system, in the dump's directory. */
export function shell(script: string): Damage {
  return (root) => {
    execFileSync("bash", ["-ec", script], { cwd: root });
  };
}

/** JSON nested so deep. */
export function deep(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

export const BOM = "\ufeff";
