/**
 * An open connection: bytes of commands out, replies in, each handed to whoever asked for it. It ends with its socket;
 * what was not answered by then is answered by a `ConnectionLost`, for nobody knows whether it was run.
 *
 * A reply that nobody asked for ends it as well: from there on no reply is known to belong to its command.
 */
import type { Socket } from "node:net";

import { ConnectionLost } from "./classify-error.js";
import { type Command, encodeAround, encodeCommands, type Reply, ReplyReader, type StreamedArgument } from "./resp.js";

interface Asked {
  readonly count: number;
  readonly replies: Reply[];
  readonly resolve: (replies: Reply[]) => void;
}

/** What a session needs of a socket, plain or TLS. */
type Stream = Pick<
  Socket,
  "on" | "off" | "write" | "cork" | "uncork" | "destroy" | "destroyed" | "setTimeout" | "removeAllListeners"
>;

export class Session {
  readonly #stream: Stream;
  readonly #silenceMs: number;
  readonly #reader = new ReplyReader((reply) => this.#answer(reply));
  #asked: Asked[] = [];
  #silence: NodeJS.Timeout | undefined;
  #lastError: unknown;
  #isOpen = true;

  /**
   * Takes the socket over from whoever made the connection. `silenceMs`: silence while an answer is due after which it
   * counts as lost.
   */
  constructor(stream: Stream, silenceMs: number) {
    this.#stream = stream;
    this.#silenceMs = silenceMs;
    stream.removeAllListeners("data");
    stream.on("data", (block) => this.#receive(block));
    stream.on("error", (error) => {
      this.#lastError ??= error;
    });
    stream.on("close", () => this.#end());
    stream.on("end", () => stream.destroy());
    if (stream.destroyed) this.#end();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends all commands at once, in one write where they are small. One reply a command, in order. Never throws. */
  async exchange(commands: readonly Command[]): Promise<Reply[]> {
    if (commands.length === 0) return [];
    const parts = encodeCommands(commands);
    const replies = this.#replies(commands.length);
    this.#listen();
    this.#stream.cork();
    for (const part of parts) this.#stream.write(part);
    this.#stream.uncork();
    return await replies;
  }

  /** As `Connection.sendStreamed`. */
  async sendStreamed(command: Command, value: StreamedArgument, pause?: () => Promise<void>): Promise<Reply> {
    const stream = this.#stream;
    // No answer is due while the value is sent, so what is sent counts as well.
    stream.setTimeout(this.#silenceMs, () => stream.destroy());
    const { header, trailer } = encodeAround(command, value);
    const reply = this.#replies(1).then(([only = null]) => only);
    stream.write(header);
    const over = new AbortController();
    void reply.then(() => over.abort());
    try {
      if (pause !== undefined) await Promise.race([reply, pause()]);
      await this.#pump(value.blocks(), over.signal);
      if (!over.signal.aborted) stream.write(trailer);
    } catch (error) {
      stream.destroy();
      await reply;
      throw error;
    }
    return await reply;
  }

  async #replies(count: number): Promise<Reply[]> {
    return await new Promise<Reply[]>((resolve) => {
      this.#asked.push({ count, replies: [], resolve });
      if (!this.#isOpen) this.#end();
    });
  }

  #receive(block: Buffer): void {
    try {
      this.#reader.feed(block);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#asked.length > 0) this.#silence?.refresh();
    else this.#stopListening();
  }

  #answer(reply: Reply): void {
    const [first] = this.#asked;
    if (first === undefined) throw new Error("an answer came that nobody asked for");
    first.replies.push(reply);
    if (first.replies.length < first.count) return;
    this.#asked.shift();
    first.resolve(first.replies);
  }

  #fail(error: unknown): void {
    this.#lastError ??= error;
    this.#stream.destroy();
    this.#end();
  }

  #end(): void {
    this.#isOpen = false;
    this.#stopListening();
    const asked = this.#asked;
    this.#asked = [];
    for (const { count, replies, resolve } of asked) {
      while (replies.length < count) replies.push(new ConnectionLost(true, this.#lastError));
      resolve(replies);
    }
  }

  #listen(): void {
    this.#silence ??= setTimeout(() => this.#fail(new Error("the server was silent")), this.#silenceMs);
  }

  #stopListening(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  /** Writes blocks with backpressure until the source ends, the server answers early, or the socket closes. */
  async #pump(blocks: AsyncIterable<Buffer>, over: AbortSignal): Promise<void> {
    for await (const block of blocks) {
      if (over.aborted) return;
      if (!this.#stream.write(block)) await this.#drained(over);
    }
  }

  async #drained(over: AbortSignal): Promise<void> {
    const stream = this.#stream;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off("drain", done);
        stream.off("close", done);
        over.removeEventListener("abort", done);
        resolve();
      };
      stream.on("drain", done);
      stream.on("close", done);
      over.addEventListener("abort", done);
      if (over.aborted || stream.destroyed) done();
    });
  }
}
