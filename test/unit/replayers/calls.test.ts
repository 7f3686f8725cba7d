import { describe, expect, it } from "vitest";
import { RestoreError, type RestoreErrorInit } from "../../../src/errors/restore-error.js";
import { Calls, type CallsInit, UNPACED } from "../../../src/replayers/calls.js";
import { RunControl } from "../../../src/run/control.js";
import { pacersFor } from "../../../src/run/limits.js";
import { fakeClock } from "../../support/fake-clock.js";
import { settleTurns } from "../../support/fake-replayer.js";

interface Acquired {
  readonly ops: number;
  readonly bytes: number;
}

function newCalls(overrides: Partial<CallsInit> = {}) {
  const clock = fakeClock();
  const acquired: Acquired[] = [];
  const pacer = {
    portion: UNPACED.portion,
    acquire: async (ops: number, bytes: number) => void acquired.push({ ops, bytes }),
  };
  const classify = (error: unknown) => {
    if (error instanceof RestoreError) return error;
    return new RestoreError("CALL_FAILED", "unexpected", { reason: "unexpected-error", cause: error });
  };
  const endpoint = "http://target.test";
  const init = { adapter: "dynamodb", endpoint, clock, pacer, classify, maxRetryTimeMs: 60_000, ...overrides };
  return { calls: new Calls(init), clock, acquired };
}

function fault(code: "CONNECTION" | "THROTTLED" | "RECORD_REFUSED", init: RestoreErrorInit = {}): RestoreError {
  return new RestoreError(code, `a ${code} error`, { retry: code === "RECORD_REFUSED" ? "no" : "yes", ...init });
}

/** Throws the errors one after another, then answers. */
function failing(...errors: readonly unknown[]) {
  let attempts = 0;
  const attempt = async () => {
    const error = errors[attempts++];
    if (error !== undefined) throw error;
    return "answer";
  };
  return { attempt, attempts: () => attempts };
}

const always = (error: unknown) => async () => {
  throw error;
};

describe("a call", () => {
  it("gives the answer of its one attempt", async () => {
    const { calls, clock } = newCalls();
    expect(await calls.run({ operation: "PutItem" }, failing().attempt)).toBe("answer");
    expect(calls.stats).toEqual({ requests: 1, retries: 0, throttled: 0 });
    expect(clock.sleeps).toEqual([]);
  });

  it("is paced before every attempt, by what is left then", async () => {
    const { calls, acquired } = newCalls();
    const left = [25, 10];
    const { attempt } = failing(fault("THROTTLED"));
    await calls.run({ operation: "BatchWriteItem", ops: () => left.shift() ?? 0, bytes: 7 }, attempt);
    expect(acquired).toEqual([
      { ops: 25, bytes: 7 },
      { ops: 10, bytes: 7 },
    ]);
  });

  it("counts as one operation without bytes when it says nothing else", async () => {
    const { calls, acquired } = newCalls();
    await calls.run({ operation: "ListTables" }, failing().attempt);
    expect(acquired).toEqual([{ ops: 1, bytes: 0 }]);
  });
});

