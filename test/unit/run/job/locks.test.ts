import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { platform, tmpdir, uptime, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import { acquireFileLock } from "../../../../src/run/job/file-lock.js";
import { type Holder, parseHolder } from "../../../../src/run/job/lock.js";
import { acquireLock, isHolder, lockHolder } from "../../../../src/run/job/locks.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "elastickv-restore-locks-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const holder = (pid: number): Holder => ({ pid, job: `job-${pid}` });
const init = (pid = process.pid, isAlive = (_: number) => true) => ({
  what: `table in ${directory}`,
  holder: holder(pid),
  directory,
  isAlive,
});

describe("a lock", () => {
  it("is had by one, who is named to the next, until it is released", async () => {
    const lock = await acquireLock(init(41));
    await expect(acquireLock(init(42))).rejects.toMatchObject({
      code: "JOB_HELD",
      retry: "fatal",
      message: `table in ${directory} is being restored by job job-41 (process 41)`,
    });
    await lock.release();
    await lock.release();
    await (await acquireLock(init(42))).release();
  });

  it.skipIf(platform() !== "linux")("is freed though somebody who asked does not hang up", async () => {
    const lock = await acquireLock(init());
    const name = createHash("sha256").update(init().what).digest("hex").slice(0, 40);
    const socket = createConnection({ path: `\0elastickv-restore/${userInfo().uid}/${name}`, allowHalfOpen: true });
    await new Promise((resolve) => socket.once("data", resolve));
    await lock.release();
    socket.destroy();
    expect(await acquireLock(init()).then((again) => again.release())).toBeUndefined();
  });
});

describe.skipIf(platform() !== "linux")("who has a lock", () => {
  it("is known of the process that has it and of no other, whatever the holder says of itself", async () => {
    const lock = await acquireLock(init(process.ppid));
    expect(await lockHolder(init())).toMatchObject({ pid: process.ppid });
    expect([await isHolder(init().what, process.pid), await isHolder(init().what, process.ppid)]).toEqual([
      true,
      false,
    ]);
    await lock.release();
    expect(await isHolder(init().what, process.pid)).toBe(false);
  });

  it("is known while somebody asks, and of a process that is gone it is nobody", async () => {
    const lock = await acquireLock(init());
    const name = createHash("sha256").update(init().what).digest("hex").slice(0, 40);
    const socket = createConnection({ path: `\0elastickv-restore/${userInfo().uid}/${name}`, allowHalfOpen: true });
    await new Promise((resolve) => socket.once("data", resolve));
    expect(await isHolder(init().what, process.pid)).toBe(true);
    expect(await isHolder(init().what, 2 ** 22 + 1)).toBe(false);
    socket.destroy();
    await lock.release();
  });

  it("may say that it is to be ended, and is believed only in so many words", async () => {
    const lock = await acquireLock({ ...init(), holder: { ...holder(1), mayBeEnded: true } });
    expect(await lockHolder(init())).toEqual({ pid: 1, job: "job-1", mayBeEnded: true });
    await lock.release();
  });
});

describe("a lock as a file", () => {
  const held = (by: Holder | undefined) => new RestoreError("JOB_HELD", `held by ${by?.pid ?? "nobody known"}`);
  const acquire = (pid: number, isAlive?: (pid: number) => boolean) =>
    acquireFileLock({ ...init(pid, isAlive), name: "abc" }, held);

  it("is had by one, who is named to the next, until it is released", async () => {
    const lock = await acquire(41);
    await expect(acquire(42)).rejects.toThrow("held by 41");
    await expect(acquire(41)).rejects.toThrow("held by 41");
    expect(readdirSync(directory)).toHaveLength(1);
    await lock.release();
    await lock.release();
    expect(readdirSync(directory)).toEqual([]);
    await (await acquire(42)).release();
  });

  it("of a process that is gone, or from before the machine was started, counts for nothing", async () => {
    await acquire(41);
    writeFileSync(join(directory, `abc.43.${Math.ceil(uptime()) + 1000}.lock`), "{");
    const lock = await acquire(42, (pid) => pid !== 41);
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^abc\.42\./)]);
    await lock.release();
  });

  it("of a holder that could not write down who it is counts as held", async () => {
    writeFileSync(join(directory, "abc.41.0.lock"), "");
    await expect(acquire(42)).rejects.toThrow("held by nobody known");
  });

  it("is never had by two who come at once", async () => {
    for (let round = 0; round < 20; round++) {
      const all = await Promise.allSettled([1, 2, 3, 4].map((pid) => acquire(pid)));
      const got = all.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      expect(got.length).toBeLessThanOrEqual(1);
      for (const lock of got) await lock.release();
      expect(readdirSync(directory)).toEqual([]);
    }
  });

  it("is apart from other locks, and tells where it cannot be made", async () => {
    writeFileSync(join(directory, "abcd.41.0.lock"), "");
    await (await acquire(42)).release();
    const elsewhere = { ...init(), directory: join(directory, "none"), name: "abc" };
    await expect(acquireFileLock(elsewhere, held)).rejects.toMatchObject({ code: "LOCAL_IO" });
  });
});

it("a holder is read only as a whole", () => {
  expect(parseHolder('{"pid":1,"job":"a"}')).toEqual({ pid: 1, job: "a" });
  expect(parseHolder('{"pid":1,"job":"a","mayBeEnded":1}')).toEqual({ pid: 1, job: "a" });
  for (const text of ["", "{", "null", "1", '{"pid":1}', '{"job":"a"}', '{"pid":"1","job":"a"}', '{"pid":1,"job":2}']) {
    expect(parseHolder(text)).toBeUndefined();
  }
});
