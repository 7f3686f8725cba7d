import { renameSync } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { JournalLog, recoverLog } from "../../../../src/run/journal/log.js";
import { ForgottenFiles } from "../../../support/open-files.js";
import { DiskRecord, failWith, type Operation, recordTo } from "../../../support/recorded-disk.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../../../support/recorded-disk.js");
  return recorded(await original());
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "elastickv-restore-log-"));
});
afterEach(async () => {
  recordTo(undefined);
  failWith(undefined);
  await rm(directory, { recursive: true });
});

const bytes = (text: string) => Buffer.from(text);
const segment = (number: number) => join(directory, `journal-0000000${number}.log`);
const found = async () => (await recoverLog(directory)).payloads.map(String);

/** A log whose checkpoint is a list of everything that was appended. */
async function begin({ from = 1, segmentBytes }: { from?: number; segmentBytes?: number } = {}) {
  const all: string[] = [];
  const log = await JournalLog.begin({
    directory,
    segment: from,
    checkpoint: () => Promise.resolve(bytes(`[${all.join(" ")}]`)),
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  });
  const append = (text: string, durable: boolean) => {
    all.push(text);
    return log.append(bytes(text), durable);
  };
  return { log, append };
}

/** Fails from the next operation of that kind on a segment, or the directory. */
function failAt(operation: Operation, code: string): void {
  failWith((what) => {
    if (what === operation) throw Object.assign(new Error(`${code}: it failed`), { code });
  });
}

