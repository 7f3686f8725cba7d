import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../src/errors/restore-error.js";
import { RESTORED } from "../../../src/model/outcome.js";
import { type DumpRecord, SCOPE_LANE } from "../../../src/model/record.js";
import type { Capabilities } from "../../../src/replayers/replayer.js";
import { numbersOf } from "../../../src/run/journal/ranges.js";
import { Ledger } from "../../../src/run/ledger.js";
import { SILENT } from "../../../src/run/progress.js";
import { runScope, type ScopeRun } from "../../../src/run/scope-runner.js";
import type { RunRecord } from "../../../src/run/transform/transform.js";
import { type FakeCall, FakeReplayer, type FakeScript, Gate, settleTurns } from "../../support/fake-replayer.js";
import { memoryJournal } from "../../support/memory-journal.js";
import { faultyRecord, itemRecord, tableScope } from "../../support/records.js";

interface Setup extends FakeScript {
  /** In place of `batch` and `concurrency`. */
  readonly capabilities?: Pick<Capabilities, "batch" | "concurrency">;
  readonly records: AsyncIterable<RunRecord> | Iterable<RunRecord>;
  readonly batch?: { readonly records: number; readonly bytes: number };
  readonly concurrency?: number;
  readonly keepsOrder?: boolean;
  readonly control?: ScopeRun["control"];
  readonly signal?: AbortSignal;
}

function setUp({
  records,
  batch = { records: 10, bytes: 1e9 },
  concurrency = 4,
  keepsOrder = true,
  signal,
  control,
  capabilities = { batch, concurrency },
  ...script
}: Setup) {
  const scope = tableScope();
  const replayer = new FakeReplayer(script);
  const ledger = new Ledger(SILENT);
  const kept = memoryJournal([scope]);
  const { journal, listed } = kept;
  const running = runScope({
    scope,
    batches: batchesOf(records),
    replayer: replayer.asReplayer,
    capabilities: keepsOrder ? capabilities : { ...capabilities, keepsOrder },
    journal: journal.records(scope),
    firstSequence: 0,
    workedMs: () => 0,
    ledger: ledger.scope(scope),
    ...(signal === undefined ? {} : { signal }),
    ...(control === undefined ? {} : { control }),
  });
  // Awaited by the test, perhaps later than it fails.
  running.catch(() => undefined);
  const announced = () => kept.ofType("intent").flatMap(({ records: ranges }) => [...numbersOf(ranges)]);
  const settled = () => kept.ofType("settled").flatMap(({ records: ranges }) => [...numbersOf(ranges)]);
  return {
    running,
    scope,
    replayer,
    listed,
    ledger,
    journal,
    kept,
    announced,
    settled,
    end: running.catch((error: unknown) => error),
  };
}

/** All that are there at once; one by one what has to be waited for. */
async function* batchesOf<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T[]> {
  if (Symbol.iterator in items) yield [...items];
  else for await (const item of items) yield [item];
}

function items(count: number, parts: (i: number) => Parameters<typeof itemRecord>[1] = () => ({})): DumpRecord[] {
  return Array.from({ length: count }, (_, i) => itemRecord(`k${i}`, { line: i + 1, ...parts(i) }));
}

describe("batches", () => {
  it("hold as many records as the target takes, in the dump's order", async () => {
    const { end, replayer } = setUp({ records: items(7), batch: { records: 3, bytes: 1e9 } });
    expect(await end).toBeUndefined();
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([["k0", "k1", "k2"], ["k3", "k4", "k5"], ["k6"]]);
  });

  it("hold no more bytes than the target takes, unless one record alone is larger", async () => {
    const sizes = [40, 40, 40, 500, 10, 90];
    const records = items(sizes.length, (i) => ({ bytes: sizes[i] ?? 0 }));
    const { end, replayer } = setUp({ records, batch: { records: 10, bytes: 100 }, concurrency: 1 });
    await end;
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([["k0", "k1"], ["k2"], ["k3"], ["k4", "k5"]]);
  });

  it("are under way side by side, but no more at once than the target takes", async () => {
    const gate = new Gate();
    const hold = async ({ keys }: FakeCall) => {
      await gate.opened;
      return keys.map(() => RESTORED);
    };
    const { end, replayer } = setUp({
      records: items(9),
      batch: { records: 1, bytes: 1e9 },
      concurrency: 3,
      write: hold,
    });
    await settleTurns();
    expect(replayer.inFlight.size).toBe(3);
    gate.open();
    await end;
    expect(replayer.mostAtOnce).toBe(3);
    expect(replayer.calls).toHaveLength(9);
  });
});

