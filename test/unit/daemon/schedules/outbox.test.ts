import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Message, Outbox } from "../../../../src/daemon/schedules/outbox.js";

let folder: string;
let directory: string;
let told: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-outbox-"));
  directory = join(folder, "daemon", "outbox");
  told = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const open = (most?: number) =>
  Outbox.open({ directory, warn: (text) => told.push(text), ...(most === undefined ? {} : { most }) });
const numbers = (outbox: Outbox) => outbox.list().map(({ id }) => Number.parseInt(id, 16));

function message(at: number, webhook = "ops"): Message {
  return { id: at.toString(16).padStart(32, "0"), webhook, body: "{}", createdAt: at, attempts: 0, nextAt: at };
}

test("what was put and not removed is there after it is opened again, the oldest first", async () => {
  const outbox = await open();
  for (const at of [3, 1, 2]) await outbox.put(message(at));
  await outbox.putOff({ ...message(1), attempts: 4, nextAt: 99 });
  await outbox.remove(message(2).id);
  const again = await open();
  expect(again.list()).toEqual([{ ...message(1), attempts: 4, nextAt: 99 }, message(3)]);
  expect(again.has(message(2).id)).toBe(false);
});

test("only its owner may read it", async () => {
  const outbox = await open();
  await outbox.put(message(1));
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory, `${message(1).id}.json`))).mode & 0o777).toBe(0o600);
});

test("of each webhook a number of messages is kept, and the oldest goes", async () => {
  const outbox = await open(2);
  for (const at of [1, 2, 3]) await outbox.put(message(at));
  await outbox.put(message(4, "other"));
  expect(numbers(outbox)).toEqual([2, 3, 4]);
  expect(numbers(await open(2))).toEqual([2, 3, 4]);
  expect(told).toEqual(["the webhook ops has over 2 messages waiting: the oldest is not sent"]);
});

test("a file that cannot be read is kept aside, and one that was being written is removed", async () => {
  await open();
  await writeFile(join(directory, `${message(1).id}.json`), "{");
  await writeFile(join(directory, `${message(2).id}.json.tmp`), "{");
  expect((await open()).list()).toEqual([]);
  expect(await readdir(directory)).toEqual([`${message(1).id}.json.damaged`]);
  expect(told).toHaveLength(1);
});

test("a message that cannot be kept is an error, and is not there", async () => {
  const outbox = await open();
  await rm(directory, { recursive: true });
  await expect(outbox.put(message(1))).rejects.toMatchObject({ code: "LOCAL_IO" });
  expect(outbox.list()).toEqual([]);
});

test("a message is put off even where that cannot be kept", async () => {
  const outbox = await open();
  await outbox.put(message(1));
  await rm(directory, { recursive: true });
  await outbox.putOff({ ...message(1), nextAt: 50 });
  expect(outbox.list()).toEqual([{ ...message(1), nextAt: 50 }]);
  expect(told).toHaveLength(1);
});

test("a message that went as newer ones came does not come back when it is put off", async () => {
  const outbox = await open(1);
  await outbox.put(message(1));
  await outbox.put(message(2));
  await outbox.putOff({ ...message(1), attempts: 1 });
  expect(numbers(outbox)).toEqual([2]);
  expect(numbers(await open())).toEqual([2]);
});

test("a message that goes while it is put off does not come back after a restart", async () => {
  const outbox = await open();
  await outbox.put(message(1));
  const puttingOff = outbox.putOff({ ...message(1), attempts: 1 });
  await outbox.remove(message(1).id);
  await puttingOff;
  expect(await readdir(directory)).toEqual([]);
});
