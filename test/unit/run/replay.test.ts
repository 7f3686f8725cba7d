import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../src/errors/restore-error.js";
import { type Outcome, RESTORED } from "../../../src/model/outcome.js";
import type { DumpRecord, UnjudgedCollection } from "../../../src/model/record.js";
import { Tally } from "../../../src/run/tally.js";
import { type FakeScript, Gate, settleTurns } from "../../support/fake-replayer.js";
import { runInMemory } from "../../support/prepared-run.js";
import { databaseScope, faultyRecord, itemRecord, queueScope, tableScope } from "../../support/records.js";

const OUTAGE = new RestoreError("OUTAGE", "out of reach", { retry: "fatal" });
const REFUSED = new RestoreError("TARGET_SCOPE_IMPOSSIBLE", "no such table can be");

const three = () => ["a", "b", "c"].map((key, i) => itemRecord(key, { line: i + 1 }));

describe("a scope that cannot be made ready", () => {
  it("fails alone with all its records, the others go on", async () => {
    const bad = tableScope("bad");
    const memory = runInMemory({
      scopes: [
        { scope: bad, records: [...three(), faultyRecord("f")] },
        { scope: tableScope("good"), records: three() },
      ],
      scripts: {
        dynamodb: {
          create: async (scope) => {
            if (scope.name === "bad") throw REFUSED;
            return { warnings: ["made without streams"] };
          },
        },
      },
    });
    const report = await memory.report();
    expect(report.exitStatus).toBe(3);
    expect(report.status).toBe("finished");
    expect(report.totals).toMatchObject({ restored: 3, failed: 3, rejected: 1 });
    expect(report.scopes[0]).toMatchObject({ scope: "bad", error: "no such table can be", notReached: 0 });
    expect(report.scopes[0]?.reasons).toEqual({ "failed/scope-not-ready": 3, "rejected/malformed-json": 1 });
    expect(report.scopes[1]?.warnings).toEqual(["made without streams"]);
    expect(memory.replayers.get("dynamodb")?.log.filter((line) => line.includes("bad"))).toEqual(["create bad"]);
  });

  it("ends the run where nothing else would work either", async () => {
    const memory = runInMemory({
      scopes: [{ scope: tableScope(), records: three() }],
      scripts: { dynamodb: { create: () => Promise.reject(OUTAGE) } },
    });
    expect((await memory.replay()).error).toBe(OUTAGE);
    expect(memory.ledger.recordsRead).toBe(0);
  });

  it("ends the run for an error that nobody foresaw", async () => {
    const bug = new TypeError("undefined is not a function");
    const memory = runInMemory({
      scopes: [{ scope: tableScope(), records: three() }],
      scripts: { dynamodb: { keep: () => Promise.reject(bug) } },
    });
    expect((await memory.replay()).error).toBeUndefined();
    const kept = runInMemory({
      scopes: [{ scope: tableScope(), records: three(), decision: "keep" }],
      scripts: { dynamodb: { keep: () => Promise.reject(bug) } },
    });
    expect((await kept.replay()).error).toBe(bug);
  });
});

describe("the decision for a scope", () => {
  it.each([
    ["create", "none", "create orders"],
    ["keep", "none", "keep orders"],
    ["keep", "merge", "keep orders"],
    ["empty", "replace", "empty orders"],
  ] as const)("%s under %s comes before its first record", async (decision, mode, expected) => {
    const memory = runInMemory({ scopes: [{ scope: tableScope(), records: three(), decision }], mode });
    expect(await memory.replay()).not.toHaveProperty("error");
    expect(memory.replayers.get("dynamodb")?.log).toEqual([
      expected,
      "write orders a,b",
      "write orders c",
      "finish orders",
    ]);
  });

  it("skip counts every record as there, asks nothing of the target and finishes nothing", async () => {
    const memory = runInMemory({
      scopes: [{ scope: queueScope(), records: three(), decision: "skip" }],
      mode: "skip-existing",
    });
    const report = await memory.report();
    expect(report.totals).toMatchObject({ "skipped-existing": 3, restored: 0 });
    expect(report.exitStatus).toBe(0);
    expect(memory.replayers.get("sqs")?.log).toEqual([]);
  });

  it("refuse is a mistake of ours here, and ends the run before a write", async () => {
    const memory = runInMemory({ scopes: [{ scope: tableScope(), records: three(), decision: "refuse" }] });
    const end = await memory.replay();
    expect(memory.replayers.get("dynamodb")?.calls).toEqual([]);
    expect(end.error).toMatchObject({ code: "INTERNAL" });
    expect(memory.ledger.recordsRead).toBe(0);
  });
});

