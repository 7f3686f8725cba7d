import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { hasEnded, writeCancellation, writeEnd } from "../../../../src/run/job/job-end.js";
import { failWith } from "../../../support/recorded-disk.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../../../support/recorded-disk.js");
  return recorded(await original());
});

const ID = "00000000000000aa";
let state: string;
let folder: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "elastickv-restore-end-"));
  folder = join(state, "jobs", ID);
  mkdirSync(folder, { recursive: true });
});
afterEach(() => {
  failWith(undefined);
  rmSync(state, { recursive: true });
});

it("a job has ended by its report or by having been let go of, and not before", async () => {
  expect(await hasEnded(state, ID)).toBe(false);
  await writeEnd(folder, "{}");
  expect(await hasEnded(state, ID)).toBe(true);
  rmSync(join(folder, "report.json"));
  await writeCancellation(state, ID, { at: 1, left: [], targetsReached: true });
  expect(await hasEnded(state, ID)).toBe(true);
});

it("a job that is not there has not ended, nor has one whose folder is a file", async () => {
  expect(await hasEnded(state, "00000000000000ab")).toBe(false);
  writeFileSync(join(state, "jobs", "00000000000000ab"), "");
  expect(await hasEnded(state, "00000000000000ab")).toBe(false);
});

it("whether a job has ended is known without reading how", async () => {
  await writeEnd(folder, "{}");
  failWith((operation) => {
    if (operation === "read" || operation === "look") throw new Error("read");
  });
  expect(await hasEnded(state, ID)).toBe(true);
});