describe("an error that may pass", () => {
  it("is retried after growing waits", async () => {
    const { calls, clock } = newCalls();
    const { attempt } = failing(...Array.from({ length: 8 }, () => fault("CONNECTION")));
    expect(await calls.run({ operation: "PutItem" }, attempt)).toBe("answer");
    expect(calls.stats).toEqual({ requests: 9, retries: 8, throttled: 0 });
    clock.sleeps.forEach((ms, failures) => {
      expect(ms).toBeGreaterThanOrEqual(10 * 2 ** failures);
      expect(ms).toBeLessThanOrEqual(50 * 2 ** failures);
    });
  });

  it("is counted when it is throttling", async () => {
    const { calls } = newCalls();
    await calls.run({ operation: "PutItem" }, failing(fault("THROTTLED"), fault("CONNECTION")).attempt);
    expect(calls.stats).toEqual({ requests: 3, retries: 2, throttled: 1 });
  });

  it("becomes an outage when the target stays out of reach", async () => {
    const { calls, clock } = newCalls({ maxRetryTimeMs: 5_000 });
    const started = clock.now();
    await expect(
      calls.run({ operation: "PutItem", scope: "orders" }, always(fault("CONNECTION"))),
    ).rejects.toMatchObject({
      code: "OUTAGE",
      retry: "fatal",
      where: { adapter: "dynamodb", endpoint: "http://target.test", operation: "PutItem", scope: "orders" },
    });
    expect(clock.now() - started).toBeLessThanOrEqual(5_000);
  });

  it("is the request's own fault when others of its kind pass meanwhile", async () => {
    const { calls, clock } = newCalls({ maxRetryTimeMs: 5_000 });
    const breaking = async () => {
      clock.advance(1);
      await calls.run({ operation: "PutItem", isNested: true }, failing().attempt);
      throw fault("CONNECTION", { reason: "server-error" });
    };
    await expect(calls.run({ operation: "PutItem" }, breaking)).rejects.toMatchObject({
      code: "CALL_FAILED",
      reason: "server-error",
      retry: "no",
    });
  });

  it("is an outage whatever passes meanwhile, when the request never reached the server", async () => {
    const { calls, clock } = newCalls({ maxRetryTimeMs: 5_000 });
    const refused = async () => {
      clock.advance(1);
      await calls.run({ operation: "PutItem", isNested: true }, failing().attempt);
      throw fault("CONNECTION", { reason: "not-sent" });
    };
    await expect(calls.run({ operation: "PutItem" }, refused)).rejects.toMatchObject({ code: "OUTAGE" });
  });

  it("is an outage when others passed only before, or of another kind", async () => {
    const { calls, clock } = newCalls({ maxRetryTimeMs: 5_000 });
    await calls.run({ operation: "PutItem" }, failing().attempt);
    const breaking = async () => {
      clock.advance(1);
      await calls.run({ operation: "GetItem", isNested: true }, failing().attempt);
      throw fault("CONNECTION");
    };
    await expect(calls.run({ operation: "PutItem" }, breaking)).rejects.toMatchObject({ code: "OUTAGE" });
  });

  it("becomes an outage when the target puts off all requests of its kind", async () => {
    const { calls } = newCalls({ maxRetryTimeMs: 5_000 });
    const putOff = always(fault("THROTTLED", { reason: "throttled" }));
    await expect(calls.run({ operation: "PutItem" }, putOff)).rejects.toMatchObject({ code: "OUTAGE", retry: "fatal" });
  });

  it("is the request's own fault when the target keeps putting it off and takes others", async () => {
    const { calls, clock } = newCalls({ maxRetryTimeMs: 5_000 });
    const putOff = async () => {
      clock.advance(1);
      await calls.run({ operation: "PutItem", isNested: true }, failing().attempt);
      throw fault("THROTTLED", { reason: "throttled" });
    };
    await expect(calls.run({ operation: "PutItem" }, putOff)).rejects.toMatchObject({
      code: "CALL_FAILED",
      reason: "throttled",
      retry: "no",
    });
  });

  it("is the request's own fault when it waits for something that the request names", async () => {
    const { calls } = newCalls({ maxRetryTimeMs: 5_000 });
    const waiting = always(fault("THROTTLED", { reason: "too-many-tables" }));
    await expect(calls.run({ operation: "CreateTable" }, waiting)).rejects.toMatchObject({ code: "CALL_FAILED" });
  });

  it("is given its time from the first failure on, however long the call was under way before", async () => {
    const { calls, clock } = newCalls({ maxRetryTimeMs: 5_000 });
    let attempts = 0;
    const slow = async () => {
      clock.advance(4_000);
      if (++attempts === 1) throw fault("CONNECTION");
      return "answer";
    };
    expect(await calls.run({ operation: "PutItem" }, slow)).toBe("answer");
  });
});