describe("records that are not judged yet", () => {
  const judged = faultyRecord("k");
  const unjudged = { ...judged, kind: "unjudged" } as unknown as UnjudgedCollection;
  const scopes = [{ scope: databaseScope(), records: [judged], toWrite: [unjudged] }];

  it("are sent as they are, and end as they are said to", async () => {
    const outcome: Outcome = { kind: "rejected", reason: "duplicate-element", detail: "one stands there twice" };
    const memory = runInMemory({ scopes, scripts: { redis: { write: () => Promise.resolve([outcome]) } } });
    const report = await memory.report();
    expect(memory.replayers.get("redis")?.log).toEqual(["create db_0", "write db_0 k", "finish db_0"]);
    expect(report.scopes[0]?.reasons).toEqual({ "rejected/duplicate-element": 1 });
  });

  it("are judged where nothing of their scope is written", async () => {
    const memory = runInMemory({ scopes, scripts: { redis: { create: () => Promise.reject(REFUSED) } } });
    expect((await memory.report()).scopes[0]?.reasons).toEqual({ "rejected/malformed-json": 1 });
  });
});

describe("a scope that others filled since the plan", () => {
  const holds: FakeScript = { inspect: () => ({ presence: "holds-records", warnings: [] }) };

  it.each([
    ["create", "none"],
    ["keep", "none"],
    ["create", "replace"],
  ] as const)("fails with all its records where it was to %s under %s, and is not touched", async (decision, mode) => {
    const scopes = [{ scope: tableScope(), records: three(), decision }];
    const memory = runInMemory({ scopes, mode, scripts: { dynamodb: holds } });
    const report = await memory.report();
    expect(report).toMatchObject({ exitStatus: 3, totals: { failed: 3, restored: 0 } });
    expect(report.scopes[0]?.error).toMatch(/dynamodb:orders was (absent|empty) before the run and holds records now/);
    expect(memory.replayers.get("dynamodb")?.log).toEqual([]);
  });

  it.each(["merge", "skip-existing"] as const)("is written into under %s", async (mode) => {
    const scopes = [{ scope: tableScope(), records: three(), decision: "create" }] as const;
    const memory = runInMemory({ scopes, mode, scripts: { dynamodb: holds } });
    expect((await memory.report()).totals.restored).toBe(3);
  });

  it("is taken as it is now where it appeared empty", async () => {
    const scopes = [{ scope: tableScope(), records: three(), decision: "create" }] as const;
    const empty: FakeScript = { inspect: () => ({ presence: "empty", warnings: [] }) };
    const memory = runInMemory({ scopes, scripts: { dynamodb: empty } });
    await memory.replay();
    expect(memory.replayers.get("dynamodb")?.log[0]).toBe("keep orders");
  });
});

describe("an adapter's end", () => {
  it("comes after the last record of all its scopes, in their order", async () => {
    const names = ["one", "two", "three", "four", "five", "six"];
    const memory = runInMemory({ scopes: names.map((name) => ({ scope: tableScope(name), records: three() })) });
    await memory.replay();
    const log = memory.replayers.get("dynamodb")?.log ?? [];
    expect(log.slice(-names.length)).toEqual(names.map((name) => `finish ${name}`));
  });

  it("that fails for a scope is told with it, and the records stay restored", async () => {
    const memory = runInMemory({
      scopes: [
        { scope: queueScope("one"), records: three() },
        { scope: queueScope("two"), records: three() },
      ],
      scripts: {
        sqs: {
          finish: async ({ name }) => {
            if (name === "one") throw new RestoreError("CALL_FAILED", "SetQueueAttributes kept failing");
            return { warnings: ["redrive policy left out"] };
          },
        },
      },
    });
    const report = await memory.report();
    expect(report.totals.restored).toBe(6);
    expect(report.scopes.map(({ error }) => error)).toEqual(["SetQueueAttributes kept failing", undefined]);
    expect(report.scopes[1]?.warnings).toEqual(["redrive policy left out"]);
    expect(report.exitStatus).toBe(3);
  });
});

