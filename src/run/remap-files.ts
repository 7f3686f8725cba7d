/**
 * Remap files: which new id a stream entry got, a line an entry, beside the stream's file or under a directory of the
 * operator's. Never written over a file that exists: the next one carries the job's id.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import type { RemapSink, RemapWriter } from "../replayers/redis/remap.js";

export interface RemapFilesInit {
  readonly dumpPath: string;
  readonly directory: string | undefined;
  readonly jobId: string;
}

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export function remapFiles(init: RemapFilesInit): RemapSink {
  return {
    open: async (_scope, record) => {
      const stem = join(init.directory ?? init.dumpPath, record.place.path.replace(/\.jsonl$/, ""));
      return await create([`${stem}._id_remap.jsonl`, `${stem}.${init.jobId}._id_remap.jsonl`]);
    },
  };
}

/** The first of the names that is not taken. */
async function create(paths: readonly string[]): Promise<RemapWriter> {
  for (const path of paths) {
    try {
      await mkdir(dirname(path), { recursive: true });
      return fileWriter(await open(path, FLAGS, 0o600), path);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw unwritable(path, error);
    }
  }
  throw unwritable(paths.at(-1) ?? "", new Error("it exists"));
}

function fileWriter(file: FileHandle, path: string): RemapWriter {
  const failed = (cause: unknown) => {
    throw unwritable(path, cause);
  };
  return {
    // Unlike `write`, which may take a part of it on a disk that is nearly full.
    write: (lines) => file.appendFile(lines.map((line) => `${JSON.stringify(line)}\n`).join("")).catch(failed),
    close: () =>
      file
        .sync()
        .catch(failed)
        .finally(() => file.close()),
  };
}

function unwritable(path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot write the remap file ${path}: ${messageOf(cause)}`, {
    hint: "Name a writable place with --remap-dir.",
    retry: "fatal",
    cause,
  });
}