describe("lanes", () => {
  it("have at most one record in a batch and one batch under way", async () => {
    const gates = [new Gate(), new Gate(), new Gate()];
    const records = items(6, (i) => ({ lane: i % 2 === 0 ? "even" : "odd" }));
    const { end, replayer } = setUp({
      records,
      write: async ({ index, keys }) => {
        await gates[index]?.opened;
        return keys.map(() => RESTORED);
      },
    });
    await settleTurns();
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([["k0", "k1"]]);
    for (const gate of gates) gate.open();
    await end;
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([
      ["k0", "k1"],
      ["k2", "k3"],
      ["k4", "k5"],
    ]);
  });

  it("that are slow hold up no other lane", async () => {
    const slow = new Gate();
    const records = items(8, (i) => ({ lane: i % 4 === 0 ? "slow" : `l${i % 4}` }));
    const { end, replayer } = setUp({
      records,
      batch: { records: 1, bytes: 1e9 },
      concurrency: 2,
      write: async ({ lanes, keys }) => {
        if (lanes.includes("slow")) await slow.opened;
        return keys.map(() => RESTORED);
      },
    });
    await settleTurns();
    expect(replayer.calls.flatMap(({ keys }) => keys)).toEqual(["k0", "k1", "k2", "k3", "k5", "k6", "k7"]);
    slow.open();
    await end;
    expect(replayer.calls.at(-1)?.keys).toEqual(["k4"]);
  });

  it("go on in order after a record that failed", async () => {
    const { end, replayer, ledger } = setUp({
      records: items(4, () => ({ lane: "g" })),
      write: ({ keys }) => keys.map((key) => (key === "k1" ? { kind: "failed", reason: "throttled" } : RESTORED)),
    });
    await end;
    expect(replayer.calls.flatMap(({ keys }) => keys)).toEqual(["k0", "k1", "k2", "k3"]);
    expect(ledger.totals()).toMatchObject({ restored: 3, failed: 1 });
  });

  it("of a whole scope share batches, one at a time", async () => {
    const gate = new Gate();
    const { end, replayer } = setUp({
      records: items(5, () => ({ lane: SCOPE_LANE })),
      batch: { records: 2, bytes: 1e9 },
      write: async ({ keys }) => {
        await gate.opened;
        return keys.map(() => RESTORED);
      },
    });
    await settleTurns();
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([["k0", "k1"]]);
    gate.open();
    await end;
    expect(replayer.mostAtOnce).toBe(1);
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([["k0", "k1"], ["k2", "k3"], ["k4"]]);
  });

  it("of a whole scope go side by side where the target is told to keep no order", async () => {
    const gate = new Gate();
    const { end, replayer } = setUp({
      records: items(5, () => ({ lane: SCOPE_LANE })),
      batch: { records: 2, bytes: 1e9 },
      concurrency: 2,
      keepsOrder: false,
      write: async ({ keys }) => {
        await gate.opened;
        return keys.map(() => RESTORED);
      },
    });
    await settleTurns();
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([
      ["k0", "k1"],
      ["k2", "k3"],
    ]);
    gate.open();
    await end;
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([["k0", "k1"], ["k2", "k3"], ["k4"]]);
  });

  it("of a whole scope keep their order where a record does not fit into the batch", async () => {
    const sizes = [60, 60, 10];
    const records = items(3, (i) => ({ lane: SCOPE_LANE, bytes: sizes[i] ?? 0 }));
    const { end, replayer } = setUp({ records, batch: { records: 10, bytes: 100 } });
    await end;
    expect(replayer.calls.map(({ keys }) => keys)).toEqual([["k0"], ["k1", "k2"]]);
  });
});