describe("a fatal error", () => {
  it("of one adapter stops the others and is told as the cause", async () => {
    const started = new Gate();
    const memory = runInMemory({
      scopes: [
        { scope: tableScope(), records: Array.from({ length: 50 }, (_, i) => itemRecord(`k${i}`)) },
        { scope: databaseScope(), records: three() },
      ],
      scripts: {
        dynamodb: {
          write: async ({ keys }) => {
            started.open();
            await settleTurns(5);
            return keys.map(() => RESTORED);
          },
        },
        redis: {
          write: async () => {
            await started.opened;
            throw OUTAGE;
          },
        },
      },
    });
    const report = await memory.report();
    expect(report.error).toMatchObject({ code: "OUTAGE", message: "out of reach" });
    expect(report.exitStatus).toBe(1);
    expect(report.status).toBe("stopped");
    expect(report.totals.restored).toBeLessThan(50);
    expect(report.recordsRead).toBe(report.totals.restored + report.notReached);
    for (const [, { log }] of memory.replayers) expect(log.some((line) => line.startsWith("finish"))).toBe(false);
  });

  it("leaves scopes whose turn had not come untouched", async () => {
    const names = Array.from({ length: 8 }, (_, i) => `t${i}`);
    const memory = runInMemory({
      scopes: names.map((name) => ({ scope: tableScope(name), records: three() })),
      scripts: { dynamodb: { create: () => Promise.reject(OUTAGE) } },
    });
    const end = await memory.replay();
    expect(end.error).toBe(OUTAGE);
    expect(memory.replayers.get("dynamodb")?.log).toEqual(["t0", "t1", "t2", "t3"].map((name) => `create ${name}`));
    expect(end.scopes).toEqual([]);
  });

  it("of a reader ends the run after what is under way", async () => {
    const readerError = new Error("unreadable");
    const memory = runInMemory({ scopes: [{ scope: tableScope(), records: three(), readerError }] });
    expect((await memory.replay()).error).toBe(readerError);
  });
});

describe("an interruption", () => {
  it("that no call noticed still stops the run: scopes that were left out are not done", async () => {
    const stop = new AbortController();
    const names = Array.from({ length: 6 }, (_, i) => `t${i}`);
    const memory = runInMemory({
      scopes: names.map((name) => ({ scope: tableScope(name), records: [itemRecord("k")] })),
      scripts: {
        dynamodb: {
          write: ({ keys }) => {
            stop.abort();
            return keys.map(() => RESTORED);
          },
        },
      },
      signal: stop.signal,
    });
    const report = await memory.report();
    expect(report.error).toMatchObject({ code: "INTERRUPTED" });
    expect(report.exitStatus).toBe(130);
    expect(memory.replayers.get("dynamodb")?.log.some((line) => line.startsWith("finish"))).toBe(false);
  });

  it("is told as one, whatever a library threw because of it", async () => {
    const stop = new AbortController();
    const memory = runInMemory({
      scopes: [{ scope: tableScope(), records: three() }],
      scripts: {
        dynamodb: {
          write: () => {
            stop.abort();
            throw new DOMException("This operation was aborted", "AbortError");
          },
        },
      },
      signal: stop.signal,
    });
    const report = await memory.report();
    expect(report.error?.code).toBe("INTERRUPTED");
    expect(report.exitStatus).toBe(130);
    expect(report.notReached).toBe(3);
  });

  it("that comes after the last step changes nothing", async () => {
    const stop = new AbortController();
    const memory = runInMemory({
      scopes: [{ scope: tableScope(), records: three() }],
      scripts: {
        dynamodb: {
          finish: async () => {
            stop.abort();
            return { warnings: [] };
          },
        },
      },
      signal: stop.signal,
    });
    const report = await memory.report();
    expect(report.exitStatus).toBe(0);
  });
});

