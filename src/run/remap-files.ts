/**
 * Remap files: which new id a stream entry got, a line an entry, beside the stream's file or under a directory of the
 * operator's. Never written over a file that exists: the next one carries the job's id.
 *
 * A file is written aside, under a name of the job's own, and gets its real name when it is complete. So a stream that is
 * written again by another process of the job has one file in the end, whole.
 */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import { printableJson } from "../model/display.js";
import type { RemapSink, RemapWriter } from "../replayers/redis/remap.js";

export interface RemapFilesInit {
  readonly dumpPath: string;
  readonly directory: string | undefined;
  readonly jobId: string;
}

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

export function remapFiles(init: RemapFilesInit): RemapSink {
  return {
    open: async (_scope, record) => {
      const stem = join(init.directory ?? init.dumpPath, record.place.path.replace(/\.jsonl$/, ""));
      // Named as what a dump's writer leaves behind when it is cut off, which no reader takes for data.
      const aside = join(dirname(stem), `.${basename(stem)}._id_remap.jsonl.tmp-${init.jobId}`);
      try {
        await mkdir(dirname(stem), { recursive: true });
        return writer(await open(aside, FLAGS, 0o600), {
          aside,
          path: `${stem}._id_remap.jsonl`,
          own: `${stem}.${init.jobId}._id_remap.jsonl`,
        });
      } catch (error) {
        throw unwritable(aside, error);
      }
    },
  };
}

interface Names {
  readonly aside: string;
  /** The name that it should have. */
  readonly path: string;
  /** The name that it gets where that one is taken: the job's own, which may be replaced. */
  readonly own: string;
}

function writer(file: FileHandle, names: Names): RemapWriter {
  const failed = (cause: unknown) => {
    throw unwritable(names.path, cause);
  };
  return {
    // Unlike `write`, which may take a part of it on a disk that is nearly full.
    write: (lines) => file.appendFile(lines.map((line) => `${printableJson(line)}\n`).join("")).catch(failed),
    close: async () => {
      await file
        .sync()
        .finally(() => file.close())
        .catch(failed);
      await named(names).catch(failed);
    },
    abandon: () => file.close(),
  };
}

async function named({ aside, path, own }: Names): Promise<void> {
  try {
    await link(aside, path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    // Another process of the job may have come as far as this.
    if (!(await isSame(path, aside))) {
      await rename(aside, own);
      return;
    }
  }
  await rm(aside);
}

/** What stands under a name that is taken may be anything. */
async function isSame(path: string, aside: string): Promise<boolean> {
  const [there, ours] = [await lstat(path), await lstat(aside)];
  return there.isFile() && there.size === ours.size && (await digestOf(path)) === (await digestOf(aside));
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function unwritable(path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot write the remap file ${path}: ${messageOf(cause)}`, {
    hint: "Name a writable place with --remap-dir.",
    retry: "fatal",
    cause,
  });
}
