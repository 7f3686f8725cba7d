/** What a restore foretells of its messages is what it then does. */
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/model/outcome.js";
import type { MessageRecord } from "../../../src/model/record.js";
import type { QueueScope } from "../../../src/model/scope.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import type { SqsTarget } from "../../../src/replayers/sqs/replayer.js";
import { systemClock } from "../../../src/support/clock.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { restore, sqsBench } from "../../support/sqs-bench.js";
import { fifoMessage, message, queueScope, streamOf } from "../../support/sqs-records.js";

const MODES = { create: "none", empty: "replace", keep: "merge" } as const;

export function sqsForesee(server: ContractServer): void {
  const bench = sqsBench(server);
  const { uniqueName } = bench;

  /** What was foretold and what came, by line. The queue is there before unless it is created. */
  async function both(
    scope: QueueScope,
    records: readonly MessageRecord[],
    takeover: keyof typeof MODES,
    target: Partial<SqsTarget> = {},
  ) {
    const replayer = bench.replayerFor(MODES[takeover], target, { clock: systemClock });
    await replayer.inspect(scope, () => streamOf(records));
    const foretold = await foresee(replayer, scope, records, takeover);
    const { outcomes } = await restore(replayer, scope, records, MODES[takeover]);
    return { foretold, came: records.map(({ place }) => outcomes.get(place.line ?? 0)) };
  }

  async function foresee(
    replayer: Replayer<"sqs">,
    scope: QueueScope,
    records: readonly MessageRecord[],
    takeover: keyof typeof MODES,
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (let at = 0; at < records.length; at += 2) {
      outcomes.push(...((await replayer.foresee?.(scope, records.slice(at, at + 2), takeover)) ?? []));
    }
    return outcomes;
  }

  const hours = (count: number): number => systemClock.now() + count * 3_600_000;
  const many: MessageRecord["attributes"] = Array.from({ length: 11 }, (_, i) => [
    `a${i}`,
    { dataType: "String", value: { string: "x" } },
  ]);

  const standard = (): MessageRecord[] => [
    message(1),
    message(2, { body: "a\u0000b" }),
    message(3, { body: Buffer.from([0xff]) }),
    message(4, { body: "" }),
    message(5, { body: "x".repeat(1_500) }),
    message(6, { attributes: many }),
    message(7, { attributes: [["__proto__", { dataType: "String", value: { string: "x" } }]] }),
    message(8, { availableAtMs: hours(2) + 500 }),
    message(9, { availableAtMs: systemClock.now() + 60_000 }),
    message(10),
  ];

  const grouped = (): MessageRecord[] => [
    fifoMessage(1, "a"),
    fifoMessage(2, "a", { deduplicationId: "d-1" }),
    message(3, { deduplicationId: "d-3" }),
    message(4, { groupId: "b", lane: "b", body: "no id" }),
    fifoMessage(5, "c", { body: "a\u0000b" }),
    fifoMessage(6, "c"),
    fifoMessage(7, "b", { availableAtMs: hours(2) + 500 }),
    fifoMessage(8, "b", { body: "x".repeat(1_500) }),
    message(9, { groupId: "b", lane: "b", body: "no id" }),
    fifoMessage(10, "d", { deduplicationId: "d-7" }),
  ];

  describe.each(["create", "empty", "keep"] as const)("a queue that the restore would %s", (takeover) => {
    it("ends its messages as foretold", async () => {
      const scope = queueScope(uniqueName(), { maximumMessageSize: 1_024 });
      if (takeover !== "create") await bench.queues.create(scope.target, { DelaySeconds: "30" });
      const { foretold, came } = await both(scope, standard(), takeover);
      expect(withoutTimes(foretold)).toEqual(withoutTimes(came));
      const isSmall = takeover !== "keep";
      expect(foretold.map(({ kind }) => kind)).toEqual(
        [1, 0, 0, 0, isSmall ? 0 : 1, 0, 0, 1, 1, 1].map((is) => (is === 1 ? "restored" : "rejected")),
      );
      expect(foretold[7]?.notes?.[0]?.kind).toBe("early");
    });

    it.each([
      [false, "original"],
      [true, "original"],
      [false, "record"],
    ] as const)(
      "ends a FIFO queue's messages as foretold, content-based %s, ids %s",
      async (contentBased, fifoDedup) => {
        const settings = { maximumMessageSize: 1_024, contentBasedDeduplication: contentBased, delaySeconds: 10 };
        const scope = queueScope(uniqueName(".fifo"), settings);
        const held = { DelaySeconds: "5", ContentBasedDeduplication: String(contentBased) };
        if (takeover !== "create") await bench.queues.create(scope.target, held);
        const { foretold, came } = await both(scope, grouped(), takeover, { fifoDedup });
        expect(withoutTimes(foretold)).toEqual(withoutTimes(came));
        expect(foretold[2]).toMatchObject({ kind: "rejected", reason: "group-missing" });
        expect(foretold[1]?.notes?.map(({ kind }) => kind)).toContain("rekeyed");
      },
    );
  });

  it("foretells nothing that is sent", async () => {
    const scope = queueScope(uniqueName());
    await bench.queues.create(scope.target);
    const replayer = bench.replayerFor("merge");
    await foresee(replayer, scope, standard(), "keep");
    expect(await bench.queues.depths(scope.target)).toEqual([0, 0, 0]);
  });
}

/** Seconds that pass between foresight and deed are no difference. */
function withoutTimes(outcomes: readonly (Outcome | undefined)[]): unknown {
  return outcomes.map((outcome) => ({
    ...outcome,
    notes: outcome?.notes?.map(({ kind, detail }) => [kind, kind === "early" ? "" : detail]),
  }));
}