it("warnings of preparing, reading and finishing all stand with their scope", async () => {
  const memory = runInMemory({
    scopes: [{ scope: tableScope(), records: three(), warnings: ["from the reader"] }],
    scripts: {
      dynamodb: {
        create: async () => ({ warnings: ["from making it"] }),
        finish: async () => ({ warnings: ["from finishing it"] }),
      },
    },
  });
  const { scopes } = await memory.replay();
  expect(scopes[0]?.warnings).toEqual(["from making it", "from the reader", "from finishing it"]);
});

describe("a target that is another process than at a scope's first record", () => {
  it("gets the scope's records again, which count once", async () => {
    const told = ["a", "b"];
    const memory = runInMemory({
      scopes: [{ scope: databaseScope(), records: three() }],
      scripts: { redis: { incarnation: () => (told.length > 1 ? told.shift() : told[0]) } },
    });
    const report = await memory.report();
    expect(memory.replayers.get("redis")?.calls.flatMap(({ keys }) => keys)).toHaveLength(6);
    expect([report.recordsRead, report.totals.restored, report.exitStatus]).toEqual([3, 3, 0]);
    expect(memory.kept.ofType("rewound")).toHaveLength(1);
  });

  it("each time is given up", async () => {
    let turn = 0;
    const memory = runInMemory({
      scopes: [{ scope: databaseScope(), records: three() }],
      scripts: { redis: { incarnation: () => `${turn++}` } },
    });
    expect((await memory.report()).error).toMatchObject({ code: "OUTAGE" });
  });
});

it("the journal sees every scope go through its phases to the end", async () => {
  const memory = runInMemory({ scopes: [{ scope: tableScope(), records: three(), decision: "empty" }] });
  await memory.replay();
  await expect(memory.journal.close()).resolves.toBeUndefined();
  for (const phase of ["emptied", "finishing"] as const) {
    await expect(memory.journal.phase(memory.run.scopes[0]?.scope ?? tableScope(), phase)).rejects.toThrow(/done/);
  }
  expect(memory.events.map(({ type }) => type)).toEqual(["scope-started", "scope-finished"]);
});

describe("a job that is taken up", () => {
  const scope = tableScope();
  const settlement = (records: readonly DumpRecord[]) => {
    const tally = new Tally();
    for (const record of records) tally.add(record, { kind: "restored" }, []);
    return { records: records.map(({ after }, sequence) => ({ sequence, after })), tally, listed: [], workedMs: 7 };
  };

  it("finishes a scope whose records are all settled, knowing how it was begun, and sends none again", async () => {
    const memory = runInMemory({ scopes: [{ scope, records: three(), decision: "empty" }] });
    const { journal } = memory;
    await journal.admit(scope, { presence: "holds-records", decision: "empty" });
    await journal.ready(scope, { warnings: ["noticed before"] });
    await journal.records(scope).settled(settlement(three()));
    await journal.phase(scope, "finishing");
    const report = await memory.report();
    expect(memory.replayers.get("dynamodb")?.log).toEqual(["reopen orders empty", "finish orders"]);
    expect([report.totals.restored, report.recordsRead, report.exitStatus]).toEqual([3, 3, 0]);
    expect(report.scopes[0]?.warnings).toContain("noticed before");
  });

  it("leaves a scope alone that was done", async () => {
    const memory = runInMemory({ scopes: [{ scope, records: three() }] });
    const { journal } = memory;
    await journal.admit(scope, { presence: "absent", decision: "create" });
    await journal.ready(scope, { warnings: [] });
    await journal.records(scope).settled(settlement(three()));
    await journal.phase(scope, "done");
    expect((await memory.report()).totals.restored).toBe(3);
    expect(memory.replayers.get("dynamodb")?.log).toEqual([]);
  });

  it("goes on behind what is settled, and does not empty again what was emptied", async () => {
    const memory = runInMemory({ scopes: [{ scope, records: three(), decision: "empty" }] });
    const { journal } = memory;
    await journal.admit(scope, { presence: "holds-records", decision: "empty" });
    await journal.phase(scope, "emptying");
    await journal.phase(scope, "emptied");
    await memory.replay();
    const { log = [] } = memory.replayers.get("dynamodb") ?? {};
    expect(log[0]).toBe("reopen orders empty");
    expect(log.filter((line) => line.startsWith("empty"))).toEqual([]);
  });
});
