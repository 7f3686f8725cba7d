import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import type { MessageRecord } from "../../../../src/model/record.js";
import { carry } from "../../../../src/replayers/sqs/carriable.js";
import type { Delivered, Shipment } from "../../../../src/replayers/sqs/parcel.js";
import { type OnAmbiguous, Sending } from "../../../../src/replayers/sqs/sending.js";
import { RunControl } from "../../../../src/run/control.js";
import { pacersFor } from "../../../../src/run/limits.js";
import { fakeClock } from "../../../support/fake-clock.js";
import { Gate, settleTurns } from "../../../support/fake-replayer.js";
import { type Answering, FakeSqs, lostReply, putOff, refused, serviceError } from "../../../support/fake-sqs.js";
import { message, messageRecords } from "../../../support/sqs-records.js";

interface Setup {
  readonly answering?: Answering;
  readonly onAmbiguous?: OnAmbiguous;
  readonly repeatableMs?: number;
  readonly maxRetryTimeMs?: number;
  readonly records?: readonly MessageRecord[];
  readonly clock?: ReturnType<typeof fakeClock>;
  readonly signal?: AbortSignal;
}

function shipments(records: readonly MessageRecord[]): Shipment[] {
  return records.map((record) => {
    const carried = carry(record, 1_000_000);
    if ("kind" in carried) throw new Error("not carriable");
    return { record, carried, hiddenUntilMs: 0 };
  });
}

async function deliver(setup: Setup) {
  const clock = setup.clock ?? fakeClock();
  const maxRetryTimeMs = setup.maxRetryTimeMs ?? 600_000;
  const api = new FakeSqs(clock, setup.answering, maxRetryTimeMs, setup.signal);
  const sending = new Sending({
    api,
    url: "http://fake/q",
    queue: "q",
    onAmbiguous: setup.onAmbiguous ?? "resend",
    repeatableMs: setup.repeatableMs ?? 0,
    maxRetryTimeMs,
  });
  return { api, clock, ...(await sending.deliver(shipments(setup.records ?? messageRecords(3)))) };
}

function kinds(deliveries: readonly Delivered[]): string[] {
  return deliveries.map((one) => {
    if ("sent" in one) return one.isDoubtful ? "doubtful" : "sent";
    return "outcome" in one ? one.outcome.kind : one.unsettled;
  });
}

/** As an earlier process of the job left them: announced, and nothing noted of how they ended. */
function announced(records: readonly MessageRecord[], announcedAt: number): MessageRecord[] {
  return records.map((record) => ({ ...record, announcedAt }));
}

/** Loses the first `times` replies. */
function losing(times: number): Answering {
  return (_entries, request) => {
    if (request < times) throw lostReply();
    return undefined;
  };
}

describe("requests", () => {
  it("hold ten messages, in order, one after another", async () => {
    const { api, deliveries } = await deliver({ records: messageRecords(23) });
    expect(api.requests.map(({ length }) => length)).toEqual([10, 10, 3]);
    expect(api.requests.flat()).toEqual(messageRecords(23).map(({ body }) => body.toString()));
    expect(kinds(deliveries)).toEqual(Array.from({ length: 23 }, () => "sent"));
  });

  it("stay within 256 KiB", async () => {
    const records = [1, 2, 3].map((line) => message(line, { body: String(line).repeat(100_000) }));
    expect((await deliver({ records })).api.requests.map(({ length }) => length)).toEqual([2, 1]);
  });

  it("tell the delay that is left at the moment of the attempt", async () => {
    const clock = fakeClock();
    const api = new FakeSqs(clock, (_entries, request) => {
      if (request > 0) return undefined;
      clock.advance(10_000);
      throw serviceError("ThrottlingException");
    });
    const sending = new Sending({
      api,
      url: "u",
      queue: "q",
      onAmbiguous: "resend",
      repeatableMs: 0,
      maxRetryTimeMs: 1e6,
    });
    const due = clock.now() + 60_000;
    await sending.deliver(shipments(messageRecords(1)).map((one) => ({ ...one, hiddenUntilMs: due })));
    const delays = api.entries.map(([entry]) => entry?.delaySeconds);
    expect(delays[0]).toBe(60);
    expect(delays[1]).toBeLessThanOrEqual(50);
  });
});

