/**
 * A range of a record's content on its way to the target. It is read while it is sent, a block at a time, so that no
 * body is ever held whole; a fault in reading ends the request before its last byte, so that the target stores nothing.
 */
import { createHash, type Hash } from "node:crypto";
import { Readable } from "node:stream";
import { RestoreError } from "../../errors/restore-error.js";

export interface Streamed<T> {
  readonly answer: T;
  /** Lower-case hex, of the bytes that were sent. */
  readonly md5: string;
}

export interface Source {
  readonly blocks: AsyncIterable<Buffer>;
  /** What the blocks must add up to; the request's content length. */
  readonly bytes: number;
  /** Ends the request. */
  readonly signal: AbortSignal | undefined;
}

interface Reading {
  fault?: { readonly error: unknown };
  ended: boolean;
}

/**
 * Sends the blocks by `send`, which must pass on the signal that it is given.
 * @throws what reading threw, INTERRUPTED when the source's signal was aborted, else what `send` threw
 */
export async function streamed<T>(
  source: Source,
  send: (body: Readable, signal: AbortSignal) => Promise<T>,
): Promise<Streamed<T>> {
  const md5 = createHash("md5");
  const stop = new AbortController();
  const reading: Reading = { ended: source.bytes === 0 };
  const halt = () => stop.abort();
  const body = Readable.from(hashing(source, md5, reading), { highWaterMark: 1 });
  body.on("error", (error) => {
    reading.fault ??= { error };
    halt();
  });
  source.signal?.addEventListener("abort", halt, { once: true });
  try {
    if (source.signal?.aborted === true) throw interrupted();
    const answer = await send(body, stop.signal);
    if (!reading.ended) throw new RestoreError("CONNECTION", "an answer came before the end of the body", LOST);
    return { answer, md5: md5.digest("hex") };
  } catch (error) {
    if (reading.fault !== undefined) throw reading.fault.error;
    throw source.signal?.aborted === true ? interrupted() : error;
  } finally {
    source.signal?.removeEventListener("abort", halt);
    body.destroy();
    // An answer before the end of the body leaves a half-written request on its connection.
    if (!reading.ended) halt();
  }
}

const LOST = { retry: "yes", reason: "reply-lost" } as const;

/** Knows the end with the last block, for the target may answer before anybody asks for another one. */
async function* hashing(source: Source, md5: Hash, reading: Reading): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const block of source.blocks) {
    if (block.length === 0) continue;
    md5.update(block);
    bytes += block.length;
    if (bytes === source.bytes) reading.ended = true;
    yield block;
  }
  if (bytes !== source.bytes) throw new RestoreError("INTERNAL", `${bytes} bytes were read of ${source.bytes}`);
}

function interrupted(): RestoreError {
  return new RestoreError("INTERRUPTED", "interrupted while a body was sent", { retry: "fatal" });
}
