import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MessageRecord } from "../../src/model/record.js";
import type { Replayer, ReplayerContext } from "../../src/replayers/replayer.js";
import type { SqsTarget } from "../../src/replayers/sqs/replayer.js";
import { systemClock } from "../../src/support/clock.js";
import { type ProxiedRequest, type ScriptedProxy, startScriptedProxy } from "../support/scripted-proxy.js";
import { restore, sqsBench } from "../support/sqs-bench.js";
import { all, kindsOf, SqsJob } from "../support/sqs-job.js";
import { fifoMessage, hurriedClock, message, messageRecords, queueScope } from "../support/sqs-records.js";

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

describe("a queue that is taken up", () => {
  it("is neither purged nor set anew, and finished once", async () => {
    const scope = queueScope(uniqueName(".fifo"), { delaySeconds: 300 });
    await bench.queues.create(scope.target);
    const records = [1, 2].map((line) => fifoMessage(line, "g"));
    // The purge is waited out by a clock that hurries on.
    const context = { clock: hurriedClock() };
    const target = { endpoint: { url: proxy.endpoint }, purgeWaitMs: 60_000 };
    proxy.follow(() => "pass");
    const job = new SqsJob(bench, { scope, records, mode: "replace", target, context });
    await (await job.begin("empty")).write(scope, records.slice(0, 1));
    proxy.follow(() => "pass");
    const next = await job.takeUp("empty", { purgeWaitMs: 0 });
    await next.write(scope, records.slice(1));
    const changes = () => proxy.requests.map(({ operation }) => operation).filter((name) => /Purge|Set/.test(name));
    expect(changes()).toEqual([]);
    await next.finish(scope);
    await next.finish(scope);
    expect(changes()).toEqual(["SetQueueAttributes"]);
    expect((await bench.queues.attributes(scope.target))["DelaySeconds"]).toBe("300");
    expect(await bench.queues.bodies(scope.target)).toEqual(["body 1", "body 2"]);
  });
});

describe("a stop in the middle of a batch", () => {
  /** A job through the proxy, into a queue of its own. */
  function throughProxy(context: Partial<ReplayerContext> = {}, more: Partial<SqsTarget> = {}) {
    proxy.follow(() => "pass");
    const scope = queueScope(uniqueName());
    const job = new SqsJob(bench, {
      scope,
      records: [],
      target: { endpoint: { url: proxy.endpoint }, ...more },
      context: { clock: hurriedClock(), maxRetryTimeMs: 2_000, ...context },
    });
    return { job, scope };
  }

  it("tells what was taken, what may have been, and what was not sent", async () => {
    const { job, scope } = throughProxy();
    const replayer = await job.begin("create");
    // Three requests, by their size.
    const records = [1, 2, 3, 4, 5].map((line) => message(line, { body: `${line}`.repeat(100_000) }));
    let sends = 0;
    proxy.follow((request) => (isSend(request) && ++sends > 1 ? "lose-answer" : "pass"));
    const restored = { kind: "restored" };
    await expect(replayer.write(scope, records)).rejects.toMatchObject({
      cause: { code: "OUTAGE" },
      ends: [restored, restored, "unknown", "unknown", "not-sent"],
    });
  });

  it("tells that nothing was sent where the target could not be reached", async () => {
    const gone = await startScriptedProxy(bench.endpoint);
    const { job, scope } = throughProxy({}, { endpoint: { url: gone.endpoint } });
    const replayer = await job.begin("create");
    await gone.stop();
    const write = () => replayer.write(scope, messageRecords(2));
    // A connection that was open may be noticed as closed only when it is used.
    await expect(write()).rejects.toThrow();
    await expect(write()).rejects.toMatchObject({ cause: { code: "OUTAGE" }, ends: ["not-sent", "not-sent"] });
    expect(await bench.queues.bodies(scope.target)).toEqual([]);
  });

  it("lets sends under way go on until they are given up, too", async () => {
    const [stop, giveUp] = [new AbortController(), new AbortController()];
    const { job, scope } = throughProxy({ signal: stop.signal, writeSignal: giveUp.signal });
    const replayer = await job.begin("create");
    const slow = { status: 400, body: '{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}' };
    proxy.follow((request) => {
      if (!isSend(request)) return "pass";
      stop.abort();
      return request.before === 0 ? slow : "pass";
    });
    expect(kindsOf(await replayer.write(scope, messageRecords(2)))).toEqual(all(2, "restored"));
    proxy.follow(() => {
      giveUp.abort();
      return slow;
    });
    const write = replayer.write(scope, messageRecords(2));
    await expect(write).rejects.toMatchObject({ cause: { code: "INTERRUPTED" }, ends: all(2, "not-sent") });
    expect(await bench.queues.bodies(scope.target)).toHaveLength(2);
  });

  it("does not wait a purge out", async () => {
    const stop = new AbortController();
    const { job, scope } = throughProxy(
      { signal: stop.signal, writeSignal: new AbortController().signal, clock: systemClock },
      { purgeWaitMs: 60_000 },
    );
    await bench.queues.create(scope.target);
    const replayer = await job.begin("empty");
    proxy.follow(() => "pass");
    const write = replayer.write(scope, messageRecords(2));
    stop.abort();
    await expect(write).rejects.toMatchObject({ cause: { code: "INTERRUPTED" }, ends: all(2, "not-sent") });
    expect(proxy.requests.filter(isSend)).toEqual([]);
  });

  it("is no matter of the SDK, which sends each request once", async () => {
    const { job, scope } = throughProxy({}, { onAmbiguous: "skip" });
    const replayer = await job.begin("create");
    proxy.follow((request) => (isSend(request) ? "lose-answer" : "pass"));
    expect(kindsOf(await replayer.write(scope, messageRecords(3)))).toEqual(all(3, "ambiguous"));
    expect(proxy.requests.filter(isSend)).toHaveLength(1);
    expect(await bench.queues.bodies(scope.target)).toHaveLength(3);
  });
});
