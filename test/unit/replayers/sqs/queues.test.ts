import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import { Calls, UNPACED } from "../../../../src/replayers/calls.js";
import { applyLeavingOut, attributesForSending, wantedAttributes } from "../../../../src/replayers/sqs/attributes.js";
import { classifySqsError, judgeRefusal } from "../../../../src/replayers/sqs/classify-error.js";
import type { QueueAttributes } from "../../../../src/replayers/sqs/client.js";
import { QueueNotes } from "../../../../src/replayers/sqs/queue-notes.js";
import { queuesNamed, siblingArn, withArns } from "../../../../src/replayers/sqs/redrive.js";
import {
  createQueue,
  emptyQueue,
  type Purging,
  purgeWaitMs,
  reopenQueue,
} from "../../../../src/replayers/sqs/scope.js";
import { fakeClock } from "../../../support/fake-clock.js";
import { serviceError } from "../../../support/fake-sqs.js";
import { MemoryNotebook } from "../../../support/memory-notebook.js";
import { queueScope } from "../../../support/sqs-records.js";

const CONTEXT = { adapter: "sqs", endpoint: "http://fake" } as const;

function classified(name: string, message = "no", status = 400): RestoreError {
  return classifySqsError(serviceError(name, status, message), "SetQueueAttributes", CONTEXT);
}

describe("the key that a queue is encrypted with", () => {
  it("is waited for when it is throttled, and is no message's fault when it is refused", () => {
    expect(classified("KmsThrottled")).toMatchObject({ code: "THROTTLED", retry: "yes" });
    expect(classified("KmsDisabled")).toMatchObject({ code: "CALL_FAILED", reason: "key-refused" });
    const refused = { message: "no", senderFault: true };
    expect(judgeRefusal({ ...refused, code: "KMS.ThrottlingException" })).toBe("again");
    expect(judgeRefusal({ ...refused, code: "KMS.DisabledException" })).toMatchObject({
      kind: "failed",
      reason: "key-refused",
    });
  });
});

describe("after a purge", () => {
  it("nothing is sent for a minute, or as long as is asked for; at AWS never sooner, for a purge takes later messages", () => {
    expect([purgeWaitMs(undefined, false), purgeWaitMs(0, false)]).toEqual([60_000, 0]);
    expect([purgeWaitMs(undefined, true), purgeWaitMs(0, true), purgeWaitMs(90_000, true)]).toEqual([
      60_000, 60_000, 90_000,
    ]);
  });
});

describe("wanted attributes", () => {
  it("hold what the dump tells, a delay and a wait of zero included, and nothing else", () => {
    expect(wantedAttributes(queueScope("q").settings)).toEqual({
      DelaySeconds: "0",
      ReceiveMessageWaitTimeSeconds: "0",
    });
  });

  it("hold a FIFO queue's kind; its delay is zero while messages are sent", () => {
    const { settings } = queueScope("q.fifo", {
      delaySeconds: 7,
      partitionCount: 4,
      deduplicationScope: "messageGroup",
    });
    expect(wantedAttributes(settings)).toMatchObject({
      FifoQueue: "true",
      ContentBasedDeduplication: "false",
      DelaySeconds: "7",
      PartitionCount: "4",
      DeduplicationScope: "messageGroup",
    });
    expect(attributesForSending(settings)).toMatchObject({ DelaySeconds: "0" });
    expect(attributesForSending(queueScope("q", { delaySeconds: 7 }).settings)).toMatchObject({ DelaySeconds: "7" });
  });
});

