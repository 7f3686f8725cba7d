/** Jobs that are ended between a send and its note, and taken up by another process. */
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/model/outcome.js";
import type { MessageRecord } from "../../../src/model/record.js";
import type { ScopeState } from "../../../src/run/journal/state.js";
import { StateJournal } from "../../../src/run/journal/state-journal.js";
import { Ledger } from "../../../src/run/ledger.js";
import { runScope } from "../../../src/run/scope-runner.js";
import { systemClock } from "../../../src/support/clock.js";
import { CREATED } from "../../support/memory-journal.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { restore, sqsBench } from "../../support/sqs-bench.js";
import { all, announced, kindsOf, SqsJob, type SqsJobInit } from "../../support/sqs-job.js";
import { fifoMessage, messageRecords, queueScope, streamOf } from "../../support/sqs-records.js";

const FOUR_MINUTES = 4 * 60_000;

export function sqsResume(server: ContractServer): void {
  const bench = sqsBench(server);
  const { uniqueName } = bench;
  async function bodiesByGroup(name: string): Promise<Map<string, string[]>> {
    const byGroup = new Map<string, string[]>();
    for (const { Body = "", Attributes } of await bench.queues.drain(name)) {
      const group = Attributes?.MessageGroupId ?? "";
      byGroup.set(group, [...(byGroup.get(group) ?? []), Body]);
    }
    return byGroup;
  }

  describe("a standard queue's messages that an earlier process may have sent", () => {
    const records = messageRecords(10);

    async function sentAndTakenUp(onAmbiguous: "resend" | "skip" | "stop", sent = 10) {
      const scope = queueScope(uniqueName());
      const job = new SqsJob(bench, { scope, records, target: { onAmbiguous } });
      await (await job.begin("create")).write(scope, records.slice(0, sent));
      const next = await job.takeUp("create");
      return { scope, write: () => next.write(scope, [...announced(records.slice(0, sent)), ...records.slice(sent)]) };
    }

    it("are sent again under resend, each ambiguous", async () => {
      const { scope, write } = await sentAndTakenUp("resend");
      expect(kindsOf(await write())).toEqual(all(10, "ambiguous"));
      expect(await bench.queues.bodies(scope.target)).toHaveLength(20);
    });

    it("are left out under skip, each ambiguous", async () => {
      const { scope, write } = await sentAndTakenUp("skip");
      expect(kindsOf(await write())).toEqual(all(10, "ambiguous"));
      expect(await bench.queues.bodies(scope.target)).toHaveLength(10);
    });

    it("end the run under stop, before anything is sent", async () => {
      const { scope, write } = await sentAndTakenUp("stop", 4);
      const stopped = { cause: { code: "IN_DOUBT" }, ends: [...all(4, "unknown"), ...all(6, "not-sent")] };
      await expect(write()).rejects.toMatchObject(stopped);
      expect(await bench.queues.bodies(scope.target)).toHaveLength(4);
    });

    it("cast no doubt on the others of their batch", async () => {
      const { scope, write } = await sentAndTakenUp("resend", 4);
      expect(kindsOf(await write())).toEqual([...all(4, "ambiguous"), ...all(6, "restored")]);
      expect(await bench.queues.bodies(scope.target)).toHaveLength(14);
    });
  });

  describe("a FIFO queue's messages that an earlier process may have sent", () => {
    const inGroups = (count: number): MessageRecord[] =>
      Array.from({ length: count }, (_, i) => fifoMessage(i + 1, `g${i % 4}`));

    it.each([false, true])(
      "are dropped by a queue that the job created, and the rest follows in order, content-based %s",
      async (contentBasedDeduplication) => {
        const scope = queueScope(uniqueName(".fifo"), { contentBasedDeduplication });
        const ids = contentBasedDeduplication ? { deduplicationId: "" } : {};
        const records = inGroups(12).map((record) => ({ ...record, ...ids }));
        const job = new SqsJob(bench, { scope, records });
        await (await job.begin("create")).write(scope, records.slice(0, 4));
        const next = await job.takeUp("create");
        const outcomes = [
          ...(await next.write(scope, announced(records.slice(0, 4)))),
          ...(await next.write(scope, records.slice(4, 8))),
          ...(await next.write(scope, records.slice(8))),
        ];
        expect(outcomes).toEqual(all(12, { kind: "restored" }));
        expect(await bodiesByGroup(scope.target)).toEqual(byGroup(records));
      },
    );

    it.each([
      ["resend", 4],
      ["skip", 4],
    ] as const)("more than four minutes ago are ambiguous under %s", async (onAmbiguous, count) => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = inGroups(4);
      const job = new SqsJob(bench, { scope, records, target: { onAmbiguous } });
      await (await job.begin("create")).write(scope, records);
      const next = await job.takeUp("create");
      const outcomes = await next.write(scope, announced(records, FOUR_MINUTES + 1));
      expect(kindsOf(outcomes)).toEqual(all(count, "ambiguous"));
      // This server still remembers them.
      expect(await bench.queues.bodies(scope.target)).toHaveLength(4);
    });

    it("more than four minutes ago end the run under stop", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = inGroups(4);
      const job = new SqsJob(bench, { scope, records, target: { onAmbiguous: "stop" } });
      await job.begin("create");
      const next = await job.takeUp("create");
      const write = next.write(scope, [...announced(records.slice(0, 1), FOUR_MINUTES + 1), ...records.slice(1)]);
      const ends = ["unknown", ...all(3, "not-sent")];
      await expect(write).rejects.toMatchObject({ cause: { code: "IN_DOUBT" }, ends });
      expect(await bench.queues.bodies(scope.target)).toEqual([]);
    });

    it.each(["keep", "empty"] as const)(
      "arrive once each in a queue that remembers all ids of a run before the job, over three processes: %s",
      async (how) => {
        const scope = queueScope(uniqueName(".fifo"));
        const records = inGroups(20);
        const round = (n: number): MessageRecord[] => records.slice(4 * n, 4 * n + 4);
        await restore(bench.replayerFor("none"), scope, records, "none");
        await bench.queues.drain(scope.target);
        const job = new SqsJob(bench, { scope, records, mode: "merge" });
        const first = await job.begin(how);
        const outcomes = await first.write(scope, round(0));
        // Sent, and not noted how it ended.
        await first.write(scope, round(1));
        const second = await job.takeUp(how);
        outcomes.push(...(await second.write(scope, announced(round(1)))), ...(await second.write(scope, round(2))));
        await second.write(scope, round(3));
        const third = await job.takeUp(how);
        outcomes.push(...(await third.write(scope, announced(round(3)))), ...(await third.write(scope, round(4))));
        expect(kindsOf(outcomes)).toEqual(all(20, "restored"));
        const rekeyed = outcomes.filter(({ notes = [] }) => notes.some(({ kind }) => kind === "rekeyed"));
        // Some servers forget ids with a purge.
        if (how === "keep") expect(rekeyed).toHaveLength(20);
        expect(await bodiesByGroup(scope.target)).toEqual(byGroup(records));
      },
    );

    it("keep their own ids in a queue that was there before, but for the first of a group", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      await bench.queues.create(scope.target);
      const records = inGroups(16);
      const job = new SqsJob(bench, { scope, records, mode: "merge" });
      const first = await job.begin("keep");
      const outcomes = await first.write(scope, records.slice(0, 4));
      await first.write(scope, records.slice(4, 8));
      const next = await job.takeUp("keep");
      outcomes.push(
        ...(await next.write(scope, announced(records.slice(4, 8)))),
        ...(await next.write(scope, records.slice(8, 12))),
        ...(await next.write(scope, records.slice(12))),
      );
      expect(kindsOf(outcomes)).toEqual(all(16, "restored"));
      expect(outcomes.map(({ notes }) => notes?.length ?? 0)).toEqual([...all(4, 1), ...all(12, 0)]);
      expect(await bodiesByGroup(scope.target)).toEqual(byGroup(records));
    });
  });

  describe("a queue that is taken up", () => {
    it.each(["create", "empty"] as const)("only to be finished is finished: %s", async (how) => {
      const dead = queueScope(uniqueName());
      await bench.queues.create(dead.target);
      const redrivePolicy = JSON.stringify({
        deadLetterTargetArn: `arn:aws:sqs:us-east-1:1:${dead.name}`,
        maxReceiveCount: 3,
      });
      const scope = queueScope(uniqueName(), { redrivePolicy });
      if (how === "empty") await bench.queues.create(scope.target);
      const job = new SqsJob(bench, { scope, records: messageRecords(1) });
      await job.begin(how);
      const next = await job.process();
      expect(await next.finish(scope)).toEqual({ warnings: [] });
      expect((await bench.queues.attributes(scope.target))["RedrivePolicy"]).toMatch(dead.name);
    });

    it("that was kept as it is stays so when it is finished", async () => {
      const scope = queueScope(uniqueName(".fifo"), { delaySeconds: 300 });
      await bench.queues.create(scope.target, { DelaySeconds: "7" });
      const job = new SqsJob(bench, { scope, records: [], mode: "merge" });
      await job.begin("keep");
      const next = await job.process();
      await next.finish(scope);
      expect((await bench.queues.attributes(scope.target))["DelaySeconds"]).toBe("7");
    });
  });

  describe("doubt", () => {
    /** Runs the scope process by process; each but the last ends behind a send, before its end is noted. */
    async function killedAgainAndAgain(init: SqsJobInit, writes: readonly number[]) {
      const { scope, records } = init;
      const job = new SqsJob(bench, init);
      const states = new Map<string, ScopeState>();
      const outcomes = new Map<number, Outcome>();
      const inDoubt: number[][] = [];
      for (const [i, most] of [...writes, Number.POSITIVE_INFINITY].entries()) {
        const journal = new StateJournal(
          { keep: () => Promise.resolve(), close: () => Promise.resolve() },
          systemClock,
          states,
        );
        if (i === 0) await journal.admit(scope, CREATED);
        const replayer = i === 0 ? await job.begin("create") : await job.takeUp("create");
        let count = 0;
        const firstSequence = journal.recovered(scope)?.nextSequence ?? 0;
        const run = runScope({
          scope,
          batches: streamOf([records.slice(firstSequence)]),
          replayer: {
            write: async (_scope, batch) => {
              const results = await replayer.write(scope, batch as MessageRecord[]);
              if (++count > most) throw new Error("killed");
              results.forEach((outcome, at) => {
                outcomes.set(batch[at]?.place.line ?? 0, outcome);
              });
              return results;
            },
          },
          capabilities: await replayer.probe(),
          journal: journal.records(scope),
          firstSequence,
          workedMs: () => 0,
          ledger: new Ledger({ report: () => undefined }).scope(scope),
        });
        if (most === Number.POSITIVE_INFINITY) await run;
        else await expect(run).rejects.toThrow("killed");
        inDoubt.push(
          records.flatMap((_record, at) => (journal.records(scope).announcedAt(at) === undefined ? [] : [at + 1])),
        );
      }
      return { outcomes, inDoubt };
    }

    it("is of one request of a standard queue at each end of a process", async () => {
      const scope = queueScope(uniqueName());
      const records = messageRecords(75);
      const { outcomes, inDoubt } = await killedAgainAndAgain({ scope, records }, [2, 1, 0]);
      expect(inDoubt.map(({ length }) => length)).toEqual([10, 10, 10, 0]);
      const ambiguous = [...outcomes].filter(([, { kind }]) => kind === "ambiguous").map(([line]) => line);
      expect(ambiguous).toEqual([...new Set(inDoubt.flat())]);
      expect(outcomes.size).toBe(75);
      // Sent by each process that had announced them.
      expect(await bench.queues.bodies(scope.target)).toHaveLength(75 + inDoubt.flat().length);
    });

    it("is of one message a group of a FIFO queue, and of none in the end", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = Array.from({ length: 120 }, (_, i) => {
        const groupId = `g${i % 12}`;
        return fifoMessage(i + 1, groupId, { lane: `group:${groupId}` });
      });
      const { outcomes, inDoubt } = await killedAgainAndAgain({ scope, records }, [3, 2, 0]);
      for (const lines of inDoubt.slice(0, -1)) {
        const groups = lines.map((line) => records[line - 1]?.groupId);
        expect(groups.length).toBeGreaterThan(0);
        expect(new Set(groups).size).toBe(groups.length);
      }
      expect([...outcomes.values()]).toEqual(all(120, { kind: "restored" }));
      expect(await bodiesByGroup(scope.target)).toEqual(byGroup(records));
    });
  });
}

function byGroup(records: readonly MessageRecord[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { groupId = "", body } of records) {
    groups.set(groupId, [...(groups.get(groupId) ?? []), body.toString()]);
  }
  return groups;
}
