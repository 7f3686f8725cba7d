import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../../src/errors/codes.js";
import { RestoreError } from "../../../src/errors/restore-error.js";
import { asksTarget, unlessInterrupted } from "../../../src/run/before-writing.js";

const TARGET = { adapter: "sqs", endpoint: "http://127.0.0.1:9324" } as const;

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function hanging(): Promise<never> {
  return new Promise(() => undefined);
}

describe("an interruption before the first write", () => {
  it("does not wait for a target that hangs", async () => {
    const interruption = new AbortController();
    const thrown = thrownBy(unlessInterrupted(hanging(), interruption.signal));
    interruption.abort();
    expect(await thrown).toMatchObject({ code: "INTERRUPTED", exitStatus: 130 });
  });

  it("counts when it came before the question", async () => {
    expect(await thrownBy(unlessInterrupted(hanging(), AbortSignal.abort()))).toMatchObject({ code: "INTERRUPTED" });
  });

  it("leaves an answer as it is, and no listener behind", async () => {
    const { signal } = new AbortController();
    const added: string[] = [];
    signal.addEventListener = (type: string) => void added.push(`+${type}`);
    signal.removeEventListener = (type: string) => void added.push(`-${type}`);
    expect(await unlessInterrupted(Promise.resolve(7), signal)).toBe(7);
    expect(added).toEqual(["+abort", "-abort"]);
  });
});

describe("what a target answers before the first write", () => {
  it.each<ErrorCode>(["OUTAGE", "CONNECTION", "THROTTLED", "CALL_FAILED", "REPLY_LOST", "RECORD_REFUSED"])(
    "is its unfitness: %s ends with 5 and names the endpoint",
    async (code) => {
      const error = new RestoreError(code, "an answer in another format, status 400");
      expect(await thrownBy(asksTarget(TARGET, Promise.reject(error)))).toMatchObject({
        exitStatus: 5,
        message: "http://127.0.0.1:9324: an answer in another format, status 400",
        hint: expect.stringContaining("Nothing was written."),
      });
    },
  );

  it("keeps an error that says what is wrong", async () => {
    const named = new RestoreError("TARGET_UNREACHABLE", `${TARGET.endpoint} cannot be reached`, { hint: "Start it." });
    for (const error of [named, new RestoreError("TARGET_CREDENTIALS", "no"), new Error("a bug")]) {
      expect(await thrownBy(asksTarget(TARGET, Promise.reject(error)))).toBe(error);
    }
  });
});