describe("the window", () => {
  async function readUntilBlocked(parts: { readonly bytes: number; readonly batch: number }): Promise<number> {
    let read = 0;
    async function* endless() {
      for (; read < 5000; ) yield itemRecord(`k${read++}`, { bytes: parts.bytes });
    }
    const gate = new Gate();
    const { end } = setUp({
      records: endless(),
      batch: { records: parts.batch, bytes: 1024 * 1024 },
      concurrency: 2,
      write: async ({ keys }) => {
        await gate.opened;
        return keys.map(() => RESTORED);
      },
    });
    await settleTurns(300);
    const blockedAt = read;
    gate.open();
    expect(await end).toBeUndefined();
    expect(read).toBe(5000);
    return blockedAt;
  }

  it("stops the reading of many small records when the target is slow", async () => {
    const blockedAt = await readUntilBlocked({ bytes: 1, batch: 5 });
    expect(blockedAt).toBeGreaterThanOrEqual(260);
    expect(blockedAt).toBeLessThanOrEqual(260 + 2 * 5 + 1);
  });

  it("stops the reading of few large records when the target is slow", async () => {
    const MiB = 1024 * 1024;
    const blockedAt = await readUntilBlocked({ bytes: MiB, batch: 100 });
    expect(blockedAt).toBeLessThanOrEqual(8 + 2 + 1);
  });
});

describe("records that are not written", () => {
  it("because their keys cannot be known are told to the replayer too", async () => {
    const { end, replayer } = setUp({ records: [faultyRecord("bad")] });
    await end;
    expect(replayer.spared).toEqual([undefined]);
  });

  it("because they are faulty are settled in place, and their keys spared", async () => {
    const faulty = faultyRecord("bad", { key: Buffer.from("bad") });
    const { end, replayer, ledger, listed, scope } = setUp({ records: [...items(1), faulty, ...items(1)] });
    await end;
    expect(replayer.calls.flatMap(({ keys }) => keys)).toEqual(["k0", "k0"]);
    expect(replayer.spared).toEqual(["bad"]);
    expect(ledger.scope(scope)).toMatchObject({ recordsRead: 3, notReached: 0 });
    expect(listed).toEqual([expect.objectContaining({ key: "bad", outcome: "rejected", reason: "malformed-json" })]);
  });

  it("because their file changed are failed", async () => {
    const { end, ledger } = setUp({
      records: [faultyRecord("gone", { outcome: "failed", reason: "changed-after-check" })],
    });
    await end;
    expect(ledger.totals()).toMatchObject({ failed: 1, rejected: 0 });
  });

  it("because a transform left them out are counted apart, and the sums hold without them", async () => {
    const [first, second, third] = items(3);
    const leftOut = { ...itemRecord("k1"), kind: "left-out" } as const;
    const { end, replayer, ledger, announced } = setUp({
      records: [first, leftOut, second, leftOut, third] as RunRecord[],
    });
    await end;
    expect(replayer.calls.flatMap(({ keys }) => keys)).toEqual(["k0", "k1", "k2"]);
    expect([ledger.recordsRead, ledger.leftOut, ledger.notReached]).toEqual([3, 2, 0]);
    expect(announced()).toEqual([0, 2, 4]);
    expect(() => ledger.assertComplete()).not.toThrow();
  });
});

