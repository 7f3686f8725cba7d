import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DrillFolder, leftDrills, type OpenDrill } from "../../../../src/run/drill/drill-folder.js";

let state: string;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "elastickv-restore-folder-"));
});

afterEach(async () => {
  await rm(state, { recursive: true, force: true });
});

const open: OpenDrill = {
  ...{ openVersion: 1, id: "0123456789ab", startedAt: 1, pid: 7, dump: "/dump", target: { kind: "sandbox" } },
  ...{ job: "j", servers: [], scopes: [] },
};
const server = { adapter: "redis", name: "redis", started: { process: 9, identity: "x", data: "/d" } } as const;
const scope = { adapter: "s3", scope: "b", target: "drill-b", endpoint: "http://h" } as const;

describe("a drill's folder", () => {
  it("has on disk whatever was noted, also when it is noted side by side", async () => {
    const folder = await DrillFolder.begin(state, open);
    await Promise.all([folder.noteServer(server), folder.noteScopes([scope]), folder.noteServer(server)]);
    expect(await leftDrills(state)).toEqual([
      { id: open.id, open: { ...open, servers: [server, server], scopes: [scope] } },
    ]);
  });

  it("keeps the restore's journal while scopes are left, and nothing once everything noted is gone", async () => {
    const folder = await DrillFolder.begin(state, open);
    await folder.noteScopes([scope]);
    await mkdir(folder.restoreState);
    await mkdir(join(folder.work, "data-of-a-server"));
    await folder.close();
    expect(await leftDrills(state)).toHaveLength(1);
    expect(await readdir(folder.work)).toEqual(["state"]);
    for (const note of folder.open.scopes) await folder.forgetScope(note);
    await folder.close();
    expect(await leftDrills(state)).toEqual([]);
    await expect(stat(folder.work)).rejects.toThrow(/ENOENT/);
  });

  it("that cannot be read is told, not passed over", async () => {
    const folder = await DrillFolder.begin(state, open);
    await writeFile(join(folder.path, "open.json"), "{");
    expect(await leftDrills(state)).toEqual([{ id: open.id, problem: expect.stringContaining("damaged") }]);
  });
});
