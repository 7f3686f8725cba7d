import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MessageRecord } from "../../src/model/record.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import type { SqsTarget } from "../../src/replayers/sqs/replayer.js";
import { type ProxiedRequest, type ScriptedProxy, startScriptedProxy } from "../support/scripted-proxy.js";
import { restore, sqsBench } from "../support/sqs-bench.js";
import { fifoMessage, messageRecords, queueScope } from "../support/sqs-records.js";

const bench = sqsBench();
const { uniqueName } = bench;
let proxy: ScriptedProxy;

beforeAll(async () => {
  proxy = await startScriptedProxy(bench.endpoint);
});
afterAll(() => proxy?.stop());

function replayerFor(target: Partial<SqsTarget> = {}, maxRetryTimeMs = 60_000): Replayer<"sqs"> {
  return bench.replayerFor("none", { endpoint: { url: proxy.endpoint }, ...target }, { maxRetryTimeMs });
}

function isSend({ operation }: ProxiedRequest): boolean {
  return operation.startsWith("SendMessage");
}

/** Lets the server take the `nth` send of the run and loses its answer. */
function losingSend(nth: number): void {
  let sends = 0;
  proxy.follow((request) => (isSend(request) && ++sends === nth ? "lose-answer" : "pass"));
}

async function run(name: string, records: readonly MessageRecord[], target: Partial<SqsTarget> = {}) {
  return await restore(replayerFor(target), queueScope(name), records, "none");
}

describe("a standard queue's answer that is lost", () => {
  it("doubles the messages of that request under resend, each listed as ambiguous", async () => {
    const name = uniqueName();
    losingSend(2);
    const { totals, outcomes } = await run(name, messageRecords(25));
    expect(totals).toMatchObject({ restored: 15, ambiguous: 10 });
    expect(outcomes.get(11)).toMatchObject({ kind: "ambiguous", reason: "reply-lost" });
    expect(await bench.queues.bodies(name)).toHaveLength(35);
  });

  it("is not sent again under skip", async () => {
    const name = uniqueName();
    losingSend(2);
    const { totals } = await run(name, messageRecords(25), { onAmbiguous: "skip" });
    expect(totals).toMatchObject({ restored: 15, ambiguous: 10 });
    expect(await bench.queues.bodies(name)).toHaveLength(25);
  });

  it("ends the run under stop", async () => {
    const name = uniqueName();
    losingSend(2);
    await expect(run(name, messageRecords(25), { onAmbiguous: "stop" })).rejects.toMatchObject({ code: "IN_DOUBT" });
    expect(await bench.queues.bodies(name)).toHaveLength(20);
  });
});

describe("a FIFO queue's answers that are lost", () => {
  it("cost neither a message nor a double nor the order", async () => {
    const name = uniqueName(".fifo");
    const records = Array.from({ length: 60 }, (_, i) => fifoMessage(i + 1, `g${i % 6}`));
    let sends = 0;
    proxy.follow((request) => (isSend(request) && ++sends % 3 === 1 ? "lose-answer" : "pass"));
    const { totals } = await run(name, records);
    expect(totals).toMatchObject({ restored: 60, ambiguous: 0 });
    const received = await bench.queues.drain(name);
    expect(received).toHaveLength(60);
    for (const group of ["g0", "g1", "g2", "g3", "g4", "g5"]) {
      const inGroup = received.filter(({ Attributes }) => Attributes?.MessageGroupId === group);
      const wanted = records.filter(({ groupId }) => groupId === group);
      expect(inGroup.map(({ Body }) => Body)).toEqual(wanted.map(({ body }) => body.toString()));
    }
  });
});

describe("a target that is in trouble", () => {
  it("and says so is asked again, and the messages count once", async () => {
    const name = uniqueName();
    let sends = 0;
    const slow = { status: 400, body: '{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}' };
    proxy.follow((request) => (isSend(request) && ++sends <= 3 ? slow : "pass"));
    const replayer = replayerFor();
    const { totals } = await restore(replayer, queueScope(name), messageRecords(10), "none");
    expect(totals).toMatchObject({ restored: 10, ambiguous: 0 });
    expect(replayer.stats.throttled).toBe(3);
    expect(await bench.queues.bodies(name)).toHaveLength(10);
  });

  it("for good ends the run with what was done kept", async () => {
    const name = uniqueName();
    let sends = 0;
    proxy.follow((request) => (isSend(request) && ++sends > 1 ? "cut" : "pass"));
    const attempt = restore(replayerFor({}, 2_000), queueScope(name), messageRecords(25), "none");
    await expect(attempt).rejects.toMatchObject({ code: "OUTAGE" });
    expect(await bench.queues.bodies(name)).toHaveLength(10);
  });

  it("and answers with other digests fails the messages", async () => {
    const name = uniqueName();
    const Successful = [0, 1].map((i) => ({ Id: String(i), MessageId: `m${i}`, MD5OfMessageBody: "0".repeat(32) }));
    proxy.follow((request) => (isSend(request) ? { status: 200, body: JSON.stringify({ Successful }) } : "pass"));
    const { totals, outcomes } = await run(name, messageRecords(2));
    expect(totals.failed).toBe(2);
    expect(outcomes.get(1)).toMatchObject({ kind: "failed", reason: "digest-mismatch" });
  });
});

describe("setting up", () => {
  it("survives lost answers", async () => {
    const name = uniqueName();
    proxy.follow(({ before }) => (before === 0 ? "lose-answer" : "pass"));
    const { totals } = await run(name, messageRecords(3), { onAmbiguous: "resend" });
    expect(totals).toMatchObject({ restored: 0, ambiguous: 3 });
    expect(await bench.queues.exists(name)).toBe(true);
  });
});
