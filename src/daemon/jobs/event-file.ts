/**
 * A job's events in a file, a line each, in the order of their numbers. What a crash left of a line at the end is cut off.
 * Beyond a size the oldest events of progress go; those of state stay.
 */
import { type FileHandle, open, truncate } from "node:fs/promises";
import * as z from "zod";
import { systemCode } from "../../errors/restore-error.js";
import { replaceFile } from "../../support/durable-files.js";
import { jobEventSchema } from "../schema/job.js";
import type { NumberedEvent } from "../services.js";

const MOST_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

const lineSchema = z.strictObject({ id: z.int().positive(), event: jobEventSchema });

/** A place in the file, good for as long as the file is not written anew. */
interface Place {
  readonly generation: number;
  readonly offset: number;
}

export class EventFile {
  readonly #path: string;
  readonly #mostBytes: number;
  #generation = 0;
  #size: number;
  #last: NumberedEvent | undefined;

  private constructor(path: string, mostBytes: number, found: { size: number; last: NumberedEvent | undefined }) {
    this.#path = path;
    this.#mostBytes = mostBytes;
    this.#size = found.size;
    this.#last = found.last;
  }

  /** @throws the system's error */
  static async open(path: string, mostBytes: number = MOST_BYTES): Promise<EventFile> {
    return new EventFile(path, mostBytes, await endOf(path));
  }

  /** The event that was added last. */
  get last(): NumberedEvent | undefined {
    return this.#last;
  }

  /** Calls must not overlap. Resolves once it is on disk. @throws the system's error; the file is as before then */
  async add(numbered: NumberedEvent): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(numbered)}\n`);
    if (this.#size > 0 && this.#size + line.length > this.#mostBytes) await this.#shrink();
    const file = await open(this.#path, "a", 0o600);
    try {
      await file.appendFile(line);
      await file.sync();
    } catch (error) {
      // A part of the line would run into the next one.
      await file.truncate(this.#size).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    this.#size += line.length;
    this.#last = numbered;
  }

  /**
   * Events behind number `after` that stand in the file by the time they are asked for. Nothing is held open between two
   * of them, however slowly they are taken.
   */
  async *read(after: number): AsyncGenerator<NumberedEvent> {
    let last = after;
    let place: Place = { generation: this.#generation, offset: 0 };
    while ((this.#last?.id ?? 0) > last) {
      if (place.generation !== this.#generation) place = { generation: this.#generation, offset: 0 };
      const { lines, next } = await this.#linesAt(place);
      // Of a file that was written anew meanwhile it may be any part.
      if (place.generation !== this.#generation) continue;
      if (lines.length === 0) return;
      for (const line of lines) {
        const numbered = parsedLine(line);
        if (numbered === undefined || numbered.id <= last) continue;
        last = numbered.id;
        yield numbered;
      }
      place = next;
    }
  }

  async #linesAt({ generation, offset }: Place): Promise<{ readonly lines: string[]; readonly next: Place }> {
    const end = this.#size;
    const file = await open(this.#path, "r");
    try {
      for (let length = CHUNK_BYTES; ; length *= 2) {
        const bytes = await read(file, offset, Math.min(length, end - offset));
        const whole = bytes.lastIndexOf(LINE_FEED) + 1;
        if (whole === 0 && offset + length < end) continue;
        const lines = bytes.toString("utf8", 0, whole).split("\n").slice(0, -1);
        return { lines, next: { generation, offset: offset + whole } };
      }
    } finally {
      await file.close();
    }
  }

  /** Half of the room is free afterwards, unless events of state take it. The last stays: it has the number that was given last. */
  async #shrink(): Promise<void> {
    const kept: string[] = [];
    const sizes: number[] = [];
    const progress: number[] = [];
    let total = 0;
    for await (const numbered of this.read(0)) {
      const line = `${JSON.stringify(numbered)}\n`;
      if (numbered.event.type === "progress" && numbered.id !== this.#last?.id) progress.push(kept.length);
      kept.push(line);
      sizes.push(Buffer.byteLength(line));
      total += sizes.at(-1) ?? 0;
    }
    const gone = new Set<number>();
    for (const at of progress) {
      if (total <= this.#mostBytes / 2) break;
      gone.add(at);
      total -= sizes[at] ?? 0;
    }
    if (gone.size === 0) return;
    // Places from before are good for nothing from now on, nor are those of readers that come before the new file is there.
    this.#generation++;
    try {
      await replaceFile(this.#path, kept.filter((_, at) => !gone.has(at)).join(""));
      this.#size = total;
    } finally {
      this.#generation++;
    }
  }
}

async function read(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

/** Where the last whole line ends, and what stands in it. */
async function endOf(path: string): Promise<{ readonly size: number; readonly last: NumberedEvent | undefined }> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return { size: 0, last: undefined };
  try {
    const { size } = await file.stat();
    for (let length = CHUNK_BYTES; ; length *= 2) {
      const start = Math.max(0, size - length);
      const bytes = await read(file, start, size - start);
      const whole = bytes.lastIndexOf(LINE_FEED) + 1;
      const lines = bytes.toString("utf8", 0, whole).split("\n").slice(0, -1);
      // The first line of the piece may have begun before it.
      const last = lines.slice(start === 0 ? 0 : 1).findLast((line) => parsedLine(line) !== undefined);
      if (last === undefined && start > 0) continue;
      if (start + whole < size) await truncate(path, start + whole);
      return { size: start + whole, last: last === undefined ? undefined : parsedLine(last) };
    }
  } finally {
    await file.close();
  }
}

/** Undefined for what a damaged disk made of a line. */
function parsedLine(line: string): NumberedEvent | undefined {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
