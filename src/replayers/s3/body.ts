/**
 * A range of a record's content on its way to the target. It is read while it is sent, a block at a time, so that no
 * body is ever held whole; a fault in reading ends the request before its last byte, so that the target stores nothing.
 */
import { createHash, type Hash } from "node:crypto";
import { ClientRequest } from "node:http";
import { Readable } from "node:stream";
import { RestoreError } from "../../errors/restore-error.js";

/**
 * Blocks of a body that are in use at a time: one or, where the first is short, two that the connection holds, and one that
 * waits for it or is read. None is read before the connection has handed all but those to the system.
 */
export const BLOCKS_ON_THE_WAY = 3;

export interface Streamed<T> {
  readonly answer: T;
  /** Lower-case hex, of the bytes that were sent; absent where the source says that nobody asks for it. */
  readonly md5?: string;
}

/** Bytes that are read once. */
export interface Reading {
  readonly blocks: AsyncIterable<Buffer>;
  /** Called at the end where nothing writes into the blocks any more and nobody reads them, an abandoned request neither. */
  readonly release: () => void;
}

export interface Source extends Pick<Reading, "blocks">, Partial<Pick<Reading, "release">> {
  /** What the blocks must add up to; the request's content length. */
  readonly bytes: number;
  /** Ends the request. */
  readonly signal: AbortSignal | undefined;
  /** False where the digest is not wanted: it takes as long as all the rest. Default: true. */
  readonly isHashed?: boolean;
}

interface Progress {
  fault?: { readonly error: unknown };
  ended: boolean;
  /** All was handed to the system, or the connection is closed behind the last block. */
  left: boolean;
}

/**
 * Sends the blocks by `send`, which must pass on the signal that it is given.
 * @throws what reading threw, INTERRUPTED when the source's signal was aborted, else what `send` threw
 */
export async function streamed<T>(
  source: Source,
  send: (body: Readable, signal: AbortSignal) => Promise<T>,
): Promise<Streamed<T>> {
  const md5 = source.isHashed === false ? undefined : createHash("md5");
  const stop = new AbortController();
  const progress: Progress = { ended: source.bytes === 0, left: false };
  const halt = () => stop.abort();
  const body = watched(Readable.from(blocksOf(source, md5, progress), { highWaterMark: 1 }), progress);
  body.on("error", (error) => {
    progress.fault ??= { error };
    halt();
  });
  source.signal?.addEventListener("abort", halt, { once: true });
  try {
    if (source.signal?.aborted === true) throw interrupted();
    const answer = await send(body, stop.signal);
    if (!progress.ended) throw new RestoreError("CONNECTION", "an answer came before the end of the body", LOST);
    return md5 === undefined ? { answer } : { answer, md5: md5.digest("hex") };
  } catch (error) {
    if (progress.fault !== undefined) throw progress.fault.error;
    throw source.signal?.aborted === true ? interrupted() : error;
  } finally {
    source.signal?.removeEventListener("abort", halt);
    body.destroy();
    // An answer before the end of the body leaves a half-written request on its connection.
    if (!progress.ended) halt();
    if (progress.left) source.release?.();
  }
}

/** Notes when the request that the body goes into has let go of its blocks. Into anything else it is never known. */
function watched(body: Readable, progress: Progress): Readable {
  const pipe = body.pipe.bind(body);
  body.pipe = (destination, options) => {
    if (destination instanceof ClientRequest) {
      destination.once("finish", () => {
        progress.left = true;
      });
    }
    return pipe(destination, options);
  };
  return body;
}

const LOST = { retry: "yes", reason: "reply-lost" } as const;

/** Knows the end with the last block, for the target may answer before anybody asks for another one. */
async function* blocksOf(source: Source, md5: Hash | undefined, progress: Progress): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const block of source.blocks) {
    if (block.length === 0) continue;
    md5?.update(block);
    bytes += block.length;
    if (bytes === source.bytes) progress.ended = true;
    yield block;
  }
  if (bytes !== source.bytes) throw new RestoreError("INTERNAL", `${bytes} bytes were read of ${source.bytes}`);
}

function interrupted(): RestoreError {
  return new RestoreError("INTERRUPTED", "interrupted while a body was sent", { retry: "fatal" });
}