describe("leaving attributes out", () => {
  async function refusing(wanted: QueueAttributes, refuse: Record<string, string>) {
    return await applyLeavingOut(wanted, async (attributes) => {
      const name = Object.keys(refuse).find((one) => one in attributes);
      if (name !== undefined) throw classified("InvalidAttributeName", refuse[name]);
      return attributes;
    });
  }

  it("takes the one that the refusal names, and says so", async () => {
    const { result, warnings } = await refusing(
      { DelaySeconds: "1", Novelty: "2" },
      { Novelty: "Unknown attribute Novelty." },
    );
    expect(result).toEqual({ DelaySeconds: "1" });
    expect(warnings).toEqual([expect.stringMatching(/^Novelty=2 was left out/)]);
  });

  it("takes the least known one where the refusal names none", async () => {
    const wanted = { DelaySeconds: "0", FifoThroughputLimit: "x", PartitionCount: "4" };
    const { result } = await refusing(wanted, { PartitionCount: "bad", FifoThroughputLimit: "bad" });
    expect(result).toEqual({ DelaySeconds: "0" });
  });

  it("never takes what makes the queue another one", async () => {
    await expect(refusing({ FifoQueue: "true" }, { FifoQueue: "FifoQueue is invalid" })).rejects.toThrow(/FifoQueue/);
  });

  it("passes on what is no refusal of an attribute", async () => {
    const attempt = applyLeavingOut({ A: "1" }, () => Promise.reject(classified("QueueDoesNotExist")));
    await expect(attempt).rejects.toMatchObject({ reason: "queue-missing" });
  });
});

describe("errors", () => {
  it.each([
    ["QueueDoesNotExist", "CALL_FAILED", "queue-missing"],
    ["AWS.SimpleQueueService.NonExistentQueue", "CALL_FAILED", "queue-missing"],
    ["AWS.SimpleQueueService.PurgeQueueInProgress", "CALL_FAILED", "purge-in-progress"],
    ["QueueDeletedRecently", "THROTTLED", "queue-deleted-recently"],
    ["KmsAccessDenied", "CALL_FAILED", "key-refused"],
    ["OverLimit", "THROTTLED", "throttled"],
    ["InvalidParameterValue", "RECORD_REFUSED", "refused-by-target"],
  ])("%s is %s, %s", (name, code, reason) => {
    expect(classified(name)).toMatchObject({ code, reason });
  });

  it("of an entry are the record's own only when the sender is at fault", () => {
    const refusal = { code: "InvalidMessageContents", message: "bad\u0007", senderFault: true };
    expect(judgeRefusal(refusal)).toMatchObject({ kind: "rejected", detail: "InvalidMessageContents: bad\\u{7}" });
    expect(judgeRefusal({ ...refusal, senderFault: false })).toBe("again");
    expect(judgeRefusal({ ...refusal, code: "RequestThrottled" })).toBe("again");
    expect(judgeRefusal({ ...refusal, code: "AWS.SimpleQueueService.NonExistentQueue" })).toMatchObject({
      kind: "failed",
      reason: "queue-missing",
    });
  });
});

describe("redrive policies", () => {
  const policy = '{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:1:dead.fifo", "maxReceiveCount": "25"}';

  it("keep their text around the ARN", () => {
    expect(queuesNamed(policy)).toEqual(["dead.fifo"]);
    expect(withArns(policy, (name) => siblingArn("arn:aws:sqs:us-east-1:0:own", `${name}-copy`))).toBe(
      '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:0:dead.fifo-copy", "maxReceiveCount": "25"}',
    );
  });

  it("without a readable ARN name no queue", () => {
    expect(queuesNamed('{"redrivePermission":"allowAll"}')).toEqual([]);
    expect(queuesNamed('{"deadLetterTargetArn":"dead"}')).toEqual([]);
  });
});

function apiWith(parts: { purge?: (attempt: number) => void; attributes?: (attempt: number) => void }) {
  const clock = fakeClock();
  const classify = (error: unknown): RestoreError => classifySqsError(error, "PurgeQueue", CONTEXT);
  const attributes = attributesForSending(queueScope("q").settings);
  let [purges, looks] = [0, 0];
  return {
    clock,
    calls: new Calls({ ...CONTEXT, clock, maxRetryTimeMs: 1_000, pacer: UNPACED, classify }),
    endpoint: "http://fake",
    attributes: async () => {
      parts.attributes?.(looks++);
      return attributes;
    },
    createQueue: async () => "u",
    queueUrl: async () => "u",
    setAttributes: async () => undefined,
    purge: async () => parts.purge?.(purges++),
  };
}

const inProgress = (): never => {
  throw classified("PurgeQueueInProgress");
};

function purging(notebook = new MemoryNotebook(), waitMs = 60_000): Purging {
  return { waitMs, notes: new QueueNotes(notebook, queueScope("q")) };
}

