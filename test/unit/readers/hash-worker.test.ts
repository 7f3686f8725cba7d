import { createHash } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FileContent } from "../../../src/readers/content.js";
import type { HashAnswer, HashJob } from "../../../src/readers/hash-pool.js";

const MIB = 1024 * 1024;

/** What a worker's thread has, and what files look like just before they get their bytes. */
const { port, growing } = vi.hoisted(() => ({
  port: { handle: (_job: unknown): void => undefined, answer: undefined as unknown },
  growing: { sizeBefore: 0 },
}));

vi.mock("node:worker_threads", () => ({
  parentPort: {
    on: (_event: string, handle: (job: unknown) => void) => {
      port.handle = handle;
    },
    postMessage: ({ answer }: { answer: unknown }) => {
      port.answer = answer;
    },
  },
}));

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const fstatSync = (fd: number) => Object.assign(fs.fstatSync(fd), { size: growing.sizeBefore });
  return { ...fs, fstatSync };
});

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "elastickv-restore-worker-"));
  await import("../../../src/readers/hash-worker.js");
});
afterEach(() => rm(root, { recursive: true, force: true }));

it.each([0, MIB])("a file that grew from %d bytes to what its row says can be read", async (sizeBefore) => {
  growing.sizeBefore = sizeBefore;
  const bytes = Buffer.alloc(2 * MIB + 5, "0123456789");
  const path = "large.bin";
  await writeFile(join(root, path), bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const job: HashJob = { root, rows: Buffer.from(`${sha256}  ${path}\0`), count: 1, isKept: false };
  port.handle({ id: 0, ...job });
  const answer = port.answer as HashAnswer;
  expect(answer).toMatchObject({ bytes: bytes.length, exceptions: [] });
  const { dev, ino } = await stat(join(root, path));
  const blocks = answer.tagged[0]?.tags ?? "";
  const content = new FileContent(root, { path, size: answer.bytes, identity: `${dev}:${ino}`, sha256, blocks });
  expect((await content.buffer()).equals(bytes)).toBe(true);
});
