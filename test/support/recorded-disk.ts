/**
 * What a disk may hold after a power loss: file operations are recorded while they really happen, and from the record
 * images are made for any moment. What was synced is there, and what was written whole to a file that was opened with
 * O_DSYNC. Of what was not, each 512-byte sector is as it was after any
 * of the operations since, or zeros; lengths and names are there or not.
 *
 * `vi.mock("node:fs/promises", async (original) => recorded(await original()))` puts it under the code.
 */
import { constants, mkdirSync, writeFileSync } from "node:fs";
import type * as fsPromises from "node:fs/promises";
import { dirname, join, relative } from "node:path";

const SECTOR_BYTES = 512;

interface Timed {
  readonly start: number;
  /** Absent while it is under way. */
  end?: number;
}
/** `at`: place in the file; absent: its end. `isSync`: on disk when it has ended. */
interface Write {
  readonly write: Buffer;
  readonly at?: number;
  readonly isSync?: boolean;
}
type Effect = Write | { readonly truncate: number };
type Change = Timed & Effect;
interface FileRecord {
  readonly changes: Change[];
  readonly syncs: Timed[];
}
type NameChange = Timed & { readonly name: string; readonly file: FileRecord | undefined };

/** Draws a whole number from 0 to `max`. */
export type Draw = (max: number) => number;

/** Records what happens in one directory. */
export class DiskRecord {
  readonly #directory: string;
  readonly #names = new Map<string, FileRecord>();
  readonly #nameChanges: NameChange[] = [];
  readonly #folderSyncs: Timed[] = [];
  #time = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Moments so far. */
  get time(): number {
    return this.#time;
  }

