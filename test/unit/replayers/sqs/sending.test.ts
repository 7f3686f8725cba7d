import { describe, expect, it } from "vitest";
import type { MessageRecord } from "../../../../src/model/record.js";
import { carry } from "../../../../src/replayers/sqs/carriable.js";
import { type Delivered, type OnAmbiguous, Sending, type Shipment } from "../../../../src/replayers/sqs/sending.js";
import { fakeClock } from "../../../support/fake-clock.js";
import { type Answering, FakeSqs, lostReply, putOff, refused, serviceError } from "../../../support/fake-sqs.js";
import { message, messageRecords } from "../../../support/sqs-records.js";

interface Setup {
  readonly answering?: Answering;
  readonly onAmbiguous?: OnAmbiguous;
  readonly repeatableMs?: number;
  readonly maxRetryTimeMs?: number;
  readonly records?: readonly MessageRecord[];
  readonly clock?: ReturnType<typeof fakeClock>;
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
  const api = new FakeSqs(clock, setup.answering, maxRetryTimeMs);
  const sending = new Sending({
    api,
    url: "http://fake/q",
    queue: "q",
    onAmbiguous: setup.onAmbiguous ?? "resend",
    repeatableMs: setup.repeatableMs ?? 0,
    maxRetryTimeMs,
  });
  const deliveries = sending.deliver(shipments(setup.records ?? messageRecords(3)));
  // Requests are kept whether or not the delivery succeeds.
  return { api, clock, deliveries: await deliveries.catch((error: unknown) => ({ error })) };
}

function kinds(deliveries: unknown): string[] {
  return (deliveries as Delivered[]).map((one) =>
    "sent" in one ? (one.isDoubtful ? "doubtful" : "sent") : one.outcome.kind,
  );
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
    const { deliveries } = await deliver({
      answering: () => {
        throw serviceError("InvalidClientTokenId", 403);
      },
    });
    expect(deliveries).toMatchObject({ error: { code: "TARGET_CREDENTIALS" } });
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
    const { api, deliveries } = await deliver({ answering: losing(1), onAmbiguous: "stop" });
    expect(api.requests).toHaveLength(1);
    expect(deliveries).toMatchObject({ error: { code: "IN_DOUBT", exitStatus: 1, retry: "fatal" } });
  });

  it("is an outage once it has gone on for the longest retry time", async () => {
    const { deliveries } = await deliver({ answering: losing(1_000), maxRetryTimeMs: 30_000 });
    expect(deliveries).toMatchObject({ error: { code: "OUTAGE", retry: "fatal" } });
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

  it("leaves a message in doubt that is put off for good afterwards", async () => {
    const { deliveries } = await deliver({
      records: messageRecords(1),
      maxRetryTimeMs: 1_000,
      answering: (_entries, request) => {
        if (request === 0) throw lostReply();
        return [putOff()];
      },
    });
    expect(deliveries).toMatchObject([{ outcome: { kind: "ambiguous", reason: "reply-lost" } }]);
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
