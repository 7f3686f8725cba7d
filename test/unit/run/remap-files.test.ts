import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StreamRecord } from "../../../src/model/record.js";
import { remapFiles } from "../../../src/run/remap-files.js";
import { databaseScope } from "../../support/records.js";

let dumpPath: string;
const jobId = "0123456789abcdef";
const stem = "redis/db_0/streams/s1";

beforeEach(async () => {
  dumpPath = await mkdtemp(join(tmpdir(), "elastickv-restore-remap-"));
});

afterEach(() => rm(dumpPath, { recursive: true, force: true }));

const stream = { kind: "stream", place: { path: `${stem}.jsonl` } } as StreamRecord;

async function remap(directory?: string): Promise<void> {
  const writer = await remapFiles({ dumpPath, directory, jobId }).open(databaseScope(), stream);
  await writer.write([{ original_id: "1-1", new_id: "9-0" }]);
  await writer.write([{ original_id: "1-2", new_id: "9-1" }]);
  await writer.close();
}

const LINES = '{"original_id":"1-1","new_id":"9-0"}\n{"original_id":"1-2","new_id":"9-1"}\n';

describe("a remap file", () => {
  it("stands beside the stream, a line an entry, for its owner alone", async () => {
    await remap();
    const path = join(dumpPath, `${stem}._id_remap.jsonl`);
    expect(await readFile(path, "utf8")).toBe(LINES);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("stands under the folder that was named, in the dump's tree", async () => {
    const directory = join(dumpPath, "elsewhere");
    await remap(directory);
    expect(await readFile(join(directory, `${stem}._id_remap.jsonl`), "utf8")).toBe(LINES);
  });

  it("is never written over another one: it then carries the job's id", async () => {
    const first = join(dumpPath, `${stem}._id_remap.jsonl`);
    await mkdir(join(dumpPath, "redis/db_0/streams"), { recursive: true });
    await writeFile(first, "a user's");
    await remap();
    expect(await readFile(first, "utf8")).toBe("a user's");
    expect(await readFile(join(dumpPath, `${stem}.${jobId}._id_remap.jsonl`), "utf8")).toBe(LINES);
  });

  it("written again by the same job is one file in the end, and nothing is left beside it", async () => {
    const half = await remapFiles({ dumpPath, directory: undefined, jobId }).open(databaseScope(), stream);
    await half.write([{ original_id: "1-1", new_id: "9-0" }]);
    await half.abandon();
    for (let turn = 0; turn < 2; turn++) await remap();
    expect(await readdir(join(dumpPath, "redis/db_0/streams"))).toEqual(["s1._id_remap.jsonl"]);
    expect(await readFile(join(dumpPath, `${stem}._id_remap.jsonl`), "utf8")).toBe(LINES);
  });

  it("that is not yet complete is called as what no reader takes for data", async () => {
    const half = await remapFiles({ dumpPath, directory: undefined, jobId }).open(databaseScope(), stream);
    expect(await readdir(join(dumpPath, "redis/db_0/streams"))).toEqual([`.s1._id_remap.jsonl.tmp-${jobId}`]);
    await half.abandon();
  });

  it("is not written through a symbolic link", async () => {
    const outside = join(dumpPath, "outside");
    await mkdir(join(dumpPath, "redis/db_0/streams"), { recursive: true });
    await symlink(outside, join(dumpPath, `${stem}._id_remap.jsonl`));
    await remap();
    await expect(stat(outside)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await readFile(join(dumpPath, `${stem}.${jobId}._id_remap.jsonl`), "utf8")).toBe(LINES);
  });

  it("that cannot be made ends the run with the option that helps", async () => {
    await writeFile(join(dumpPath, "redis"), "a file");
    await expect(remap()).rejects.toMatchObject({ code: "LOCAL_IO", hint: expect.stringContaining("--remap-dir") });
  });
});