describe("a message that is not announced yet", () => {
  const sendingTo = (api: FakeSqs) =>
    new Sending({ api, url: "u", queue: "q", onAmbiguous: "resend", repeatableMs: 0, maxRetryTimeMs: 1e6 });

  it("is made a request of, which goes out behind the announcement", async () => {
    const api = new FakeSqs(fakeClock());
    const gate = new Gate();
    const delivering = sendingTo(api).deliver(shipments(messageRecords(2)), { sendAfter: gate.opened });
    await settleTurns();
    expect(api.prepared).toEqual([2]);
    expect(api.requests).toEqual([]);
    gate.open();
    expect(kinds((await delivering).deliveries)).toEqual(["sent", "sent"]);
  });

  it("is never sent where it cannot be announced", async () => {
    const api = new FakeSqs(fakeClock());
    const broken = new RestoreError("LOCAL_IO", "the journal cannot be written", { retry: "fatal" });
    const { cause } = await sendingTo(api).deliver(shipments(messageRecords(2)), { sendAfter: Promise.reject(broken) });
    expect(cause).toBe(broken);
    expect(api.requests).toEqual([]);
  });
});

describe("entries that are put off", () => {
  it("are sent again alone and in order", async () => {
    const { api, deliveries } = await deliver({
      records: messageRecords(4),
      answering: (_entries, request) => (request === 0 ? [undefined, putOff(), undefined, putOff()] : undefined),
    });
    expect(api.requests).toEqual([
      ["body 1", "body 2", "body 3", "body 4"],
      ["body 2", "body 4"],
    ]);
    expect(kinds(deliveries)).toEqual(["sent", "sent", "sent", "sent"]);
  });

  it("hold back the messages after them", async () => {
    const { api } = await deliver({
      records: messageRecords(12),
      answering: (_entries, request) => (request === 0 ? [putOff()] : undefined),
    });
    expect(api.requests.map(([first]) => first)).toEqual(["body 1", "body 1", "body 11"]);
  });

  it("fail as throttled when the target never takes them", async () => {
    const { deliveries } = await deliver({
      maxRetryTimeMs: 1_000,
      answering: (entries) => entries.map(({ body }) => (body === "body 2" ? putOff() : undefined)),
    });
    expect(deliveries).toMatchObject([{}, { outcome: { kind: "failed", reason: "throttled" } }, {}]);
  });
});

describe("refusals", () => {
  it("of an entry reject its message alone", async () => {
    const { api, deliveries } = await deliver({ answering: () => [undefined, refused(), undefined] });
    expect(kinds(deliveries)).toEqual(["sent", "rejected", "sent"]);
    expect(api.requests).toHaveLength(1);
  });

  it("of a whole request are narrowed down to the message at fault, in order", async () => {
    const { api, deliveries } = await deliver({
      records: messageRecords(4),
      answering: (entries) => {
        if (entries.some(({ body }) => body === "body 3")) throw serviceError("InvalidParameterValue");
        return undefined;
      },
    });
    expect(kinds(deliveries)).toEqual(["sent", "sent", "rejected", "sent"]);
    expect(api.requests.slice(1)).toEqual([["body 1", "body 2"], ["body 3", "body 4"], ["body 3"], ["body 4"]]);
  });

  it("because the queue is gone fail all its messages", async () => {
    const { deliveries, api } = await deliver({
      answering: () => {
        throw serviceError("QueueDoesNotExist");
      },
    });
    expect(kinds(deliveries)).toEqual(["failed", "failed", "failed"]);
    expect(api.requests).toHaveLength(1);
  });

  it("of the credentials end the run", async () => {
    const { cause } = await deliver({
      answering: () => {
        throw serviceError("InvalidClientTokenId", 403);
      },
    });
    expect(cause).toMatchObject({ code: "TARGET_CREDENTIALS" });
  });
});

