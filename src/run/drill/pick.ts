/**
 * Chooses the dump of a drill among those that stand under a folder. Folders are looked into down to a fixed depth and
 * never inside a dump; links are not followed.
 */
import { randomInt } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import type { Adapter } from "../../model/scope.js";
import { MANIFEST_FILE, readManifest } from "../../readers/manifest.js";

export const PICKS = ["newest", "random"] as const;
export type Pick = (typeof PICKS)[number];

export interface FoundDump {
  readonly path: string;
  /** As its manifest has it. */
  readonly takenAt: string;
}

export interface DumpBelow extends FoundDump {
  /** Unix milliseconds. */
  readonly takenAtMs: number;
  readonly adapters: readonly Adapter[];
}

export interface DumpsBelow {
  /** Newest first. */
  readonly found: readonly DumpBelow[];
  /** Folders with a manifest that cannot be read, a sentence each. */
  readonly unreadable: readonly string[];
}

export interface PickedDump {
  readonly how: Pick;
  /** The folder that was looked through. */
  readonly root: string;
  readonly path: string;
  /** What it was chosen from, newest first. */
  readonly from: readonly FoundDump[];
  /** Folders with a manifest that cannot be read, a sentence each. */
  readonly unreadable: readonly string[];
}

const MOST_DEPTH = 6;
const MOST_FOLDERS = 100_000;

/**
 * `choose`: a whole number from 0 to below its argument.
 * @throws RestoreError DUMP_NOT_FOUND when there is none, DUMP_UNREADABLE
 */
export async function pickDump(
  root: string,
  how: Pick,
  choose: (below: number) => number = randomInt,
): Promise<PickedDump> {
  const { found, unreadable } = await dumpsBelow(root);
  const chosen = found[how === "newest" || found.length === 0 ? 0 : choose(found.length)];
  if (chosen === undefined) throw nothing(root, unreadable);
  return { how, root, path: chosen.path, from: found.map(({ path, takenAt }) => ({ path, takenAt })), unreadable };
}

/** Every dump that stands under a folder. @throws RestoreError DUMP_UNREADABLE, DUMP_NOT_FOUND where it holds too much else */
export async function dumpsBelow(root: string): Promise<DumpsBelow> {
  const found: DumpBelow[] = [];
  const unreadable: string[] = [];
  for await (const path of foldersOfDumps(root)) {
    try {
      const { wallTime, adapters } = (await readManifest(path)).manifest;
      found.push({ path, takenAt: wallTime.iso, takenAtMs: wallTime.unixMs, adapters: [...adapters.keys()] });
    } catch (error) {
      unreadable.push(`${path}: ${messageOf(error)}`);
    }
  }
  found.sort((a, b) => b.takenAtMs - a.takenAtMs || (a.path < b.path ? -1 : 1));
  return { found, unreadable };
}

/** A dump is a folder that holds a manifest; a copy that is not finished has none yet. */
async function* foldersOfDumps(root: string): AsyncGenerator<string> {
  let level = [root];
  let seen = 0;
  for (let depth = 0; depth <= MOST_DEPTH && level.length > 0; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      if (++seen > MOST_FOLDERS) throw tooMany(root);
      const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
        throw new RestoreError("DUMP_UNREADABLE", `cannot look into ${folder}: ${messageOf(cause)}`, {
          hint: "Name a folder under which dumps stand.",
          cause,
        });
      });
      if (entries.some((entry) => entry.name === MANIFEST_FILE && entry.isFile())) yield folder;
      else next.push(...entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name)));
    }
    level = next.sort();
  }
}

function nothing(root: string, unreadable: readonly string[]): RestoreError {
  const why = unreadable.length === 0 ? "" : `; of ${unreadable.length} the manifest cannot be read: ${unreadable[0]}`;
  return new RestoreError("DUMP_NOT_FOUND", `no dump stands under ${root}${why}`, {
    hint: `A dump is a folder that holds ${MANIFEST_FILE}, at most ${MOST_DEPTH} folders below the one that is named.`,
  });
}

function tooMany(root: string): RestoreError {
  return new RestoreError("DUMP_NOT_FOUND", `${root} holds over ${MOST_FOLDERS} folders that are no dumps`, {
    hint: "Name the folder that the dumps stand in, not one far above.",
  });
}
