import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventFile } from "../../../../src/daemon/jobs/event-file.js";
import type { NumberedEvent } from "../../../../src/daemon/services.js";
import { jobView } from "../../../support/job-records.js";

/** Called around the replacing of a file. */
const around = { before: async () => {}, after: async () => {} };
vi.mock("../../../../src/support/durable-files.js", async (original) => {
  const real = await original<typeof import("../../../../src/support/durable-files.js")>();
  return {
    ...real,
    replaceFile: async (path: string, text: string) => {
      await around.before();
      await real.replaceFile(path, text);
      await around.after();
    },
  };
});

/** For the next file that is opened to be read. */
let held: Promise<void> | undefined;
/** Of what was written behind a file. */
let syncs = 0;
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const open: typeof real.open = async (path, flags, mode) => {
    const wait = flags === "r" ? held : undefined;
    if (wait !== undefined) held = undefined;
    await wait;
    return await real.open(path, flags, mode);
  };
  const counting: typeof real.open = async (path, flags, mode) => {
    const file = await open(path, flags, mode);
    const sync = file.sync.bind(file);
    file.sync = async () => {
      await sync();
      if (flags === "a") syncs++;
    };
    return file;
  };
  return { ...real, open: counting };
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-event-file-"));
});
afterEach(async () => {
  Object.assign(around, { before: async () => undefined, after: async () => undefined });
  await rm(folder, { recursive: true });
});

/** Ten of progress are more than what is read at once. */
function event(id: number): NumberedEvent {
  if (id % 10 === 1) return { id, event: { type: "state", job: jobView() } };
  return {
    id,
    event: { type: "progress", progress: { surveyed: { scope: "s".repeat(8_000), records: id }, scopes: [] } },
  };
}

describe("a file of events that is written anew", () => {
  it.each(["before", "after"] as const)(
    "just %s a slow reader reads on loses no event of state to it",
    async (when) => {
      const file = await EventFile.open(join(folder, "events.jsonl"), 400_000);
      let added = 0;
      for (; added < 40; added++) await file.add(event(added + 1));
      const reader = file.read(0);
      const seen: number[] = [];
      const next = async () => {
        const { value } = await reader.next();
        if (value !== undefined) seen.push(value.id);
        return value !== undefined;
      };
      for (let i = 0; i < 7; i++) await next();
      let isWritten = false;
      around[when === "before" ? "after" : "before"] = async () => {
        isWritten = true;
        // Behind what was read at once before, the file is read again.
        for (let i = 0; i < 3; i++) await next();
      };
      for (; !isWritten; added++) await file.add(event(added + 1));
      while (await next());
      const states = seen.filter((id) => id % 10 === 1);
      expect(states).toEqual(Array.from({ length: Math.ceil(added / 10) }, (_, at) => 10 * at + 1));
      expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    },
  );

  it("while a slow reader opens it loses no event of state to it", async () => {
    const file = await EventFile.open(join(folder, "events.jsonl"), 400_000);
    let added = 0;
    for (; added < 40; added++) await file.add(event(added + 1));
    const reader = file.read(0);
    const taken = [await reader.next()];
    const written = new Promise<void>((resolve) => {
      around.after = async () => resolve();
    });
    held = written;
    // Those that were read at once, and one behind them.
    const asked = Array.from({ length: 10 }, () => reader.next());
    await asked[0];
    await vi.waitFor(() => expect(held).toBeUndefined());
    let isWritten = false;
    void written.then(() => {
      isWritten = true;
    });
    for (; !isWritten; added++) await file.add(event(added + 1));
    taken.push(...(await Promise.all(asked)));
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) taken.push(next);
    const states = taken.map(({ value }) => (value as NumberedEvent).id).filter((id) => id % 10 === 1);
    expect(states).toEqual(Array.from({ length: Math.ceil(added / 10) }, (_, at) => 10 * at + 1));
  });
});

describe("the number that was given last", () => {
  it("is on the disk before its event is told, also where that is of progress", async () => {
    const file = await EventFile.open(join(folder, "events.jsonl"));
    syncs = 0;
    for (const id of [1, 2, 3]) await file.add(event(id));
    expect(syncs).toBe(3);
  });

  it("is in a file that is written anew, whatever becomes of the next one", async () => {
    const path = join(folder, "events.jsonl");
    const file = await EventFile.open(path, 41_000);
    const warning = (id: number): NumberedEvent => ({ id, event: { type: "warning", text: "w".repeat(12_000) } });
    for (const id of [1, 3]) {
      await file.add(warning(id));
      await file.add(event(id + 1));
    }
    around.after = async () => {
      throw new Error("killed");
    };
    await expect(file.add(event(5))).rejects.toThrowError("killed");
    expect((await EventFile.open(path)).last?.id).toBe(4);
  });
});