describe("a lost reply in a standard queue", () => {
  it("is sent again and stays in doubt under resend", async () => {
    const { api, deliveries } = await deliver({ answering: losing(1) });
    expect(api.requests).toHaveLength(2);
    expect(kinds(deliveries)).toEqual(["doubtful", "doubtful", "doubtful"]);
  });

  it("casts no doubt on entries that were acknowledged before it", async () => {
    const { deliveries } = await deliver({
      answering: (_entries, request) => {
        if (request === 1) throw lostReply();
        return request === 0 ? [undefined, putOff(), undefined] : undefined;
      },
    });
    expect(kinds(deliveries)).toEqual(["sent", "doubtful", "sent"]);
  });

  it("is not sent again under skip", async () => {
    const { api, deliveries } = await deliver({
      answering: losing(1),
      onAmbiguous: "skip",
      records: messageRecords(12),
    });
    expect(api.requests.map(([first]) => first)).toEqual(["body 1", "body 11"]);
    expect(kinds(deliveries)).toEqual([...Array.from({ length: 10 }, () => "ambiguous"), "sent", "sent"]);
  });

  it("ends the run under stop", async () => {
    const { api, cause } = await deliver({ answering: losing(1), onAmbiguous: "stop" });
    expect(api.requests).toHaveLength(1);
    expect(cause).toMatchObject({ code: "IN_DOUBT", exitStatus: 1, retry: "fatal" });
  });

  it("is an outage once it has gone on for the longest retry time", async () => {
    const { cause } = await deliver({ answering: losing(1_000), maxRetryTimeMs: 30_000 });
    expect(cause).toMatchObject({ code: "OUTAGE", retry: "fatal" });
  });

  it("takes its time off that for the trouble that comes after it", async () => {
    const clock = fakeClock();
    const began = clock.now();
    const failing = () => {
      throw clock.now() - began < 20_000 ? lostReply() : serviceError("ThrottlingException");
    };
    const api = new FakeSqs(clock, failing, 30_000);
    const limits = { onAmbiguous: "resend", repeatableMs: 0, maxRetryTimeMs: 30_000 } as const;
    const { cause } = await new Sending({ api, url: "u", queue: "q", ...limits }).deliver(shipments(messageRecords(1)));
    expect(cause).toMatchObject({ code: "OUTAGE" });
    expect(clock.now() - began).toBeLessThanOrEqual(30_000);
  });

  it("leaves a message in doubt that is refused afterwards", async () => {
    const { deliveries } = await deliver({
      records: messageRecords(1),
      answering: (_entries, request) => {
        throw request === 0 ? lostReply() : serviceError("InvalidMessageContents");
      },
    });
    expect(deliveries).toMatchObject([{ outcome: { kind: "ambiguous", reason: "reply-lost" } }]);
  });

  it("leaves a message in doubt when the target takes nothing any more", async () => {
    const { deliveries, cause } = await deliver({
      records: messageRecords(1),
      maxRetryTimeMs: 1_000,
      answering: (_entries, request) => {
        if (request === 0) throw lostReply();
        return [putOff()];
      },
    });
    expect(cause).toMatchObject({ code: "OUTAGE", retry: "fatal" });
    expect(deliveries).toMatchObject([{ unsettled: "unknown" }]);
  });

  it("is also an answer that does not name a message, and a node's that could not reach another", async () => {
    const unnamed = await deliver({
      answering: (_entries, request) => (request === 0 ? [undefined, "unanswered", undefined] : undefined),
    });
    expect(kinds(unnamed.deliveries)).toEqual(["sent", "doubtful", "sent"]);
    const unavailable = await deliver({
      answering: (_entries, request) => {
        if (request === 0) throw serviceError("ServiceUnavailable", 503);
        return undefined;
      },
    });
    expect(kinds(unavailable.deliveries)).toEqual(["doubtful", "doubtful", "doubtful"]);
  });

  it("that was certainly never sent is no doubt", async () => {
    const { deliveries } = await deliver({
      onAmbiguous: "stop",
      answering: (_entries, request) => {
        if (request === 0) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED", syscall: "connect" });
        return undefined;
      },
    });
    expect(kinds(deliveries)).toEqual(["sent", "sent", "sent"]);
  });
});

