import { describe, expect, it } from "vitest";
import { streamed } from "../../../../src/replayers/s3/body.js";
import { md5 } from "../../../support/s3-records.js";

async function* blocksOf(...texts: readonly string[]): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (const text of texts) {
    if (text === "fault") throw new Error("fault");
    yield Buffer.from(text);
  }
}

const NO_SIGNAL = { signal: undefined };

async function readAll(body: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const block of body) text += block.toString();
  return text;
}

describe("a streamed body", () => {
  it("is sent whole, with the digest of what was sent", async () => {
    const source = { blocks: blocksOf("ab", "", "cd"), bytes: 4, ...NO_SIGNAL };
    expect(await streamed(source, (body) => readAll(body))).toEqual({ answer: "abcd", md5: md5("abcd") });
  });

  it("aborts the request when reading fails, and says why", async () => {
    const source = { blocks: blocksOf("ab", "fault"), bytes: 4, ...NO_SIGNAL };
    let aborted = false;
    const sending = streamed(source, async (body, signal) => {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      return await readAll(body);
    });
    await expect(sending).rejects.toThrow("fault");
    expect(aborted).toBe(true);
  });

  it("does not take an answer that came before its end", async () => {
    const source = { blocks: blocksOf("ab", "cd"), bytes: 4, ...NO_SIGNAL };
    await expect(streamed(source, () => Promise.resolve("early"))).rejects.toMatchObject({ code: "CONNECTION" });
  });

  it("ends when the run is interrupted", async () => {
    const stop = new AbortController();
    const source = { blocks: blocksOf("ab", "cd"), bytes: 4, signal: stop.signal };
    const sending = streamed(source, (_body, signal) => {
      const ended = new Promise<never>((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(new Error("aborted"))),
      );
      stop.abort();
      return ended;
    });
    await expect(sending).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});
