/**
 * Requests of many records over one wire. What is asked for within one turn of the event loop leaves as one
 * pipeline, paced and retried by `Calls`; each request gets its own answers.
 *
 * A pipeline that breaks tells nothing about the commands without answer. Requests that may be repeated are sent again,
 * others end with REPLY_LOST, and their record has to look at the target.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Packed } from "../../model/record.js";
import type { Calls, Portion } from "../calls.js";
import { ConnectionLost, isReplyError, replyError } from "./classify-error.js";
import type { Command, Reply } from "./connection.js";
import type { Arguments } from "./resp.js";
import type { Shard, Wire } from "./wire.js";

interface LinkRequest {
  /** Asked before every attempt, because remaining times are computed at the moment of the write. */
  readonly build: () => readonly Command[];
  /** False where a request that may have been applied must not be sent again. Default true. */
  readonly repeatable?: boolean;
  /** What it counts for in the rate limit; default: its commands. */
  readonly ops?: number;
}

interface Pending {
  readonly request: LinkRequest;
  commands: readonly Command[];
  readonly resolve: (replies: Reply[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks one command at a time. */
export type Asker = Pick<Link, "command">;

/** What the writing and the comparing of one record ask of a link. */
export type Requests = Pick<Link, "command" | "request" | "classify" | "clustered">;

const PIPELINE_BYTES = 4 * 1024 * 1024;
const PIPELINE_REQUESTS = 500;

export class Link {
  readonly #wire: Wire;
  readonly #calls: Calls;
  readonly #classify: (error: unknown, operation: string) => RestoreError;
  readonly #scope: string;
  #waiting: Pending[] = [];
  #scheduled = false;

  constructor(init: {
    readonly wire: Wire;
    readonly calls: Calls;
    readonly classify: (error: unknown, operation: string) => RestoreError;
    readonly scope: string;
  }) {
    this.#wire = init.wire;
    this.#calls = init.calls;
    this.#classify = init.classify;
    this.#scope = init.scope;
  }

  /**
   * One reply a command; error replies that refuse the command are Errors among them.
   * @throws RestoreError REPLY_LOST, CALL_FAILED, or what ends the run (OUTAGE, TARGET_FULL, TARGET_CREDENTIALS)
   */
  async request(request: LinkRequest): Promise<Reply[]> {
    return await new Promise<Reply[]>((resolve, reject) => {
      this.#waiting.push({ request, commands: [], resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  /** A request of one command. @throws also RECORD_REFUSED, when the server refuses it */
  async command(name: string, args: Command["args"], options: { readonly repeatable?: boolean } = {}): Promise<Reply> {
    const [reply = null] = await this.request({ build: () => [{ name, args }], ...options });
    if (reply instanceof Error) throw this.#classify(reply, name);
    return reply;
  }

  /**
   * Asks for many records at once, in as many attempts as it takes: what `settle` does not find answered is built again.
   * The replies of an attempt are all there; `settle` keeps what it learns and tells an error when something is left.
   * @throws RestoreError as `Calls.run`
   */
  async together(asking: {
    readonly ops: number;
    readonly bytes: number;
    readonly build: () => readonly Command[];
    readonly settle: (replies: readonly Reply[]) => RestoreError | undefined;
  }): Promise<void> {
    const { ops, bytes, build, settle } = asking;
    await this.#calls.run({ operation: "pipeline", scope: this.#scope, ops, bytes }, async () => {
      const commands = build();
      const error = commands.length === 0 ? undefined : settle(await this.#wire.exchange(commands));
      if (error !== undefined) throw error;
    });
  }

  /** The most that one paced exchange should ask for. */
  get portion(): Portion {
    return this.#calls.portion;
  }

  /** The commands of this one go to one of the nodes, whatever they name. */
  at(shard: Shard): Asker {
    if (shard === undefined) return this;
    return {
      command: async (name, args, options) => {
        const [reply = null] = await this.request({ build: () => [{ name, args, slot: shard }], ...options });
        if (reply instanceof Error) throw this.#classify(reply, name);
        return reply;
      },
    };
  }

  /** Every node that holds keys. @throws RestoreError as `request` */
  async shards(): Promise<readonly Shard[]> {
    return await this.#ofWire("CLUSTER SLOTS", async () => await this.#wire.shards());
  }

  /** Another text than before: keys may have come under another node meanwhile. @throws RestoreError as `request` */
  async layout(): Promise<string> {
    return await this.#ofWire("CLUSTER SLOTS", async () => await this.#wire.layout());
  }

  /** Whether commands may name keys of one slot only. */
  get clustered(): boolean {
    return this.#wire.clustered;
  }

  /** What an error reply means. */
  classify(error: Error, operation: string): RestoreError {
    return this.#classify(error, operation);
  }

  async #ofWire<T>(operation: string, ask: () => Promise<T>): Promise<T> {
    return this.clustered ? await this.#calls.run({ operation, scope: this.#scope }, ask) : await ask();
  }

  #flush(): void {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    let pipeline: Pending[] = [];
    let [ops, bytes] = [0, 0];
    const most = this.#calls.portion;
    const mostBytes = Math.min(PIPELINE_BYTES, most.bytes);
    for (const pending of waiting) {
      try {
        pending.commands = pending.request.build();
      } catch (error) {
        pending.reject(error);
        continue;
      }
      const size = bytesOf(pending.commands);
      const count = opsOf(pending);
      const isFull = pipeline.length >= PIPELINE_REQUESTS || bytes + size > mostBytes || ops + count > most.ops;
      if (pipeline.length > 0 && isFull) {
        void this.#send(pipeline);
        pipeline = [];
        [ops, bytes] = [0, 0];
      }
      pipeline.push(pending);
      ops += count;
      bytes += size;
    }
    if (pipeline.length > 0) void this.#send(pipeline);
  }

  /** Settles every request of the pipeline. */
  async #send(pipeline: readonly Pending[]): Promise<void> {
    let open = pipeline;
    const operation = operationOf(pipeline);
    try {
      await this.#calls.run(
        {
          operation,
          scope: this.#scope,
          ops: () => sum(open, opsOf),
          bytes: () => sum(open, ({ commands }) => bytesOf(commands)),
        },
        async () => {
          // Again, for the wait for permission may have been long.
          for (const pending of open) pending.commands = pending.request.build();
          const replies = await this.#wire.exchange(open.flatMap(({ commands }) => commands));
          const { left, error } = this.#settle(open, replies, operation);
          open = left;
          if (error !== undefined) throw error;
        },
      );
    } catch (error) {
      for (const pending of open) pending.reject(error);
    }
  }

  /** Hands out answers; what has to be sent again is left, with the error that says why. */
  #settle(open: readonly Pending[], replies: readonly Reply[], operation: string): Unsettled {
    const left: Pending[] = [];
    let error: RestoreError | undefined;
    let at = 0;
    for (const pending of open) {
      const own = replies.slice(at, at + pending.commands.length);
      at += pending.commands.length;
      const trouble = this.#troubleIn(pending, own, operation);
      if (trouble === undefined) pending.resolve(own);
      else if (trouble.reason === "reply-lost" && pending.request.repeatable === false) {
        pending.reject(replyLost(operation));
        error = worse(error, trouble);
      } else {
        left.push(pending);
        error = worse(error, trouble);
      }
    }
    return { left, error: left.length > 0 ? error : undefined };
  }