describe("entries", () => {
  it("are found again behind the checkpoint, in their order", async () => {
    const { log, append } = await begin();
    await append("one", false);
    await append("two", true);
    expect(await found()).toEqual(["[]", "one", "two"]);
    await append("three", false);
    await log.close();
    expect(await found()).toEqual(["[]", "one", "two", "three"]);
    expect(await recoverLog(directory)).toMatchObject({ nextSegment: 2, path: segment(1) });
  });

  it("that come at once go together: a thousand cost a handful of syncs", async () => {
    const record = new DiskRecord(directory);
    recordTo(record);
    const { log, append } = await begin();
    const before = record.syncsOf("journal-00000001.log");
    await Promise.all(Array.from({ length: 1000 }, (_, i) => append(`${i}`, true)));
    expect(record.syncsOf("journal-00000001.log") - before).toBeLessThanOrEqual(3);
    await log.close();
    expect(await found()).toHaveLength(1001);
  });

  it("that nobody waits for are kept by themselves", async () => {
    const { log, append } = await begin();
    await append("lazy", false);
    await vi.waitFor(async () => expect(await found()).toEqual(["[]", "lazy"]), { interval: 5 });
    await append("again", false);
    await vi.waitFor(async () => expect(await found()).toEqual(["[]", "lazy", "again"]), { interval: 5 });
    await log.close();
  });

  it("that nobody waits for are waited for, once they would fill memory", async () => {
    const { log } = await begin();
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    failWith((what) => (what === "sync" ? opened : undefined));
    let isTaken = false;
    await log.append(Buffer.alloc(1024 * 1024), false);
    const over = log.append(bytes("x"), false).then(() => {
      isTaken = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(isTaken).toBe(false);
    open();
    await over;
    await log.close();
  });

  it.each(Array.from({ length: 16 }, (_, turns) => [turns]))(
    "that come just when a write ends, %s turns behind it, are written all the same",
    async (turns) => {
      const { log, append } = await begin();
      let ended: () => void = () => undefined;
      const end = new Promise<void>((resolve) => {
        ended = resolve;
      });
      failWith((what) => (what === "synced" ? end : undefined));
      const early = append("early", true);
      await vi.waitFor(async () => expect(await found()).toEqual(["[]", "early"]), { interval: 1 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      ended();
      failWith(undefined);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      await append("late", true);
      await early;
      await log.close();
      expect(await found()).toEqual(["[]", "early", "late"]);
    },
  );
});

describe("a segment that has grown", () => {
  it("is followed by one whose checkpoint stands for it", async () => {
    const { log, append } = await begin({ segmentBytes: 200 });
    for (let i = 0; i < 12; i++) await append(`${i}`, true);
    await log.close();
    const names = await readdir(directory);
    expect(names).toHaveLength(1);
    expect(names).not.toContain("journal-00000001.log");
    const [checkpoint = "", ...rest] = await found();
    const all = [...checkpoint.slice(1, -1).split(" "), ...rest];
    expect(all).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
  });

  it("is not followed at once by another, however long checkpoints are", async () => {
    const checkpoint = () => Promise.resolve(Buffer.alloc(10_000, "x"));
    const log = await JournalLog.begin({ directory, segment: 1, checkpoint, segmentBytes: 100 });
    for (let i = 0; i < 300; i++) await log.append(Buffer.alloc(80), true);
    await log.close();
    // 300 entries of 100 bytes: about three times as much as a checkpoint.
    expect((await recoverLog(directory)).nextSegment).toBeLessThanOrEqual(5);
  });

  it("is followed by another after four megabytes, where nothing else is said", async () => {
    const { log } = await begin();
    for (let i = 0; i < 4; i++) await log.append(Buffer.alloc(1024 * 1024 - 100), true);
    await log.append(bytes("last"), true);
    expect(await readdir(directory)).toEqual(["journal-00000001.log"]);
    await log.append(Buffer.alloc(400), true);
    await log.append(bytes("over"), true);
    expect(await readdir(directory)).toEqual(["journal-00000002.log"]);
    await log.close();
  });

  it("is followed once it is longer than it may be, and not before", async () => {
    const { log } = await begin({ segmentBytes: 400 });
    const { length } = await readFile(segment(1));
    await log.append(Buffer.alloc(400 - length - 20), true);
    await log.append(bytes("x"), true);
    expect(await readFile(segment(1))).toHaveLength(400 + 21);
    await log.append(bytes("y"), true);
    expect(await readdir(directory)).toEqual(["journal-00000002.log"]);
    await log.close();
  });

  it("has room behind its entries, which is no entry and is used by the next ones", async () => {
    const { log, append } = await begin();
    const { length } = await readFile(segment(1));
    await append("one", true);
    const room = await readFile(segment(1));
    expect(room).toHaveLength(length + 23 + 64 * 1024);
    expect(room.subarray(length + 23).every((byte) => byte === 0)).toBe(true);
    await append("two", true);
    expect(await readFile(segment(1))).toHaveLength(room.length);
    await append("x".repeat(64 * 1024), true);
    expect(await readFile(segment(1))).toHaveLength(length + 2 * 23 + 20 + 2 * 64 * 1024);
    expect(await found()).toEqual(["[]", "one", "two", "x".repeat(64 * 1024)]);
    await log.close();
  });

  it("is not made longer by its room than a segment may be", async () => {
    const { log, append } = await begin({ segmentBytes: 400 });
    await append("one", true);
    expect(await readFile(segment(1))).toHaveLength(400);
    await log.close();
  });

  it("knows from its first entry on what is on disk: damage is seen in its checkpoint as well", async () => {
    const { log, append } = await begin();
    await append("one", true);
    await log.close();
    const whole = await readFile(segment(1));
    const at = whole.indexOf("[]");
    whole[at] = 0;
    await writeFile(segment(1), whole);
    await expect(recoverLog(directory)).rejects.toThrow(`${segment(1)} is damaged at byte ${at - 20}`);
  });

  it("still stands for everything, where the next one was never finished", async () => {
    const { log, append } = await begin();
    await append("kept", true);
    await log.close();
    const whole = await readFile(segment(1));
    for (const torn of [Buffer.alloc(0), whole.subarray(0, 20), whole.subarray(0, 40), Buffer.alloc(700)]) {
      await writeFile(segment(2), torn);
      expect(await found()).toEqual(["[]", "kept"]);
      expect((await recoverLog(directory)).nextSegment).toBe(3);
    }
  });

  it("is forgotten behind a finished one, though it could not be removed in time", async () => {
    const { log, append } = await begin();
    await append("old", true);
    await log.close();
    const old = await readFile(segment(1));
    const { log: next, append: again } = await begin({ from: 2 });
    await again("new", true);
    await next.close();
    await writeFile(segment(1), old);
    expect(await found()).toEqual(["[]", "new"]);
    await (await begin({ from: 3 })).log.close();
    expect(await readdir(directory)).toEqual(["journal-00000003.log"]);
  });
});

describe("recovery", () => {
  it("finds nothing where nothing was kept", async () => {
    expect(await recoverLog(directory)).toEqual({ payloads: [], nextSegment: 1 });
    for (const name of [
      "journal-1.log",
      "my-journal-00000007.log",
      "journal-00000007.log.old",
      "journal-00000007xlog",
    ]) {
      await writeFile(join(directory, name), "another's");
    }
    expect(await recoverLog(directory)).toEqual({ payloads: [], nextSegment: 1 });
    await writeFile(segment(1), "");
    expect(await recoverLog(directory)).toEqual({ payloads: [], nextSegment: 2 });
  });

  it("refuses a damaged middle by file and byte, and changes nothing", async () => {
    const { log, append } = await begin();
    await append("one", true);
    await append("two", true);
    await log.close();
    const whole = await readFile(segment(1));
    const at = whole.indexOf("one") - 20;
    whole[at + 20] = 0;
    await writeFile(segment(1), whole);
    const message = `${segment(1)} is damaged at byte ${at}: what follows there was kept once`;
    await expect(recoverLog(directory)).rejects.toMatchObject({ code: "JOURNAL_INVALID", message, retry: "fatal" });
    expect(await readFile(segment(1))).toEqual(whole);
  });

  it.each([
    ["zeros", Buffer.alloc(30)],
    ["other words", Buffer.alloc(30, "x")],
  ])("refuses a segment whose beginning was overwritten with %s", async (_, with_) => {
    const { log, append } = await begin();
    await append("one", true);
    await log.close();
    const whole = await readFile(segment(1));
    with_.copy(whole);
    await writeFile(segment(1), whole);
    await expect(recoverLog(directory)).rejects.toThrow(`${segment(1)} is damaged at byte 0`);
  });

  it("refuses files of other programs, other versions, and a journal of which no segment is left", async () => {
    await writeFile(segment(1), Buffer.alloc(600, "x"));
    await expect(recoverLog(directory)).rejects.toThrow(`${segment(1)} is no journal`);
    const { log } = await begin({ from: 2 });
    await log.close();
    const whole = await readFile(segment(2));
    whole.writeUInt32LE(7, 26);
    await writeFile(segment(2), whole);
    await expect(recoverLog(directory)).rejects.toThrow(/in format 7, which this version does not know/);
    await writeFile(segment(2), "");
    await expect(recoverLog(directory)).rejects.toThrow(`no file of the journal in ${directory} can be read`);
  });

  it("tells of a folder that cannot be read", async () => {
    await expect(recoverLog(join(directory, "none"))).rejects.toMatchObject({
      code: "LOCAL_IO",
      message: expect.stringMatching(/^cannot read the journal in .*none: .*ENOENT/) as string,
      cause: expect.objectContaining({ code: "ENOENT" }) as Error,
    });
  });

  it("tells of a segment that cannot be read", async () => {
    await mkdir(segment(1));
    await expect(recoverLog(directory)).rejects.toMatchObject({
      code: "LOCAL_IO",
      message: expect.stringMatching(/^cannot read the journal .*journal-00000001\.log: .*EISDIR/) as string,
      cause: expect.objectContaining({ code: "EISDIR" }) as Error,
    });
  });

  it("looks again, where a segment was replaced before it was read", async () => {
    const { log, append } = await begin();
    await append("one", true);
    await log.close();
    failWith((operation, path) => {
      if (operation === "read" && path === segment(1)) renameSync(path, segment(2));
    });
    expect(await recoverLog(directory)).toMatchObject({ path: segment(2), nextSegment: 3 });
  });

  it("looks five times for a segment that is listed and not there, and tells", async () => {
    await symlink(join(directory, "nowhere"), segment(1));
    let looks = 0;
    failWith((operation) => {
      if (operation === "read") looks++;
    });
    await expect(recoverLog(directory)).rejects.toMatchObject({
      code: "LOCAL_IO",
      message: expect.stringContaining(segment(1)) as string,
      cause: expect.objectContaining({ code: "ENOENT" }) as Error,
    });
    expect(looks).toBe(5);
  });

  it("looks once where reading fails otherwise", async () => {
    await mkdir(segment(1));
    let looks = 0;
    failWith((operation) => {
      if (operation === "read") looks++;
    });
    await expect(recoverLog(directory)).rejects.toMatchObject({ code: "LOCAL_IO" });
    expect(looks).toBe(1);
  });

  it("takes the last of several segments, in whatever order a folder lists them", async () => {
    const { log, append } = await begin({ from: 9 });
    await append("old", true);
    await log.close();
    const old = await readFile(segment(9));
    const { log: next } = await begin({ from: 10_000_000 });
    await next.close();
    for (const number of [3, 9, 5]) await writeFile(segment(number), old);
    expect(await found()).toEqual(["[]"]);
    expect((await recoverLog(directory)).nextSegment).toBe(10_000_001);
  });

  it("says what helps where the journal cannot be used", async () => {
    await writeFile(segment(1), Buffer.alloc(600, "x"));
    await expect(recoverLog(directory)).rejects.toMatchObject({
      code: "JOURNAL_INVALID",
      retry: "fatal",
      hint: expect.stringContaining("elastickv-restore cancel") as string,
    });
  });

  it("may run beside the process that writes", async () => {
    const { log, append } = await begin({ segmentBytes: 100 });
    let isOver = false;
    const writing = (async () => {
      for (let i = 0; i < 150; i++) await append(`${i}`, true);
      isOver = true;
    })();
    let seen = 0;
    while (!isOver) {
      const [checkpoint = "[]", ...rest] = await found();
      const count = checkpoint.slice(1, -1).split(" ").filter(Boolean).length + rest.length;
      expect(count).toBeGreaterThanOrEqual(seen);
      seen = count;
    }
    await writing;
    await log.close();
  });
});

describe("a disk that fails", () => {
  it.each(["write", "sync"] as const)("in a %s refuses the entry and everything after it", async (operation) => {
    const { log, append } = await begin();
    await append("kept", true);
    failAt(operation, "EIO");
    const failures = await Promise.allSettled([append("lost", true), append("lazy", false), append("too", true)]);
    const broken = { code: "LOCAL_IO", retry: "fatal", message: expect.stringContaining(directory) as string };
    expect(failures[0]).toMatchObject({ status: "rejected", reason: broken });
    expect(failures[2]).toMatchObject({ status: "rejected", reason: broken });
    failWith(undefined);
    await expect(append("later", true)).rejects.toMatchObject(broken);
    await expect(append("later", false)).rejects.toMatchObject(broken);
    await expect(log.close()).rejects.toMatchObject(broken);
    expect((await found()).slice(0, 2)).toEqual(["[]", "kept"]);
    expect(await found()).not.toContain("later");
  });

  it("tells of an entry that nobody waited for at the next call, and at the end", async () => {
    const { log, append } = await begin();
    failAt("write", "ENOSPC");
    await append("lazy", false);
    await expect(log.close()).rejects.toMatchObject({
      code: "LOCAL_IO",
      hint: expect.stringContaining("--state-dir") as string,
    });
  });

  it.each(["open", "write", "sync", "remove"] as const)(
    "in a rotation's %s leaves what was promised, and a next process goes on",
    async (operation) => {
      const { log, append } = await begin({ segmentBytes: 100 });
      let kept = 0;
      const longest = 2 * (await readFile(segment(1))).length;
      while ((await readFile(segment(1))).length <= longest) await append(`${kept++}`, true);
      failAt(operation, "ENOSPC");
      await expect(append("rotating", true)).rejects.toMatchObject({ code: "LOCAL_IO" });
      await expect(log.close()).rejects.toMatchObject({ code: "LOCAL_IO" });
      failWith(undefined);
      const { payloads, nextSegment } = await recoverLog(directory);
      for (let i = 0; i < kept; i++) expect(payloads.map(String).join(" ")).toMatch(new RegExp(`\\b${i}\\b`));
      await (await begin({ from: nextSegment })).log.close();
      expect(await readdir(directory)).toHaveLength(1);
    },
  );

  it("may take a write in small parts: the entry is whole all the same", async () => {
    const { log, append } = await begin();
    const probe = await open(join(directory, "probe"), "w");
    type Write = (bytes: Buffer, from: number, length: number, at: number) => unknown;
    const handles = Object.getPrototypeOf(probe) as { write: Write };
    await probe.close();
    const { write } = handles;
    const parts = vi.spyOn(handles, "write").mockImplementation(function (this: unknown, bytes, from, most, at) {
      return write.call(this, bytes, from, Math.min(most, from < 21 ? 7 : most), at);
    });
    await append("in parts", true);
    expect(parts).toHaveBeenCalledTimes(4);
    parts.mockRestore();
    await append("at once", true);
    await log.close();
    expect(await found()).toEqual(["[]", "in parts", "at once"]);
  });

  it("refuses to begin", async () => {
    failAt("open", "EACCES");
    await expect(begin()).rejects.toMatchObject({
      code: "LOCAL_IO",
      message: expect.stringContaining("EACCES") as string,
    });
  });
});

describe("closing", () => {
  it("writes what waits, may be repeated, and takes nothing any more", async () => {
    const { log, append } = await begin();
    void append("waits", false);
    await log.close();
    await log.close();
    const closed = { code: "INTERNAL", retry: "fatal", message: "the journal is closed" };
    await expect(append("late", true)).rejects.toMatchObject(closed);
    await expect(append("late", false)).rejects.toMatchObject(closed);
    expect(await found()).toEqual(["[]", "waits"]);
  });

  it("lets go of the file, as does each new segment of the one before it", async () => {
    const forgotten = new ForgottenFiles(directory);
    const { log, append } = await begin({ segmentBytes: 100 });
    for (let i = 0; i < 30; i++) await append(`${i}`, true);
    const [name = ""] = await readdir(directory);
    expect(name).not.toBe("journal-00000001.log");
    expect(await forgotten.found()).toEqual([join(directory, name)]);
    expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    await log.close();
    expect(await forgotten.found()).toEqual([]);
    forgotten.stop();
  });

  it("lets go of a segment that could not be begun", async () => {
    const forgotten = new ForgottenFiles(directory);
    failAt("write", "ENOSPC");
    await expect(begin()).rejects.toMatchObject({
      code: "LOCAL_IO",
      retry: "fatal",
      hint: expect.stringContaining("--state-dir") as string,
      cause: expect.objectContaining({ code: "ENOSPC" }) as Error,
    });
    expect(await forgotten.found()).toEqual([]);
    forgotten.stop();
  });
});
