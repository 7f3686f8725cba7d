/**
 * One database of the target: the requests of many records over its wire, and large values beside them. On a cluster
 * there is but one.
 */
import type { RestoreError } from "../../errors/restore-error.js";
import type { Calls } from "../calls.js";
import { classifyRedisError } from "./classify-error.js";
import type { Command, Reply, StreamedArgument } from "./connection.js";
import { Link } from "./link.js";
import { PlainWriter } from "./plain.js";
import { WholeWriter } from "./whole.js";
import type { Wire } from "./wire.js";

interface DatabaseInit {
  readonly wire: Wire;
  readonly calls: Calls;
  readonly scope: string;
}

/** How long an answer to an announced size is waited for, once a connection broke. */
const REFUSAL_PAUSE_MS = 500;

export class Database {
  readonly link: Link;
  readonly whole: WholeWriter;
  readonly plain: PlainWriter;
  readonly #init: DatabaseInit;

  constructor(init: DatabaseInit) {
    this.#init = init;
    const { wire, calls, scope } = init;
    const classify = (error: unknown, operation: string): RestoreError =>
      classifyRedisError(error, operation, { endpoint: calls.endpoint });
    this.link = new Link({ wire, calls, classify, scope });
    this.whole = new WholeWriter(this.link);
    this.plain = new PlainWriter(this.link);
  }

  /**
   * Sends a command with a value that is read while it is sent. Starts over with a new connection when one breaks.
   * @throws RestoreError as `Calls.run`, CHANGED_AFTER_CHECK, and RECORD_REFUSED when the server refuses the value
   */
  async sendStreamed(command: () => Command, value: StreamedArgument, repeatable: boolean): Promise<Reply> {
    const operation = command().name;
    const { calls, scope, wire } = this.#init;
    let attempts = 0;
    return await calls.run({ operation, scope, bytes: value.size, repeatable }, async () => {
      // A first connection that broke may have been cut by a server that refuses the size.
      const pause = attempts++ === 0 ? undefined : () => calls.clock.sleep(REFUSAL_PAUSE_MS);
      const reply = await wire.sendStreamed(command(), value, pause);
      if (reply instanceof Error) throw reply;
      return reply;
    });
  }

  close(): void {
    this.#init.wire.close();
  }
}