describe("a lost reply that the queue can repeat safely", () => {
  const FOUR_MINUTES = 240_000;

  it.each(["resend", "skip", "stop"] as const)(
    "is sent again without doubt within the time: %s",
    async (onAmbiguous) => {
      const { api, deliveries } = await deliver({ answering: losing(3), onAmbiguous, repeatableMs: FOUR_MINUTES });
      expect(api.requests).toHaveLength(4);
      expect(kinds(deliveries)).toEqual(["sent", "sent", "sent"]);
    },
  );

  it.each([
    ["resend", ["doubtful"], 2],
    ["skip", ["ambiguous"], 1],
  ] as const)("is in doubt when the time is over: %s", async (onAmbiguous, ends, requests) => {
    const clock = fakeClock();
    const answering: Answering = (_entries, request) => {
      if (request > 0) return undefined;
      clock.advance(FOUR_MINUTES);
      throw lostReply();
    };
    const records = messageRecords(1);
    const { api, deliveries } = await deliver({ clock, answering, onAmbiguous, records, repeatableMs: FOUR_MINUTES });
    expect(kinds(deliveries)).toEqual(ends);
    expect(api.requests).toHaveLength(requests);
  });

  it("is in doubt when throttling alone outlasts the time", async () => {
    const clock = fakeClock();
    const answering: Answering = (_entries, request) => {
      if (request === 0) throw lostReply();
      if (request > 1) return undefined;
      clock.advance(FOUR_MINUTES);
      return [putOff()];
    };
    const { deliveries } = await deliver({ clock, answering, records: messageRecords(1), repeatableMs: FOUR_MINUTES });
    expect(kinds(deliveries)).toEqual(["doubtful"]);
  });
});

describe("a message that an earlier process may have sent", () => {
  const NOW = 1_700_000_000_000;
  const records = [...announced(messageRecords(2), NOW - 1_000), message(3)];

  it("goes to a standard queue again under resend, in doubt, beside others", async () => {
    const { api, deliveries } = await deliver({ records });
    expect(api.requests).toEqual([["body 1", "body 2", "body 3"]]);
    expect(kinds(deliveries)).toEqual(["doubtful", "doubtful", "sent"]);
  });

  it("is left out under skip, in doubt", async () => {
    const { api, deliveries } = await deliver({ records, onAmbiguous: "skip" });
    expect(api.requests).toEqual([["body 3"]]);
    expect(deliveries[0]).toMatchObject({
      outcome: { kind: "ambiguous", reason: "reply-lost", detail: expect.stringMatching(/earlier process/) },
    });
    expect(kinds(deliveries)).toEqual(["ambiguous", "ambiguous", "sent"]);
  });

  it("ends the run under stop, before anything is sent, and says where it stands", async () => {
    const { api, deliveries, cause } = await deliver({ records, onAmbiguous: "stop" });
    expect(api.requests).toEqual([]);
    expect(cause).toMatchObject({ code: "IN_DOUBT", where: { path: "sqs/q/messages.jsonl", line: 1 } });
    expect(kinds(deliveries)).toEqual(["unknown", "unknown", "not-sent"]);
  });

  it("stays in doubt when it is refused now", async () => {
    const { deliveries } = await deliver({ records, answering: () => [refused(), refused(), refused()] });
    expect(kinds(deliveries)).toEqual(["ambiguous", "ambiguous", "rejected"]);
  });

  it.each([
    ["within the time", 239_999, ["sent"]],
    ["later than that", 240_000, ["doubtful"]],
    ["where the clock was set back since", -1, ["doubtful"]],
  ] as const)("is repeated where the queue drops repetitions: %s", async (_when, age, ends) => {
    const { deliveries } = await deliver({
      records: announced(messageRecords(1), NOW - age),
      repeatableMs: 240_000,
    });
    expect(kinds(deliveries)).toEqual(ends);
  });
});

