import { describe, expect, it } from "vitest";
import type { QueueAttributes } from "../../../../src/replayers/sqs/client.js";
import { lookAt } from "../../../../src/replayers/sqs/queue-state.js";
import { fakeClock } from "../../../support/fake-clock.js";
import { queueScope } from "../../../support/sqs-records.js";

function counts(visible: number, inFlight = 0, delayed = 0): QueueAttributes {
  return {
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  };
}

async function look(...answers: readonly QueueAttributes[]) {
  return await lookWith(false, answers);
}

async function lookWith(aws: boolean, answers: readonly QueueAttributes[]) {
  const clock = fakeClock();
  let asked = 0;
  const api = { attributes: async () => answers[Math.min(asked++, answers.length - 1)] ?? {} };
  const { state } = await lookAt(queueScope("q"), "u", { api, clock, aws });
  return { state, asked, sleeps: clock.sleeps };
}

describe("a queue", () => {
  it("is empty when it says so twice, some time apart", async () => {
    const { state, asked, sleeps } = await look(counts(0));
    expect(state).toMatchObject({ presence: "empty", count: { value: 0 } });
    expect(asked).toBe(2);
    expect(sleeps).toHaveLength(1);
  });

  it("of the AWS service is asked for ten seconds, for its counts settle late", async () => {
    const { state, sleeps } = await lookWith(true, [counts(0)]);
    expect(state.presence).toBe("empty");
    expect(sleeps.reduce((sum, ms) => sum + ms, 0)).toBe(10_000);
    const late = await lookWith(true, [counts(0), counts(0), counts(0), counts(0), counts(0), counts(1)]);
    expect(late.state).toMatchObject({ presence: "holds-records", count: { value: 1 } });
  });

  it("is not empty when a message shows at the second look", async () => {
    expect((await look(counts(0), counts(1))).state).toMatchObject({ presence: "holds-records", count: { value: 1 } });
  });

  it.each([
    [counts(1), 1],
    [counts(0, 2), 2],
    [counts(0, 0, 3), 3],
    [counts(1, 2, 3), 6],
  ])("holds what is visible, in flight and delayed: %j", async (attributes, value) => {
    expect((await look(attributes)).state).toMatchObject({ presence: "holds-records", count: { value } });
  });

  it.each([[{}], [{ ...counts(0), PartitionCount: "4" }]])(
    "that is not counted is taken for one that holds messages: %j",
    async (attributes) => {
      const { state } = await look(attributes);
      expect(state.presence).toBe("holds-records");
      expect(state.count).toBeUndefined();
      expect(state.warnings).toHaveLength(1);
    },
  );

  it("of the other kind is incompatible", async () => {
    const { state } = await look({ ...counts(0), FifoQueue: "true" });
    expect(state.incompatible).toBe("it is a FIFO queue on the target and a standard queue in the dump");
  });
});
