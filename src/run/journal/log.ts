/**
 * Segment files of a journal, and the one writer that puts entries into them.
 *
 * Entries that come while the disk is busy go together: one write and one sync for all of them. A segment that has grown
 * is followed by a new one, which begins with a checkpoint and replaces it; so what has to be read again is bounded.
 *
 * After a failed write or sync nothing more is accepted: what the disk holds then cannot be known.
 */

import { randomInt } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile, rm } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { syncDirectory } from "../../support/durable-files.js";
import {
  encodeFrame,
  hasDurableFrame,
  readSegmentHeader,
  type ScannedSegment,
  scanFrames,
  segmentHeader,
} from "./frames.js";

/**
 * Room is made for so many bytes at once, by writing zeros: a write into what a file has already leaves its length alone,
 * and takes the disk two thirds of the time of one at its end.
 */
const ROOM_BYTES = 64 * 1024;
/** Small enough to be read again in a moment. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
/** Entries that nobody waits for are written after this time. */
const LAZY_MS = 20;
/** Entries that nobody waits for are waited for, once there are as many bytes of them. */
const LAZY_BYTES = 1024 * 1024;

/**
 * On Linux a write of a file that was opened so is on disk when it returns, as with a sync behind it and one call less.
 * Elsewhere such a write may stop at a cache of the disk.
 */
const WRITES_ARE_SYNCS = platform() === "linux";
const { O_CREAT, O_EXCL, O_WRONLY } = constants;
const SEGMENT_FLAGS = O_WRONLY | O_CREAT | O_EXCL | (WRITES_ARE_SYNCS ? constants.O_DSYNC : 0);

const SEGMENT_NAME = /^journal-(\d{8})\.log$/;

export interface LogInit {
  readonly directory: string;
  /** Number of the next segment. */
  readonly segment: number;
  /**
   * What stands for everything before it, and for every entry appended so far. Called for each new segment; what it
   * refers to in other files has to be on disk when it resolves. Must take its picture before it waits for anything.
   */
  readonly checkpoint: () => Promise<Buffer>;
  /** After how many bytes a segment is followed by another. */
  readonly segmentBytes?: number;
}

interface Pending {
  readonly payload: Buffer;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export class JournalLog {
  readonly #init: LogInit;
  #file: FileHandle | undefined;
  #segment: number;
  #size = 0;
  /** Length of the file, with the zeros behind its frames. */
  #room = 0;
  /** The segment is followed by another one, once it is longer. */
  #longest = 0;
  #durable = 0;
  #previous = 0;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #broken: RestoreError | undefined;
  #closed = false;

  private constructor(init: LogInit) {
    this.#init = init;
    this.#segment = init.segment - 1;
  }

  /** Begins with a segment of its own, and removes those before it. @throws RestoreError LOCAL_IO */
  static async begin(init: LogInit): Promise<JournalLog> {
    const log = new JournalLog(init);
    await log.#rotate().catch((error: unknown) => {
      throw log.#breakWith(error);
    });
    return log;
  }

  /** As `EntryKeeper.keep`. */
  async append(payload: Buffer, durable: boolean): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#closed) throw new RestoreError("INTERNAL", "the journal is closed", { retry: "fatal" });
    const kept = new Promise<void>((done, failed) => {
      this.#pending.push({ payload, done, failed });
    });
    // Whoever does not wait learns of a failure at the next call.
    kept.catch(() => undefined);
    this.#pendingBytes += payload.length;
    const waits = durable || this.#pendingBytes > LAZY_BYTES;
    this.#schedule(waits);
    if (waits) await kept;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#write();
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
    if (this.#broken !== undefined) throw this.#broken;
  }

  #schedule(now: boolean): void {
    if (now) void this.#write();
    else this.#timer ??= setTimeout(() => void this.#write(), LAZY_MS);
  }

  /** One write at a time; what came meanwhile goes with the next one. Resolves when nothing waits any more; never throws. */
  async #write(): Promise<void> {
    if (this.#pending.length > 0) this.#writing ??= this.#writeAll();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) await this.#writePending();
    // At once, not in a callback: what is appended before that would wait for a write that is over.
    this.#writing = undefined;
  }

  async #writePending(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const taken = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      // What was taken is in the checkpoint already.
      if (this.#size > this.#longest) await this.#rotate();
      else await this.#appendFrames(taken.map(({ payload }) => payload));
      for (const { done } of taken) done();
    } catch (error) {
      const broken = this.#breakWith(error);
      for (const { failed } of [...taken, ...this.#pending]) failed(broken);
      this.#pending = [];
    }
  }

  async #appendFrames(payloads: readonly Buffer[]): Promise<void> {
    const file = this.#open();
    const { frames, crc } = this.#encode(payloads);
    await writeWhole(file, this.#withRoom(frames), this.#size);
    if (!WRITES_ARE_SYNCS) await file.datasync();
    this.#previous = crc;
    this.#size += frames.length;
    this.#durable = this.#size;
  }

  /** With zeros behind them, where they go beyond the file's end. */
  #withRoom(frames: Buffer): Buffer {
    const end = this.#size + frames.length;
    if (end <= this.#room) return frames;
    this.#room = Math.max(end, Math.min(end + ROOM_BYTES, this.#longest));
    return Buffer.concat([frames], this.#room - this.#size);
  }

  #encode(payloads: readonly Buffer[]): { readonly frames: Buffer; readonly crc: number } {
    let crc = this.#previous;
    const frames = payloads.map((payload) => {
      const frame = encodeFrame(payload, { durable: this.#durable, previous: crc });
      crc = frame.crc;
      return frame.bytes;
    });
    return { frames: Buffer.concat(frames), crc };
  }

  /** Begins another segment, whose checkpoint stands for everything appended so far. */
  async #rotate(): Promise<void> {
    const checkpoint = await this.#init.checkpoint();
    const { directory } = this.#init;
    const number = this.#segment + 1;
    const seed = randomInt(2 ** 32 - 1);
    const header = segmentHeader(seed);
    const frame = encodeFrame(checkpoint, { durable: 0, previous: seed });
    const file = await open(segmentPath(directory, number), SEGMENT_FLAGS, 0o600);
    try {
      await writeWhole(file, Buffer.concat([header, frame.bytes]), 0);
      if (!WRITES_ARE_SYNCS) await file.datasync();
      await syncDirectory(directory);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    // Everything in it is on disk.
    await this.#file?.close().catch(() => undefined);
    this.#file = file;
    this.#segment = number;
    this.#previous = frame.crc;
    this.#size = header.length + frame.bytes.length;
    this.#room = this.#size;
    this.#durable = this.#size;
    // At least as much again as the checkpoint: however long that is, writing it stays half of the work.
    this.#longest = Math.max(this.#init.segmentBytes ?? SEGMENT_BYTES, 2 * this.#size);
    for (const old of await segmentsIn(directory)) if (old < number) await rm(segmentPath(directory, old));
  }

  #open(): FileHandle {
    if (this.#file === undefined) throw new RestoreError("INTERNAL", "the journal has no file", { retry: "fatal" });
    return this.#file;
  }

  #breakWith(cause: unknown): RestoreError {
    this.#broken ??= new RestoreError(
      "LOCAL_IO",
      `cannot write the journal in ${this.#init.directory}: ${messageOf(cause)}`,
      {
        hint: "Nothing is sent any more. Make room or name another place with --state-dir, then take the job up again.",
        retry: "fatal",
        cause,
      },
    );
    return this.#broken;
  }
}

