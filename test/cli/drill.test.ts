/** What `drill` refuses before anything is begun, and what it shows without a drill. No server is started here. */
import { appendFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Drills } from "../support/drills.js";
import { temporaryDump } from "../support/dump-builder.js";

let drills: Drills;
let dump: Awaited<ReturnType<typeof temporaryDump>>;

beforeEach(async () => {
  drills = await Drills.make();
  dump = await temporaryDump({ files: { "redis/db_0/strings/k.bin": "v" } });
});

afterEach(async () => {
  await dump.remove();
  await drills.remove();
});

describe("before a drill begins", () => {
  it("every mistake in the assertions file is told, with its line", async () => {
    const assertions = await drills.assertions([{ kind: "count", scope: "redis:0" }, { kind: "guess" }]);
    const { status, stderr } = await drills.run([dump.path, "--assertions", assertions]);
    expect(status).toBe(2);
    expect(stderr).toContain(`error: ${assertions}: line 3: assertions[0]: exact, or min and max`);
    expect(stderr).toContain(`\n${assertions}: line 8: assertions[1].kind: kind is count, record or command`);
    expect(stderr).not.toContain("starting");
    expect(drills.ids()).toEqual([]);
  });

  it("an assertion about what the drill does not restore is told", async () => {
    const assertions = await drills.assertions([{ kind: "count", scope: "s3:photos", exact: 1 }]);
    const { status, stderr } = await drills.run([dump.path, "--assertions", assertions]);
    expect(status).toBe(2);
    expect(stderr).toContain("the drill restores no s3:photos; it restores redis:db_0");
    expect(stderr).not.toContain("starting");
  });

  it.each([
    [[], "drill needs a dump"],
    [["DUMP", "--target", "sandbox", "--redis-url", "redis://h:1"], "a sandbox brings its own servers"],
    [["DUMP", "--redis-url", "redis://h:1"], "--drill-database names no database"],
    [["DUMP", "--redis-url", "redis://h:1", "--drill-database", "x"], "--drill-database does not take"],
    [["DUMP", "--s3-endpoint", "http://h:1", "--drill-database", "1", "--scope", "s3=b"], "the dump holds no s3"],
    [["DUMP", "--max-rto", "soon"], "--max-rto does not take"],
    [["DUMP", "--trend-last", "-1"], "--trend-last does not take"],
    [["DUMP", "--mode", "replace"], "unknown option --mode"],
    [["DUMP", "--rename", "redis:0=3"], "unknown option --rename"],
    [["DUMP", "--adapter", "sqs"], "the dump holds no sqs data"],
    [["DUMP", "--assertions", "/no/such/file"], "cannot be read"],
  ])("%j is wrong usage", async (words, message) => {
    const argv = words.map((word) => (word === "DUMP" ? dump.path : word));
    const { status, stderr } = await drills.run(argv);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(drills.ids()).toEqual([]);
  });

  it("evidence of another drill is not written over", async () => {
    const out = join(drills.state, "out");
    await mkdir(out);
    await writeFile(join(out, "drill.json"), "theirs");
    const { status, stderr } = await drills.run([dump.path, "--out", out]);
    expect(status).toBe(2);
    expect(stderr).toContain("is there already");
  });

  it("a folder without a dump is 4", async () => {
    expect((await drills.run([drills.state, "--pick", "newest"])).status).toBe(4);
  });
});

describe("a drill that finds no manifest", () => {
  it("is evidence that the dump cannot be restored from", async () => {
    await rm(join(dump.path, "MANIFEST.json"));
    const { status, report } = await drills.run([dump.path]);
    expect(status).toBe(4);
    expect(report).toMatchObject({ verdict: "bad-dump", error: { code: "MANIFEST_MISSING" } });
    const history = await drills.run(["--history"]);
    expect(history.stdout).toMatch(/bad-dump +4 /);
    expect(history.status).toBe(0);
  });
});

describe("the history on the command line", () => {
  it("ends with 6 and says where, when somebody altered it", async () => {
    await rm(join(dump.path, "MANIFEST.json"));
    await drills.run([dump.path]);
    await drills.run([dump.path]);
    await appendFile(join(drills.folder, drills.ids()[0] ?? "", "drill.json"), " ");
    const { status, stdout } = await drills.run(["--history"]);
    expect(status).toBe(6);
    expect(stdout).toMatch(/line \d \(drill [0-9a-f]{12}\): its report .* was altered/);
    expect(stdout).toContain("the chain does not hold");
  });

  it("is empty before the first drill", async () => {
    expect((await drills.run(["--history"])).stdout).toContain("No drill was held yet");
    expect((await drills.run(["--clean"])).stdout).toBe("No drill left anything behind.\n");
  });
});
