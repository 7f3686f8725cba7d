import { describe, expect, it } from "vitest";
import type { MessageRecord } from "../../../../src/model/record.js";
import { FifoJob, type FifoJobInit, type Stop } from "../../../support/fifo-job.js";
import { fifoMessage } from "../../../support/sqs-records.js";

/** Messages of some groups, round and round. */
function interleaved(groups: number, count: number): MessageRecord[] {
  return Array.from({ length: count }, (_, i) => fifoMessage(i + 1, `g${i % groups}`));
}

const RECORDS = interleaved(3, 9);
const FEW = interleaved(2, 6);

function byGroup(records: readonly MessageRecord[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { groupId = "", body } of records) {
    groups.set(groupId, [...(groups.get(groupId) ?? []), body.toString()]);
  }
  return groups;
}

function sorted(groups: ReadonlyMap<string, string[]>): [string, string[]][] {
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

const ENDS = (["killed", "cut-off"] as const).flatMap((how) =>
  (["before", "after"] as const).map((when) => ({ how, when })),
);

/** Every way to end a process of which `run` says that it takes this many steps. */
async function* stops(run: (stop: Stop) => Promise<number>): AsyncGenerator<Stop> {
  for (const end of ENDS) {
    for (let step = 0; ; step++) {
      const stop = { ...end, step };
      if ((await run(stop)) <= step) break;
      yield stop;
    }
  }
}

/** Runs the job with every stop of its first process, and for a quarter of them with every stop of its second one, too. */
async function everyStop(init: FifoJobInit, check: (job: FifoJob, stopped: readonly Stop[]) => void): Promise<number> {
  let runs = 0;
  const runThrough = async (stopped: readonly Stop[]) => {
    const job = new FifoJob(init);
    let steps = 0;
    for (const stop of stopped) {
      steps = await job.run(stop);
      job.clock.advance(1_000);
    }
    await job.run();
    check(job, stopped);
    runs++;
    return steps;
  };
  for await (const first of stops((stop) => runThrough([stop]))) {
    if (first.when === "before" || first.step % 2 === 1) continue;
    for await (const second of stops((stop) => runThrough([first, stop]))) void second;
  }
  return runs;
}

describe("a FIFO job that is ended twice, anywhere", () => {
  it.each([
    ["a queue that it created", { existed: false }],
    ["a queue that was there before", { existed: true }],
    ["a queue that remembers all of its ids", { existed: true, sentBefore: FEW }],
    ["a queue that remembers some of its ids", { existed: true, sentBefore: FEW.filter((_, i) => i % 2 === 0) }],
  ])("sends each message once and in order: into %s", { timeout: 60_000 }, async (_queue, init) => {
    const runs = await everyStop({ records: FEW, ...init }, (job, stopped) => {
      const why = JSON.stringify(stopped);
      expect(sorted(job.queue.arrived), why).toEqual(sorted(byGroup(FEW)));
      expect(new Set([...job.outcomes.values()].map(({ kind }) => kind)), why).toEqual(new Set(["restored"]));
      expect(job.outcomes.size, why).toBe(FEW.length);
    });
    expect(runs).toBeGreaterThan(30);
  });

  it("never lets a message overtake one of its group that failed", { timeout: 60_000 }, async () => {
    const init = { records: FEW, existed: true, failing: ["body 2", "body 5"] };
    await everyStop(init, (job, stopped) => {
      const why = JSON.stringify(stopped);
      expect(sorted(job.queue.arrived), why).toEqual([["g0", ["body 1", "body 3"]]]);
      const reasons = [2, 4, 6, 5].map((line) => job.outcomes.get(line)?.reason);
      expect(reasons, why).toEqual(["key-refused", "group-halted", "group-halted", "key-refused"]);
    });
  });
});

describe("a FIFO job that is taken up later", () => {
  const KILLED_AFTER_A_SEND: Stop = { how: "killed", step: 1, when: "after" };

  async function takenUpAfter(ms: number, init: Partial<FifoJobInit> = {}) {
    const job = new FifoJob({ records: RECORDS, existed: false, ...init });
    await job.run(KILLED_AFTER_A_SEND);
    job.clock.advance(ms);
    await job.run();
    return job;
  }

  function ambiguous(job: FifoJob): number[] {
    return [...job.outcomes].flatMap(([line, { kind }]) => (kind === "ambiguous" ? [line] : []));
  }

  it("than the queue remembers is in doubt of one message a group at most, each listed", async () => {
    const job = await takenUpAfter(6 * 60_000);
    expect(ambiguous(job)).toEqual([4, 5, 6]);
    const arrived = [...job.queue.arrived.values()].flat();
    expect(arrived).toHaveLength(RECORDS.length + 3);
  });

  it("and leaves out what is in doubt has each message once at most", async () => {
    const job = await takenUpAfter(6 * 60_000, { onAmbiguous: "skip" });
    expect(ambiguous(job)).toEqual([4, 5, 6]);
    expect(sorted(job.queue.arrived)).toEqual(sorted(byGroup(RECORDS)));
  });

  it("within four minutes is in doubt of none", async () => {
    const job = await takenUpAfter(4 * 60_000 - 1);
    expect(ambiguous(job)).toEqual([]);
    expect(sorted(job.queue.arrived)).toEqual(sorted(byGroup(RECORDS)));
  });

  it("than ids of an earlier run can be remembered gives messages their own ids again", async () => {
    const job = new FifoJob({ records: RECORDS, existed: true });
    await job.run({ how: "killed", step: 3, when: "after" });
    job.clock.advance(5.5 * 60_000);
    await job.run();
    const rekeyed = [...job.outcomes].flatMap(([line, { notes = [] }]) =>
      notes.some(({ kind }) => kind === "rekeyed") ? [line] : [],
    );
    // The first of each group, as they had gone before.
    expect(rekeyed.sort()).toEqual([1, 2, 3]);
  });
});