/** What a journal's files hold. */
export interface RecoveredLog {
  /** The last checkpoint and the entries behind it. */
  readonly payloads: readonly Buffer[];
  /** The file in which they stand. */
  readonly path?: string;
  /** Number for the next segment. */
  readonly nextSegment: number;
}

/** How often files are listed again that a living process replaced meanwhile. */
const MOST_LISTINGS = 5;

/**
 * Reads a journal's files; changes nothing, and may run beside the process that writes them. No payloads: nothing was
 * ever kept there.
 * @throws RestoreError JOURNAL_INVALID when it is damaged or of another version; LOCAL_IO
 */
export async function recoverLog(directory: string): Promise<RecoveredLog> {
  for (let listing = 1; ; listing++) {
    try {
      return await readSegments(directory);
    } catch (error) {
      // The system's word, not that of the error about it.
      const cause = error instanceof RestoreError ? error.cause : error;
      if (systemCode(cause) !== "ENOENT" || listing === MOST_LISTINGS) throw error;
    }
  }
}

async function readSegments(directory: string): Promise<RecoveredLog> {
  const segments = await segmentsIn(directory).catch((cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot read the journal in ${directory}: ${messageOf(cause)}`, { cause });
  });
  const nextSegment = (segments.at(-1) ?? 0) + 1;
  for (const number of [...segments].reverse()) {
    const path = segmentPath(directory, number);
    const scanned = await readSegment(path);
    if (scanned?.damagedAt !== undefined) throw damaged(path, scanned.damagedAt);
    // A segment without its checkpoint was never finished; the one before it still stands for everything.
    if (scanned !== undefined && scanned.payloads.length > 0) return { payloads: scanned.payloads, path, nextSegment };
  }
  if (nextSegment > 2) throw invalid(`no file of the journal in ${directory} can be read`);
  return { payloads: [], nextSegment };
}

async function readSegment(path: string): Promise<ScannedSegment | undefined> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot read the journal ${path}: ${messageOf(cause)}`, { cause });
  });
  const header = readSegmentHeader(bytes);
  if (header.kind === "version") {
    throw invalid(`${path} was written in format ${header.version}, which this version does not know`);
  }
  if (header.kind === "ok") return scanFrames(bytes, header.seed);
  if (hasDurableFrame(bytes, 0)) throw damaged(path, 0);
  if (header.kind === "foreign") throw invalid(`${path} is no journal`);
  return undefined;
}

function damaged(path: string, at: number): RestoreError {
  return invalid(`${path} is damaged at byte ${at}: what follows there was kept once`);
}

function invalid(message: string): RestoreError {
  return new RestoreError("JOURNAL_INVALID", message, {
    hint: "The job cannot be taken up again. `elastickv-restore cancel` lets go of it; then restore with --mode merge or replace.",
    retry: "fatal",
  });
}

async function segmentsIn(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names
    .flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function segmentPath(directory: string, number: number): string {
  return join(directory, `journal-${String(number).padStart(8, "0")}.log`);
}

/** A write may take only a part of what it is given, on a disk that is nearly full. `start`: place in the file. */
async function writeWhole(file: FileHandle, bytes: Buffer, start: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, start + at)).bytesWritten;
  }
}