  /** An answer after which the request is not done: put off, lost, or fatal for the run. */
  #troubleIn({ commands }: Pending, replies: readonly Reply[], operation: string): RestoreError | undefined {
    for (const error of replies.flatMap((reply, i) => errorsIn(reply, commands[i]))) {
      const classified = this.#classify(error, operation);
      if (classified.retry !== "no" || !(error instanceof ConnectionLost || isReplyError(error))) return classified;
    }
    return undefined;
  }
}

/**
 * The reply's own error, or the refusals that a script hands on as words behind a `!`. A server refuses for a state that
 * passes (a failover, too few replicas) before a script's first write, so nothing of the call was applied.
 */
function errorsIn(reply: Reply, command: Command | undefined): Error[] {
  if (reply instanceof Error) return [reply];
  if (command?.name !== "EVAL") return [];
  const words: readonly unknown[] = Array.isArray(reply) ? reply : [reply];
  return words
    .filter((word): word is Buffer => Buffer.isBuffer(word) && word.toString("latin1", 0, 1) === "!")
    .map((word) => replyError(word.toString().slice(1)));
}

interface Unsettled {
  readonly left: readonly Pending[];
  readonly error: RestoreError | undefined;
}

export function replyLost(operation: string): RestoreError {
  return new RestoreError("REPLY_LOST", `the answer to ${operation} was lost`, { retry: "no", reason: "reply-lost" });
}

/** A fatal error outweighs one that passes. */
function worse(a: RestoreError | undefined, b: RestoreError): RestoreError {
  return a === undefined || (a.retry !== "fatal" && b.retry === "fatal") ? b : a;
}

function operationOf(pipeline: readonly Pending[]): string {
  const names = new Set(pipeline.flatMap(({ commands }) => commands.map(({ name }) => name)));
  return names.size === 1 ? ([...names][0] ?? "pipeline") : "pipeline";
}

function opsOf({ request, commands }: Pending): number {
  return request.ops ?? commands.length;
}

function bytesOf(commands: readonly Command[]): number {
  return sum(commands, (command) => bytesIn(command) + sum(command.more ?? [], bytesIn));
}

function bytesIn({ args, packed }: Arguments): number {
  return sum(args, (arg) => arg.length) + (packed === undefined ? 0 : sizeOf(packed));
}

function sizeOf({ ranges }: Packed): number {
  let size = 0;
  for (let i = 0; i + 1 < ranges.length; i += 2) size += (ranges[i + 1] ?? 0) - (ranges[i] ?? 0);
  return size;
}

function sum<T>(values: readonly T[], value: (one: T) => number): number {
  return values.reduce((total, one) => total + value(one), 0);
}
