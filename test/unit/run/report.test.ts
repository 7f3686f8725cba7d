import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { ErrorCode } from "../../../src/errors/codes.js";
import { Interruption } from "../../../src/errors/interruption.js";
import { RestoreError } from "../../../src/errors/restore-error.js";
import { OUTCOMES, type OutcomeKind } from "../../../src/model/outcome.js";
import { reportSchema } from "../../../src/run/report.js";
import { runInMemory } from "../../support/prepared-run.js";
import { databaseScope, faultyRecord, itemRecord, queueScope, tableScope } from "../../support/records.js";

function runWith(kinds: readonly OutcomeKind[]) {
  const records = kinds.map((_kind, i) => itemRecord(`k${i}`, { line: i + 1 }));
  return runInMemory({
    scopes: [{ scope: tableScope(), records }],
    scripts: {
      dynamodb: {
        write: ({ keys }) =>
          keys.map((key) => ({
            kind: kinds[Number(key.slice(1))] ?? "restored",
            reason: "why",
            detail: "what the target said",
            notes: [{ kind: "early" }],
            entries: { restored: 1, skippedExisting: 0, rejected: 1, refused: [{ id: "1-1", reason: "id-below-top" }] },
          })),
      },
    },
  });
}

describe("the schema", () => {
  it("accepts the report of a run in which everything happened", async () => {
    const report = await runWith(OUTCOMES).report();
    expect(reportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(JSON.parse(JSON.stringify(report)));
  });

  it("accepts the report of a run that was stopped", async () => {
    const error = new RestoreError("OUTAGE", "out of reach", { hint: "Bring it back.", retry: "fatal" });
    const memory = runInMemory({
      scopes: [{ scope: tableScope(), records: [itemRecord("k")] }],
      scripts: { dynamodb: { write: () => Promise.reject(error) } },
    });
    const report = await memory.report();
    expect(reportSchema.safeParse(report).error).toBeUndefined();
    expect(report.error).toEqual({ code: "OUTAGE", message: "out of reach", hint: "Bring it back." });
  });

  it("refuses what a report does not hold", async () => {
    const report = await runWith(["restored"]).report();
    expect(reportSchema.safeParse({ ...report, extra: 1 }).success).toBe(false);
    expect(reportSchema.safeParse({ ...report, recordsRead: -1 }).success).toBe(false);
  });

  it("can be published as JSON Schema", () => {
    const schema = z.toJSONSchema(reportSchema);
    expect(schema).toMatchObject({ type: "object", additionalProperties: false });
    expect(schema.required).toEqual(expect.arrayContaining(["totals", "scopes", "exitStatus"]));
  });
});

it("a record that is not restored and not listed is a mistake of ours, which is told", async () => {
  const memory = runWith(["rejected"]);
  Object.assign(memory.kept.listed, { push: () => 0 });
  await expect(memory.report()).rejects.toMatchObject({
    code: "INTERNAL",
    message: expect.stringMatching(/listed as rejected/),
  });
});

it("an interruption keeps the exit status that its signal asks for", async () => {
  const controller = new AbortController();
  controller.abort(new Interruption(143));
  const memory = runInMemory({
    scopes: [{ scope: tableScope(), records: [itemRecord("k")] }],
    signal: controller.signal,
  });
  expect(await memory.report()).toMatchObject({ exitStatus: 143, error: { code: "INTERRUPTED" } });
});

it("the first and the last record of a scope that was not restored stand beside its counts", async () => {
  const { scopes } = await runWith(["restored", "rejected", "skipped-existing", "failed"]).report();
  expect([scopes[0]?.firstError?.key, scopes[0]?.lastError?.key]).toEqual(["k1", "k3"]);
});

describe("sums", () => {
  it("are those of the records: totals and not reached make up what was read", async () => {
    const report = await runWith([...OUTCOMES, "restored", "restored"]).report();
    expect(Object.values(report.totals).reduce((sum, n) => sum + n, 0) + report.notReached).toBe(report.recordsRead);
    expect(report.totals).toEqual({ ...Object.fromEntries(OUTCOMES.map((kind) => [kind, 1])), restored: 3 });
    expect(report.listedCount).toBe(OUTCOMES.length + 2);
    expect(report.scopes[0]?.entries).toEqual({ restored: 9, skippedExisting: 0, rejected: 9 });
  });

  it("are those of the scopes together", async () => {
    const memory = runInMemory({
      scopes: [
        { scope: tableScope("a"), records: [itemRecord("k"), faultyRecord("f")] },
        { scope: tableScope("b"), records: [itemRecord("k")] },
      ],
    });
    const { scopes, totals, recordsRead } = await memory.report();
    for (const kind of OUTCOMES)
      expect(scopes.reduce((sum, { outcomes }) => sum + outcomes[kind], 0)).toBe(totals[kind]);
    expect(scopes.reduce((sum, scope) => sum + scope.recordsRead, 0)).toBe(recordsRead);
  });

  it("that do not add up are never reported by a finished run", async () => {
    const memory = runWith(["restored"]);
    memory.ledger.scope(tableScope()).read();
    await expect(memory.report()).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

describe("the exit status", () => {
  it.each([
    [[], 0],
    [["restored"], 0],
    [["skipped-existing", "skipped-expired", "skipped-empty"], 0],
    [["restored", "rejected"], 3],
    [["restored", "failed"], 3],
    [["restored", "ambiguous"], 3],
  ] as const)("of a finished run with %j is %i", async (kinds, status) => {
    expect((await runWith(kinds).report()).exitStatus).toBe(status);
  });

  it.each([
    ["INTERRUPTED", 130],
    ["OUTAGE", 1],
    ["TARGET_FULL", 1],
    ["TARGET_UNFIT", 5],
    ["TARGET_CREDENTIALS", 5],
    // What leaves a finished run incomplete has stopped this one.
    ["CALL_FAILED", 1],
    ["REPLY_LOST", 1],
  ] as const satisfies readonly (readonly [ErrorCode, number])[])(
    "of a run that %s stopped is %i, although records were rejected too",
    async (code, status) => {
      const memory = runInMemory({
        scopes: [{ scope: tableScope(), records: [faultyRecord("f"), itemRecord("k")] }],
        scripts: {
          dynamodb: { write: () => Promise.reject(new RestoreError(code, "it stopped", { retry: "fatal" })) },
        },
      });
      const report = await memory.report();
      expect(report.exitStatus).toBe(status);
      expect(report.totals.rejected).toBe(1);
    },
  );

  it("of a run that a mistake of ours stopped is 1", async () => {
    const memory = runInMemory({
      scopes: [{ scope: tableScope(), records: [itemRecord("k")] }],
      scripts: { dynamodb: { write: () => Promise.reject(new TypeError("oops")) } },
    });
    expect(await memory.report()).toMatchObject({
      exitStatus: 1,
      error: { code: "INTERNAL", message: expect.stringContaining("TypeError: oops") },
    });
  });
});

it("what no endpoint can restore is said for the kinds of data of the run alone", async () => {
  const memory = runInMemory({
    scopes: [
      { scope: databaseScope(), records: [] },
      { scope: queueScope(), records: [] },
    ],
  });
  const { notRestorable } = await memory.report();
  expect(notRestorable).toHaveLength(2);
  expect(notRestorable.join()).toMatch(/consumer groups/);
  expect(notRestorable.join()).toMatch(/sequence numbers/);
});

it("a target's requests, retries and ways round stand in the report", async () => {
  const memory = runWith(["restored"]);
  Object.assign(memory.replayers.get("dynamodb")?.stats ?? {}, { requests: 5, retries: 2, throttled: 1 });
  expect((await memory.report()).targets).toEqual([
    expect.objectContaining({
      endpoint: "fake://target",
      requests: 5,
      retries: 2,
      throttled: 1,
      fallbacks: ["a way round"],
    }),
  ]);
});