describe("an error that ends the run", () => {
  const outage = new RestoreError("OUTAGE", "out of reach", { retry: "fatal" });

  it("waits for the batches under way and leaves the rest not reached", async () => {
    const gate = new Gate();
    const { running, ledger, replayer } = setUp({
      records: items(10),
      batch: { records: 1, bytes: 1e9 },
      concurrency: 2,
      write: async ({ index, keys }) => {
        if (index === 1) throw outage;
        await gate.opened;
        return keys.map(() => RESTORED);
      },
    });
    let ended = false;
    void running.catch(() => {
      ended = true;
    });
    await settleTurns();
    expect(ended).toBe(false);
    gate.open();
    await expect(running).rejects.toBe(outage);
    const started = replayer.calls.length;
    expect(started).toBeLessThanOrEqual(3);
    expect(ledger.totals().restored).toBe(started - 1);
    expect(ledger.recordsRead).toBe(ledger.totals().restored + ledger.notReached);
    expect(ledger.notReached).toBeGreaterThan(0);
  });

  it("is the first one, whatever follows", async () => {
    const { running } = setUp({
      records: items(4),
      batch: { records: 1, bytes: 1e9 },
      write: async ({ index }) => {
        if (index === 0) throw outage;
        await settleTurns(3);
        throw new Error("later");
      },
    });
    await expect(running).rejects.toBe(outage);
  });

  it("may come from the reader: what waits is not written", async () => {
    async function* broken() {
      yield* items(3);
      throw new Error("unreadable");
    }
    const { running, ledger, replayer } = setUp({ records: broken() });
    await expect(running).rejects.toThrow("unreadable");
    expect(replayer.calls).toEqual([]);
    expect(ledger.notReached).toBe(3);
  });

  it("is an internal one when a replayer answers for too few or too many records", async () => {
    for (const answers of [[], [RESTORED], [RESTORED, RESTORED, RESTORED]]) {
      const { running, ledger } = setUp({ records: items(2), write: () => answers });
      await expect(running).rejects.toMatchObject({ code: "INTERNAL" });
      expect(ledger.notReached).toBe(2);
    }
  });

  it("stops the reading", async () => {
    let read = 0;
    async function* endless() {
      for (; read < 100_000; ) yield itemRecord(`k${read++}`);
    }
    const { running } = setUp({
      records: endless(),
      write: () => {
        throw outage;
      },
    });
    await expect(running).rejects.toBe(outage);
    expect(read).toBeLessThan(1000);
  });
});

describe("an interruption", () => {
  it("lets what is under way end and starts nothing more, also where all is read", async () => {
    const stop = new AbortController();
    const { running, ledger, replayer } = setUp({
      records: items(10),
      batch: { records: 1, bytes: 1e9 },
      concurrency: 1,
      signal: stop.signal,
      write: ({ index, keys }) => {
        if (index === 2) stop.abort();
        return keys.map(() => RESTORED);
      },
    });
    await expect(running).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(replayer.calls).toHaveLength(3);
    expect(ledger.totals().restored).toBe(3);
    expect(ledger.notReached).toBe(7);
  });

  it("that came before the first record writes nothing", async () => {
    const { running, replayer } = setUp({ records: items(3), signal: AbortSignal.abort() });
    await expect(running).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(replayer.calls).toEqual([]);
  });
});

