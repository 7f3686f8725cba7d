import { createHash } from "node:crypto";
import { request } from "node:http";
import { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { BLOCKS_ON_THE_WAY, type Source, type Streamed, streamed } from "../../../../src/replayers/s3/body.js";
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

  it("is not hashed where nobody asks for the digest", async () => {
    const source = { blocks: blocksOf("ab", "cd"), bytes: 4, isHashed: false, ...NO_SIGNAL };
    expect(await streamed(source, (body) => readAll(body))).toEqual({ answer: "abcd" });
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

const BLOCK_BYTES = 1024 * 1024;

/** Blocks that differ, the first one short, each in the buffer that comes next. */
async function* inTurn(count: number, buffers: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) {
    await Promise.resolve();
    const buffer = buffers[i % buffers.length] ?? Buffer.alloc(0);
    yield buffer.fill(i + 1).subarray(0, i === 0 ? 5 : BLOCK_BYTES);
  }
}

/** A connection that looks at bytes only when it has had them for a while. */
class SlowConnection extends Duplex {
  readonly md5 = createHash("md5");
  /** Bytes, without the head of the request. */
  taken = 0;
  readonly #take: () => Promise<unknown>;

  constructor(take: () => Promise<unknown>) {
    super();
    this.#take = take;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    void this.#take().then(() => {
      const body = chunk.subarray(chunk.indexOf("\r\n\r\n") < 0 ? 0 : chunk.length);
      this.md5.update(body);
      this.taken += body.length;
      done();
    });
  }

  answer(): void {
    this.push("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
}

/** Sends blocks over it as the SDK does. */
async function put(connection: SlowConnection, source: Omit<Source, "signal">): Promise<Streamed<void>> {
  return await streamed({ ...source, ...NO_SIGNAL }, async (body) => {
    await new Promise<void>((resolve, reject) => {
      const headers = { "content-length": source.bytes };
      const sent = request({ method: "PUT", headers, createConnection: () => connection }, (answer) =>
        answer.resume().on("end", resolve),
      );
      body.pipe(sent.on("error", reject));
    });
  });
}

describe("blocks in buffers that are used in turn", () => {
  it("arrive as they were read, however late the connection looks at them, and are released then", async () => {
    const connection = new SlowConnection(() => setTimeout(2));
    const buffers = Array.from({ length: BLOCKS_ON_THE_WAY }, () => Buffer.alloc(BLOCK_BYTES));
    let released = 0;
    const release = () => released++;
    const bytes = 5 + 19 * BLOCK_BYTES;
    const sending = put(connection, { blocks: inTurn(20, buffers), bytes, release });
    while (connection.taken < bytes) await setTimeout(5);
    connection.answer();
    const { md5: read } = await sending;
    expect(connection.md5.digest("hex")).toBe(read);
    expect(released).toBe(1);
  });

  it("are not released where the answer came before the connection took them", async () => {
    const connection = new SlowConnection(() => new Promise(() => undefined));
    let released = 0;
    const release = () => released++;
    const sending = put(connection, { blocks: blocksOf("whole"), bytes: 5, release });
    await setTimeout(5);
    connection.answer();
    await sending;
    expect(released).toBe(0);
    connection.destroy();
  });
});