describe("an error that will not pass", () => {
  it("ends the call at once", async () => {
    const { calls } = newCalls();
    const { attempt, attempts } = failing(fault("RECORD_REFUSED"));
    await expect(calls.run({ operation: "PutItem" }, attempt)).rejects.toMatchObject({ code: "RECORD_REFUSED" });
    expect(attempts()).toBe(1);
  });

  it("is classified first, whatever it is", async () => {
    const { calls } = newCalls();
    const strange = new TypeError("a bug");
    const failed = calls.run({ operation: "PutItem" }, always(strange));
    await expect(failed).rejects.toMatchObject({ code: "CALL_FAILED", reason: "unexpected-error", cause: strange });
  });
});

describe("a request that may not be repeated", () => {
  const options = { operation: "SendMessage", repeatable: false };

  it("ends with a lost reply when it may have arrived", async () => {
    const { calls } = newCalls();
    const { attempt, attempts } = failing(fault("CONNECTION", { reason: "reply-lost" }));
    await expect(calls.run(options, attempt)).rejects.toMatchObject({ code: "REPLY_LOST", reason: "reply-lost" });
    expect(attempts()).toBe(1);
  });

  it("is repeated when it was never sent", async () => {
    const { calls } = newCalls();
    expect(await calls.run(options, failing(fault("CONNECTION", { reason: "not-sent" })).attempt)).toBe("answer");
  });

  it("is repeated when the target put it off", async () => {
    const { calls } = newCalls();
    expect(await calls.run(options, failing(fault("THROTTLED")).attempt)).toBe("answer");
  });
});

describe("an interruption", () => {
  it("keeps a call from being sent", async () => {
    const abort = new AbortController();
    abort.abort();
    const { calls } = newCalls({ signal: abort.signal });
    const { attempt, attempts } = failing();
    await expect(calls.run({ operation: "PutItem" }, attempt)).rejects.toMatchObject({
      code: "INTERRUPTED",
      retry: "fatal",
    });
    expect(attempts()).toBe(0);
  });

  it("ends the retries", async () => {
    const abort = new AbortController();
    const { calls } = newCalls({ signal: abort.signal });
    let attempts = 0;
    const attempt = async () => {
      attempts++;
      abort.abort();
      throw fault("CONNECTION");
    };
    await expect(calls.run({ operation: "PutItem" }, attempt)).rejects.toThrow();
    expect(attempts).toBe(1);
  });
});

describe("calls for writes", () => {
  it("go on when the run is to stop, until their own signal", async () => {
    const [stop, giveUp] = [new AbortController(), new AbortController()];
    const { calls } = newCalls({ signal: stop.signal, writeSignal: giveUp.signal });
    const writing = calls.forWrites();
    stop.abort();
    await expect(calls.run({ operation: "DeleteObject" }, failing().attempt)).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
    await expect(writing.run({ operation: "PutObject" }, failing().attempt)).resolves.toBe("answer");
    expect(calls.stats.requests).toBe(1);
    giveUp.abort();
    await expect(writing.run({ operation: "PutObject" }, failing().attempt)).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
  });
});

it.each([
  ["put off", fault("THROTTLED")],
  ["answered with a server's error", fault("CONNECTION", { reason: "server-error" })],
])("requests that are %s lower how many are under way at once, for all operations of the target", async (_, error) => {
  const { calls } = newCalls();
  let [underWay, most] = [0, 0];
  const slow = async () => {
    most = Math.max(most, ++underWay);
    await settleTurns();
    underWay--;
  };
  const putOff = failing(error);
  const crowd = (count: number) => Array.from({ length: count }, () => calls.run({ operation: "PutItem" }, slow));
  await Promise.all([...crowd(7), calls.run({ operation: "BatchWriteItem" }, putOff.attempt)]);
  expect(most).toBe(7);
  most = 0;
  await Promise.all(crowd(7));
  expect(most).toBeLessThan(7);
});

