/** Batches of a replayer that prepares them while their announcement is on its way to the disk. */
import { expect, it } from "vitest";
import { RestoreError } from "../../../src/errors/restore-error.js";
import { type Outcome, RESTORED } from "../../../src/model/outcome.js";
import type { DumpRecord } from "../../../src/model/record.js";
import { Ledger } from "../../../src/run/ledger.js";
import { SILENT } from "../../../src/run/progress.js";
import { runScope } from "../../../src/run/scope-runner.js";
import { FakeReplayer, Gate, settleTurns } from "../../support/fake-replayer.js";
import { memoryJournal } from "../../support/memory-journal.js";
import { itemRecord, tableScope } from "../../support/records.js";

/** `kept`: what an announcement waits for; `write`: what a write does before it waits for its announcement. */
function setUp(kept: Promise<void>, write: () => readonly Outcome[] | undefined = () => undefined) {
  const scope = tableScope();
  const { journal, ofType } = memoryJournal([scope]);
  const records = journal.records(scope);
  const announced: number[] = [];
  const log: string[] = [];
  const replayer = Object.assign(new FakeReplayer().asReplayer, {
    writeOnceAnnounced: async (_scope: unknown, batch: readonly unknown[], once: Promise<void>) => {
      log.push(`prepared ${batch.length}`);
      const outcomes = write();
      if (outcomes !== undefined) return [...outcomes];
      await once;
      log.push(`sent ${batch.length}`);
      return batch.map(() => RESTORED);
    },
  });
  const ledger = new Ledger(SILENT);
  const end = runScope({
    scope,
    batches: lines(3),
    replayer,
    capabilities: { batch: { records: 10, bytes: 1e9 }, concurrency: 4, keepsOrder: true },
    journal: {
      isSettled: (sequence) => records.isSettled(sequence),
      announcedAt: (sequence) => records.announcedAt(sequence),
      passed: (record) => records.passed(record),
      withdraw: async (sequences) => await records.withdraw(sequences),
      settled: async (settlement) => await records.settled(settlement),
      intent: async (sequences) => {
        announced.push(...sequences);
        await records.intent(sequences);
        await kept;
      },
    },
    firstSequence: 0,
    workedMs: () => 0,
    ledger: ledger.scope(scope),
  }).catch((error: unknown) => error);
  return { end, log, announced, ofType, totals: () => ledger.totals() };
}

async function* lines(count: number): AsyncGenerator<DumpRecord[]> {
  yield Array.from({ length: count }, (_, i) => itemRecord(`k${i}`, { line: i + 1 }));
}

const broken = new RestoreError("LOCAL_IO", "cannot write the journal", { retry: "fatal" });

it("are prepared before they are announced, and sent behind it", async () => {
  const gate = new Gate();
  const { end, log, announced, totals } = setUp(gate.opened);
  await settleTurns();
  expect(log).toEqual(["prepared 3"]);
  expect(announced).toEqual([0, 1, 2]);
  gate.open();
  expect(await end).toBeUndefined();
  expect(log).toEqual(["prepared 3", "sent 3"]);
  expect(totals()).toMatchObject({ restored: 3 });
});

it("are not sent where they cannot be announced, and the run ends with why", async () => {
  const { end, log, ofType, totals } = setUp(Promise.reject(broken));
  expect(await end).toBe(broken);
  expect(log).toEqual(["prepared 3"]);
  expect(ofType("settled")).toEqual([]);
  expect(totals()).toMatchObject({ restored: 0 });
});

it("that need no request are not settled before they are announced", async () => {
  const rejected: Outcome = { kind: "rejected", reason: "message-too-large" };
  const gate = new Gate();
  const { end, ofType, totals } = setUp(gate.opened, () => [rejected, rejected, rejected]);
  await settleTurns();
  expect(ofType("settled")).toEqual([]);
  gate.open();
  expect(await end).toBeUndefined();
  expect(totals()).toMatchObject({ rejected: 3 });
});