describe("a new queue", () => {
  it("is waited for until the target knows it", async () => {
    const api = apiWith({
      attributes: (attempt) => {
        if (attempt < 3) throw classified("QueueDoesNotExist");
      },
    });
    const began = api.clock.now();
    expect(await createQueue(api, queueScope("q"))).toMatchObject({ takeover: "create", readyAtMs: 0, warnings: [] });
    expect(api.clock.now() - began).toBe(3_000);
  });

  it("that never appears is an error", async () => {
    const api = apiWith({
      attributes: () => {
        throw classified("QueueDoesNotExist");
      },
    });
    await expect(createQueue(api, queueScope("q"))).rejects.toMatchObject({ reason: "queue-missing" });
  });
});

describe("a purge", () => {
  it("waits another one out, and counts the rest from its own", async () => {
    const api = apiWith({
      purge: (attempt) => {
        if (attempt < 3) throw classified("PurgeQueueInProgress");
      },
    });
    const began = api.clock.now();
    const { readyAtMs } = await emptyQueue(api, queueScope("q"), purging());
    expect(api.clock.now() - began).toBe(15_000);
    expect(readyAtMs).toBe(began + 75_000);
  });

  it("gives up when another one seems to last for ever", async () => {
    const api = apiWith({
      purge: () => {
        throw classified("PurgeQueueInProgress");
      },
    });
    await expect(emptyQueue(api, queueScope("q"), purging())).rejects.toMatchObject({ reason: "purge-in-progress" });
  });

  it("passes other refusals on", async () => {
    const api = apiWith({
      purge: () => {
        throw classified("AccessDenied", "no", 403);
      },
    });
    await expect(emptyQueue(api, queueScope("q"), purging())).rejects.toBeInstanceOf(RestoreError);
  });
});

describe("a purge by an earlier process of the job", () => {
  /** The clock of the next process stands so much later. */
  async function purgedBefore(ms: number, purge: (attempt: number) => void = () => undefined) {
    const notebook = new MemoryNotebook();
    const api = apiWith({ purge });
    const { readyAtMs } = await emptyQueue(api, queueScope("q"), purging(notebook));
    const next = apiWith({ purge });
    next.clock.advance(ms);
    return { notebook, readyAtMs, next };
  }

  it("is waited out for what is left of its time, when the queue is taken up", async () => {
    const { notebook, readyAtMs, next } = await purgedBefore(45_000);
    const reopened = await reopenQueue(next, queueScope("q"), { takeover: "empty", purging: purging(notebook) });
    expect(reopened).toMatchObject({ takeover: "empty", readyAtMs });
  });

  it("is waited out no longer than its time where the clock was set back", async () => {
    const { notebook, next } = await purgedBefore(-3_600_000);
    const reopened = await reopenQueue(next, queueScope("q"), { takeover: "empty", purging: purging(notebook) });
    expect(reopened.readyAtMs).toBe(next.clock.now() + 60_000);
  });

  it("is none where the queue was created: nothing is waited for", async () => {
    const settings = purging();
    await settings.notes.noteTakeover("create", undefined);
    const reopened = await reopenQueue(apiWith({}), queueScope("q"), { takeover: "empty", purging: settings });
    expect(reopened.readyAtMs).toBe(0);
  });

  it("is asked for again, when nothing was sent yet and the target takes it", async () => {
    let purges = 0;
    const { notebook, next } = await purgedBefore(45_000, () => purges++);
    const emptied = await emptyQueue(next, queueScope("q"), purging(notebook));
    expect(purges).toBe(2);
    expect(emptied.readyAtMs).toBe(next.clock.now() + 60_000);
  });

  it("will do where the target takes none so soon", async () => {
    let purges = 0;
    const { notebook, readyAtMs, next } = await purgedBefore(45_000, () => purges++ > 0 && inProgress());
    const began = next.clock.now();
    const emptied = await emptyQueue(next, queueScope("q"), purging(notebook));
    expect(emptied.readyAtMs).toBe(readyAtMs);
    expect(next.clock.now()).toBe(began);
  });

  it("will not do where it is too old to be the one that is under way", async () => {
    let purges = 0;
    const { notebook, next } = await purgedBefore(90_000, () => [1, 2].includes(purges++) && inProgress());
    const began = next.clock.now();
    const emptied = await emptyQueue(next, queueScope("q"), purging(notebook));
    expect(purges).toBe(4);
    expect(emptied.readyAtMs).toBe(began + 10_000 + 60_000);
  });
});