describe("calls for what can be done without", () => {
  it("are made once", async () => {
    const { calls, clock } = newCalls();
    const { attempt, attempts } = failing(fault("CONNECTION"));
    await expect(calls.aside(new AbortController().signal).run({ operation: "List" }, attempt)).rejects.toThrow();
    expect(attempts()).toBe(1);
    expect(clock.sleeps).toEqual([]);
    expect(calls.stats.requests).toBe(1);
  });

  it.each(["its own", "the run's"])("end with %s signal", async (whose) => {
    const [own, runs] = [new AbortController(), new AbortController()];
    const { calls } = newCalls({ signal: runs.signal, writeSignal: new AbortController().signal });
    const aside = calls.aside(own.signal);
    (whose === "its own" ? own : runs).abort();
    const { attempt, attempts } = failing();
    await expect(aside.run({ operation: "List" }, attempt)).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(attempts()).toBe(0);
  });
});

it("a request within another one's turn does not wait for its own", async () => {
  const { calls } = newCalls();
  let attempts = 0;
  const attempt = async () => {
    if (attempts++ === 0) throw fault("THROTTLED");
    return await calls.run({ operation: "DescribeTable", isNested: true }, failing().attempt);
  };
  expect(await calls.run({ operation: "PutItem" }, attempt)).toBe("answer");
});

describe("a pause of the run", () => {
  function paused() {
    const clock = fakeClock();
    const control = new RunControl(clock);
    const pacer = pacersFor({}, clock, control)("dynamodb");
    return { ...newCalls({ clock, pacer }), clock, control };
  }

  it("is no time for retries: a call that waited through it goes on trying", async () => {
    const { calls, clock, control } = paused();
    const failures = Array.from({ length: 4 }, () => fault("CONNECTION"));
    const { attempt, attempts } = failing(...failures);
    const running = calls.run({ operation: "PutItem" }, async () => {
      if (attempts() === 0) control.pause();
      return await attempt();
    });
    await settleTurns();
    expect(attempts()).toBe(1);
    clock.advance(3_600_000);
    control.resume();
    expect(await running).toBe("answer");
    expect(attempts()).toBe(5);
  });

  it("counts for a call that names when it failed first, too", async () => {
    const { calls, clock, control } = paused();
    const failingSince = clock.now();
    control.pause();
    clock.advance(3_600_000);
    control.resume();
    expect(calls.workedSince(failingSince)).toBe(0);
    const { attempt } = failing(fault("CONNECTION"));
    expect(await calls.run({ operation: "PutItem", failingSince }, attempt)).toBe("answer");
  });

  it("is idle once the attempts under way have ended, however they ended", async () => {
    const { calls, control } = paused();
    const ends: ((error?: Error) => void)[] = [];
    const call = () =>
      calls
        .run(
          { operation: "PutItem" },
          () => new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve()))),
        )
        .catch(() => undefined);
    const running = [call(), call()];
    await settleTurns();
    let isIdle = false;
    control.pause(() => {
      isIdle = true;
    });
    ends[0]?.(fault("CONNECTION"));
    await settleTurns();
    expect(isIdle).toBe(false);
    ends[1]?.();
    await settleTurns();
    expect(isIdle).toBe(true);
    expect(ends).toHaveLength(2);
    control.resume();
    await settleTurns();
    ends[2]?.();
    await Promise.all(running);
  });

  it("is idle while a call waits for one that it makes itself", async () => {
    const { calls, control } = paused();
    let isIdle = false;
    const running = calls.run({ operation: "PutItem" }, async () => {
      control.pause(() => {
        isIdle = true;
      });
      const answer = await calls.run({ operation: "DescribeTable", isNested: true }, failing().attempt);
      isIdle = false;
      // The call itself is under way still.
      control.pause(() => {
        isIdle = true;
      });
      expect(isIdle).toBe(false);
      return answer;
    });
    await settleTurns();
    expect(isIdle).toBe(true);
    control.resume();
    expect(await running).toBe("answer");
    expect(isIdle).toBe(true);
    control.resume();
    let isIdleAfterwards = false;
    control.pause(() => {
      isIdleAfterwards = true;
    });
    expect(isIdleAfterwards).toBe(true);
  });
});
