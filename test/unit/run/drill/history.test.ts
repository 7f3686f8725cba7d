import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addToHistory, readHistory, sha256 } from "../../../../src/run/drill/history.js";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-history-"));
  path = join(folder, "history.jsonl");
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function add(drill: string): Promise<void> {
  const report = join(folder, `${drill}.json`);
  await writeFile(report, `{"drill":"${drill}"}\n`);
  await addToHistory(path, {
    historyVersion: 1,
    ...{ drill, startedAt: "2026-11-25T00:00:00.000Z", verdict: "passed", exitStatus: 0, dump: "/d", series: "s" },
    ...{ records: 3, bytes: 9, restoreMs: 10, report, reportSha256: sha256(await readFile(report)) },
  });
}

async function problems(): Promise<string[][]> {
  return (await readHistory(path)).entries.map((entry) => [...entry.problems]);
}

describe("the history of drills", () => {
  it("is none where there is no file", async () => {
    expect((await readHistory(path)).entries).toEqual([]);
  });

  it("holds while nobody touches it", async () => {
    for (const drill of ["a", "b", "c"]) await add(drill);
    expect(await problems()).toEqual([[], [], []]);
    expect((await readHistory(path)).entries.map(({ drill }) => drill?.drill)).toEqual(["a", "b", "c"]);
  });

  it("shows behind which line something was altered", async () => {
    for (const drill of ["a", "b", "c"]) await add(drill);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"drill":"b"', '"drill":"x"'));
    expect(await problems()).toEqual([[], [], [expect.stringContaining("the line before it is not the one")]]);
  });

  it("shows a line that was left out, also the first", async () => {
    for (const drill of ["a", "b", "c"]) await add(drill);
    const [, second = "", third = ""] = (await readFile(path, "utf8")).split("\n");
    await writeFile(path, `${second}\n${third}\n`);
    expect(await problems()).toEqual([[expect.stringContaining("the line before it")], []]);
  });

  it("shows what was done to the last line, also behind the next one", async () => {
    for (const drill of ["a", "b"]) await add(drill);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"drill":"b"', '"drill":"x"'));
    expect(await problems()).toEqual([[], ["it is not the line that was written last"]]);
    await add("c");
    expect(await problems()).toEqual([[], [], [expect.stringContaining("the line before it is not the one")]]);
  });

  it("shows lines that were cut off its end, and all of them", async () => {
    for (const drill of ["a", "b", "c"]) await add(drill);
    const [first = ""] = (await readFile(path, "utf8")).split("\n");
    await writeFile(path, `${first}\n`);
    expect(await problems()).toEqual([["it is not the line that was written last"]]);
    await add("d");
    expect(await problems()).toEqual([[], [expect.stringContaining("the line before it is not the one")]]);
    await rm(path);
    expect(await problems()).toEqual([["all lines are gone"]]);
  });

  it("holds where a crash came between a line and what is noted of it", async () => {
    await add("a");
    const noted = await readFile(`${path}.head`, "utf8");
    await add("b");
    await writeFile(`${path}.head`, noted);
    expect(await problems()).toEqual([[], []]);
    await add("c");
    expect(await problems()).toEqual([[], [], []]);
  });

  it("shows a report that was altered, and one that is gone", async () => {
    for (const drill of ["a", "b"]) await add(drill);
    await appendFile(join(folder, "a.json"), " ");
    await rm(join(folder, "b.json"));
    expect(await problems()).toEqual([[expect.stringMatching(/was altered$/)], [expect.stringMatching(/is gone$/)]]);
  });

  it("goes on behind a line that a crash cut off, which stays and shows", async () => {
    await add("a");
    await appendFile(path, '{"historyVersion":1,"dri');
    await add("c");
    expect(await problems()).toEqual([[], ["the line cannot be read"], []]);
  });
});