it("every record is announced before its write and settled once, lanes keep their order, sums add up", async () => {
  const record = fc.record({
    lane: fc.constantFrom(undefined, undefined, "a", "b", SCOPE_LANE),
    bytes: fc.integer({ min: 0, max: 120 }),
    faulty: fc.boolean(),
    outcome: fc.constantFrom("restored", "rejected", "failed", "ambiguous", "skipped-existing"),
  });
  const shape = fc.record({
    records: fc.array(record, { maxLength: 60 }),
    batchRecords: fc.integer({ min: 1, max: 7 }),
    batchBytes: fc.integer({ min: 1, max: 300 }),
    concurrency: fc.integer({ min: 1, max: 5 }),
    delays: fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ records, batchRecords, batchBytes, concurrency, delays }) => {
      const dump = records.map(({ lane, bytes, faulty }, i) =>
        faulty && i % 3 === 0
          ? faultyRecord(`k${i}`)
          : itemRecord(`k${i}`, { bytes, line: i + 1, ...(lane === undefined ? {} : { lane }) }),
      );
      const busy = new Set<string>();
      const written: { key: string; lane: string | undefined }[] = [];
      const { end, ledger, journal, replayer, scope, announced, settled } = setUp({
        records: dump,
        batch: { records: batchRecords, bytes: batchBytes },
        concurrency,
        write: async ({ keys, lanes }) => {
          const own = lanes.filter((lane) => lane !== undefined);
          const shared = own.filter((lane) => lane !== SCOPE_LANE);
          expect(new Set(shared).size).toBe(shared.length);
          for (const lane of own) expect(busy.has(lane)).toBe(false);
          for (const lane of own) busy.add(lane);
          keys.forEach((key, i) => void written.push({ key, lane: lanes[i] }));
          for (const key of keys) expect(announced()).toContain(Number(key.slice(1)));
          await settleTurns(delays.next().value ?? 0);
          for (const lane of own) busy.delete(lane);
          return keys.map((key) => ({ kind: records[Number(key.slice(1))]?.outcome as "restored" }));
        },
      });
      expect(await end).toBeUndefined();
      const writable = dump.filter(({ kind }) => kind !== "faulty");
      expect(written.map(({ key }) => key).sort()).toEqual(writable.map(({ displayKey }) => displayKey).sort());
      for (const lane of ["a", "b", SCOPE_LANE]) {
        const inOrder = (all: readonly { readonly key: string; readonly lane: string | undefined }[]) =>
          all.filter((one) => one.lane === lane).map(({ key }) => key);
        expect(inOrder(written)).toEqual(inOrder(writable.map(({ displayKey, lane }) => ({ key: displayKey, lane }))));
      }
      expect(settled().sort((a, b) => a - b)).toEqual(dump.map((_, i) => i));
      expect(journal.recovered(scope)?.settledUpTo).toEqual(dump.at(-1)?.after);
      expect(replayer.mostAtOnce).toBeLessThanOrEqual(concurrency);
      expect(replayer.calls.every(({ keys }) => keys.length <= batchRecords)).toBe(true);
      expect(ledger.recordsRead).toBe(dump.length);
      ledger.assertComplete();
    }),
    { numRuns: 60 },
  );
});

describe("limits that change while the scope runs", () => {
  it("hold for every batch that is begun then, and none that is under way is cut off", async () => {
    const now = { records: 1, concurrency: 4 };
    const gates: Gate[] = [];
    const { end, replayer } = setUp({
      records: items(12),
      capabilities: {
        get batch() {
          return { records: now.records, bytes: 1e9 };
        },
        get concurrency() {
          return now.concurrency;
        },
      },
      write: async ({ keys }) => {
        const gate = new Gate();
        gates.push(gate);
        await gate.opened;
        return keys.map(() => RESTORED);
      },
    });
    await settleTurns();
    expect(replayer.inFlight.size).toBe(4);
    Object.assign(now, { records: 3, concurrency: 1 });
    for (const gate of gates.slice(0, 3)) gate.open();
    await settleTurns();
    expect(replayer.calls).toHaveLength(4);
    gates[3]?.open();
    await settleTurns();
    expect(replayer.calls.slice(4).map(({ keys }) => keys)).toEqual([["k4", "k5", "k6"]]);
    now.concurrency = 2;
    gates[4]?.open();
    await settleTurns();
    expect(replayer.inFlight.size).toBe(2);
    for (const gate of gates) gate.open();
    await end;
  });
});

describe("a pause", () => {
  it("lets no further record be taken, of a batch that was read either", async () => {
    const pause = new Gate();
    let asked = 0;
    const control = {
      get isPaused() {
        return ++asked === 3;
      },
      pass: () => pause.opened,
    };
    const { running, ledger, replayer } = setUp({ records: items(5), control });
    await settleTurns();
    expect([ledger.recordsRead, replayer.calls]).toEqual([2, []]);
    pause.open();
    await running;
    expect(ledger.recordsRead).toBe(5);
  });
});