describe("what is known when the run is stopped", () => {
  const refusedConnection = (): never => {
    throw Object.assign(new Error("refused"), { code: "ECONNREFUSED", syscall: "connect" });
  };

  it("is that nothing was sent, where no connection came about", async () => {
    const { deliveries, cause } = await deliver({ answering: refusedConnection, maxRetryTimeMs: 1_000 });
    expect(cause).toMatchObject({ code: "OUTAGE" });
    expect(kinds(deliveries)).toEqual(["not-sent", "not-sent", "not-sent"]);
  });

  it("is all of the requests before, nothing of the one whose answer was lost, and that the next did not go", async () => {
    const { deliveries } = await deliver({
      records: messageRecords(23),
      maxRetryTimeMs: 1_000,
      answering: (_entries, request) => {
        if (request > 0) throw lostReply();
        return undefined;
      },
    });
    const tens = (end: string): string[] => Array.from({ length: 10 }, () => end);
    expect(kinds(deliveries)).toEqual([...tens("sent"), ...tens("unknown"), "not-sent", "not-sent", "not-sent"]);
  });

  it("is which entries were taken, put off and not answered", async () => {
    const { deliveries } = await deliver({
      onAmbiguous: "stop",
      answering: () => [undefined, putOff(), "unanswered"],
    });
    expect(kinds(deliveries)).toEqual(["sent", "not-sent", "unknown"]);
  });

  it("stays that an answer was lost, whatever came after", async () => {
    const { deliveries } = await deliver({
      maxRetryTimeMs: 1_000,
      answering: (_entries, request) => {
        if (request === 0) throw lostReply();
        return refusedConnection();
      },
    });
    expect(kinds(deliveries)).toEqual(["unknown", "unknown", "unknown"]);
  });

  it("is nothing where the error is not understood", async () => {
    const { deliveries } = await deliver({
      records: messageRecords(1),
      answering: () => {
        throw new RestoreError("INTERNAL", "unheard of", { retry: "fatal" });
      },
    });
    expect(kinds(deliveries)).toEqual(["unknown"]);
  });

  it("is that messages were put off, when it is interrupted then", async () => {
    const stop = new AbortController();
    const { deliveries, cause } = await deliver({
      signal: stop.signal,
      answering: () => {
        stop.abort();
        return [undefined, putOff(), putOff()];
      },
    });
    expect(cause).toMatchObject({ code: "INTERRUPTED" });
    expect(kinds(deliveries)).toEqual(["sent", "not-sent", "not-sent"]);
  });
});

describe("a pause of the run behind a lost reply in a FIFO queue", () => {
  /** The run is paused when the first reply is lost, and goes on so much later. */
  async function pausedFor(ms: number, onAmbiguous: OnAmbiguous, losses = 1) {
    const clock = fakeClock();
    const control = new RunControl(clock);
    const answering: Answering = (_entries, request) => {
      if (request === 0) control.pause();
      if (request < losses) throw lostReply();
      return undefined;
    };
    const limits = { onAmbiguous, repeatableMs: 240_000, maxRetryTimeMs: 30_000 };
    const api = new FakeSqs(clock, answering, limits.maxRetryTimeMs, undefined, pacersFor({}, clock, control)("sqs"));
    const running = new Sending({ api, url: "u", queue: "q", ...limits }).deliver(shipments(messageRecords(1)));
    await settleTurns();
    expect(api.requests).toHaveLength(1);
    clock.advance(ms);
    control.resume();
    return { api, ...(await running) };
  }

  it("that is shorter than the queue remembers leaves no doubt", async () => {
    const { api, deliveries } = await pausedFor(200_000, "resend");
    expect([api.requests.length, kinds(deliveries)]).toEqual([2, ["sent"]]);
  });

  it.each([
    ["resend", ["doubtful"], 2],
    ["skip", ["ambiguous"], 1],
  ] as const)("that is longer leaves the message in doubt: %s", async (onAmbiguous, expected, requests) => {
    const { api, deliveries } = await pausedFor(600_000, onAmbiguous);
    expect([api.requests.length, kinds(deliveries)]).toEqual([requests, expected]);
  });

  it("that is longer ends the run under stop", async () => {
    expect((await pausedFor(600_000, "stop")).cause).toMatchObject({ code: "IN_DOUBT" });
  });

  it("is no outage: the time for retries goes on where it was", async () => {
    const { api, cause, deliveries } = await pausedFor(600_000, "resend", 3);
    expect([cause, api.requests.length, kinds(deliveries)]).toEqual([undefined, 4, ["doubtful"]]);
  });
});
