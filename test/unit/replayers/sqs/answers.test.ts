import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { AnswersSeen } from "../../../../src/replayers/sqs/answers.js";
import { fakeClock } from "../../../support/fake-clock.js";

describe("answers seen", () => {
  it("take a repeated message id for a drop, whatever the group", () => {
    const seen = new AnswersSeen(fakeClock(), tmpdir());
    expect(seen.take("a", { messageId: "m" })).toBeUndefined();
    expect(seen.take("b", { messageId: "m" })).toBe("repeated-message-id");
  });

  it("take a number that does not rise within its group for a drop", () => {
    const seen = new AnswersSeen(fakeClock(), tmpdir());
    const big = 18_849_496_460_467_696_128n;
    expect(seen.take("a", { messageId: "1", sequence: big })).toBeUndefined();
    expect(seen.take("b", { messageId: "2", sequence: big - 1n })).toBeUndefined();
    expect(seen.take("a", { messageId: "3", sequence: big + 1n })).toBeUndefined();
    expect(seen.take("a", { messageId: "4", sequence: big })).toBe("sequence-not-risen");
    expect(seen.take("a", { messageId: "5", sequence: big + 1n })).toBe("sequence-not-risen");
  });

  it("are kept for more than five minutes and not for ever", () => {
    const clock = fakeClock();
    const seen = new AnswersSeen(clock, tmpdir());
    seen.take("a", { messageId: "m" });
    clock.advance(5.9 * 60_000);
    seen.take("a", { messageId: "n" });
    clock.advance(5 * 60_000);
    expect(seen.take("a", { messageId: "n" })).toBe("repeated-message-id");
    clock.advance(7 * 60_000);
    seen.take("a", { messageId: "o" });
    clock.advance(7 * 60_000);
    expect(seen.take("a", { messageId: "m" })).toBeUndefined();
  });
});