  /** Syncs of the file of that name so far. */
  syncsOf(name: string): number {
    const { syncs = [], changes = [] } = this.#names.get(name) ?? {};
    return syncs.length + changes.filter((change) => isSynced(change, this.#time)).length;
  }

  covers(path: string): boolean {
    return path === this.#directory || dirname(path) === this.#directory;
  }

  /** The record of an opened file; undefined for the directory itself. */
  opened(path: string, flags: unknown): FileRecord | undefined {
    if (path === this.#directory) return undefined;
    const name = relative(this.#directory, path);
    let file = this.#names.get(name);
    if (file === undefined && flags !== "r") {
      file = { changes: [], syncs: [] };
      this.#rename(name, file);
    }
    if (flags === "w") file?.changes.push({ ...this.#instant(), truncate: 0 });
    return file;
  }

  async change<T>(file: FileRecord | undefined, what: Effect, work: () => Promise<T>): Promise<T> {
    const change = { start: this.#time++, ...what } as Change;
    file?.changes.push(change);
    const done = await work();
    change.end = this.#time++;
    return done;
  }

  async sync<T>(file: FileRecord | undefined, work: () => Promise<T>): Promise<T> {
    const sync: Timed = { start: this.#time++ };
    (file?.syncs ?? this.#folderSyncs).push(sync);
    const done = await work();
    sync.end = this.#time++;
    return done;
  }

  removed(path: string): void {
    this.#rename(relative(this.#directory, path), undefined);
  }

  renamed(from: string, to: string): void {
    const file = this.#names.get(relative(this.#directory, from));
    this.removed(from);
    this.#rename(relative(this.#directory, to), file);
  }

  /** Writes into `to` what the disk may hold when the power fails at `moment`. */
  image(moment: number, to: string, draw: Draw): void {
    mkdirSync(to, { recursive: true });
    const names = new Map<string, FileRecord>();
    const durable = syncedBefore(this.#folderSyncs, moment);
    for (const change of this.#nameChanges) {
      if (change.start >= moment) break;
      const isKept = (change.end ?? Number.POSITIVE_INFINITY) <= durable || draw(1) === 1;
      if (!isKept) continue;
      if (change.file === undefined) names.delete(change.name);
      else names.set(change.name, change.file);
    }
    for (const [name, file] of names) writeFileSync(join(to, name), imageOf(file, moment, draw));
  }

  #instant(): { start: number; end: number } {
    return { start: this.#time++, end: this.#time++ };
  }

  #rename(name: string, file: FileRecord | undefined): void {
    this.#nameChanges.push({ ...this.#instant(), name, file });
    if (file === undefined) this.#names.delete(name);
    else this.#names.set(name, file);
  }
}

/** Whatever ended before that time is on disk. */
function syncedBefore(syncs: readonly Timed[], moment: number): number {
  const ended = syncs.filter(({ end }) => end !== undefined && end < moment);
  return ended.reduce((latest, { start }) => Math.max(latest, start), -1);
}

function imageOf({ changes, syncs }: FileRecord, moment: number, draw: Draw): Buffer {
  const durable = syncedBefore(syncs, moment);
  let content: Buffer = Buffer.alloc(0);
  const versions: Buffer[] = [];
  for (const change of changes) {
    if (change.start >= moment) break;
    const isDurable = (change.end ?? Number.POSITIVE_INFINITY) <= durable || isSynced(change, moment);
    if (!isDurable && versions.length === 0) versions.push(content);
    content = changed(content, change);
    if (!isDurable) versions.push(content);
  }
  return versions.length === 0 ? content : mixed(versions, draw);
}

/** Whether it brought itself to the disk before that time. */
function isSynced(change: Change, moment: number): boolean {
  return "write" in change && change.isSync === true && change.end !== undefined && change.end < moment;
}

function changed(content: Buffer, change: Change): Buffer {
  if (!("write" in change)) return content.subarray(0, change.truncate);
  const { write, at = content.length } = change;
  const written = Buffer.concat([content], Math.max(content.length, at + write.length));
  write.copy(written, at);
  return written;
}

function mixed(versions: readonly Buffer[], draw: Draw): Buffer {
  const pick = () => versions[draw(versions.length - 1)] ?? Buffer.alloc(0);
  // All of it, none of it, or anything between.
  const whole = [undefined, versions.at(-1), versions[0], undefined][draw(3)];
  const mixture = Buffer.alloc((whole ?? pick()).length);
  for (let at = 0; at < mixture.length; at += SECTOR_BYTES) {
    const isZero = whole === undefined && at >= (versions[0]?.length ?? 0) && draw(4) === 0;
    if (!isZero) (whole ?? pick()).subarray(at, at + SECTOR_BYTES).copy(mixture, at);
  }
  return mixture;
}

let recording: DiskRecord | undefined;
let fault: ((operation: Operation, path: string) => Promise<void> | void) | undefined;

/** `look`: a file is opened to be read. */
export type Operation = "open" | "look" | "read" | "write" | "sync" | "synced" | "truncate" | "remove";

/** Records from now on; undefined: no more. */
export function recordTo(record: DiskRecord | undefined): void {
  recording = record;
}

/** Called before a file is read as a whole, before what changes something, and behind a sync; what it throws is what the operation fails with. */
export function failWith(next: typeof fault): void {
  fault = next;
}

/** The module with the functions that the code under test uses, recorded. */
export function recorded(fs: typeof fsPromises): typeof fsPromises {
  const open = async (path: string, flags: string | number, mode?: number) => {
    await fault?.(flags === "r" ? "look" : "open", path);
    const handle = await fs.open(path, flags, mode);
    const record = recording?.covers(path) === true ? recording : undefined;
    const isSync = typeof flags === "number" && (flags & constants.O_DSYNC) !== 0;
    return watched(handle, { path, record, file: record?.opened(path, flags), isSync });
  };
  const readFile = async (path: string, options?: BufferEncoding) => {
    await fault?.("read", path);
    return await fs.readFile(path, options);
  };
  const rm = async (path: string, options?: object) => {
    await fault?.("remove", path);
    await fs.rm(path, options);
    if (recording?.covers(path) === true) recording.removed(path);
  };
  const rename = async (from: string, to: string) => {
    await fs.rename(from, to);
    if (recording?.covers(to) === true) recording.renamed(from, to);
  };
  return { ...fs, open, readFile, rm, rename } as typeof fsPromises;
}

interface Watched {
  readonly path: string;
  readonly record: DiskRecord | undefined;
  readonly file: FileRecord | undefined;
  /** Every write is on disk when it ends. */
  readonly isSync: boolean;
}

function watched(handle: fsPromises.FileHandle, { path, record, file, isSync }: Watched): fsPromises.FileHandle {
  const change = <T>(what: Effect, work: () => Promise<T>) =>
    record === undefined ? work() : record.change(file, what, work);
  const sync = (work: () => Promise<void>) => (record === undefined ? work() : record.sync(file, work));
  const methods = {
    write: async (bytes: Buffer, from: number, length: number, at: number) => {
      await fault?.("write", path);
      const written = await change(
        { write: Buffer.from(bytes.subarray(from, from + length)), at, isSync },
        async () => {
          const result = await handle.write(bytes, from, length, at);
          if (isSync) await fault?.("sync", path);
          return result;
        },
      );
      if (isSync) await fault?.("synced", path);
      return written;
    },
    appendFile: async (bytes: Buffer) => {
      await fault?.("write", path);
      await change({ write: Buffer.from(bytes) }, () => handle.appendFile(bytes));
    },
    writeFile: async (text: string) => {
      await fault?.("write", path);
      await change({ write: Buffer.from(text) }, () => handle.writeFile(text));
    },
    truncate: async (size: number) => {
      await fault?.("truncate", path);
      await change({ truncate: size }, () => handle.truncate(size));
    },
    datasync: async () => {
      await fault?.("sync", path);
      await sync(() => handle.datasync());
      await fault?.("synced", path);
    },
    sync: async () => {
      await fault?.("sync", path);
      await sync(() => handle.sync());
    },
  };
  return new Proxy(handle, {
    get: (target, name) => {
      const own: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}
