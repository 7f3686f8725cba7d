/** An SQS queue that answers by script, for tests of sending: it keeps what it was sent and loses what it is told to. */
import { Calls, type Pacer, UNPACED } from "../../src/replayers/calls.js";
import type { Timing } from "../../src/replayers/exchange.js";
import { classifySqsError } from "../../src/replayers/sqs/classify-error.js";
import type { EntryAnswer } from "../../src/replayers/sqs/client.js";
import { md5OfBody } from "../../src/replayers/sqs/digests.js";
import type { Entry } from "../../src/replayers/sqs/send-bodies.js";
import type { Clock } from "../../src/support/clock.js";

/** Answers for a request, or throws as the SDK would. `undefined` for an entry: taken; `unanswered`: the answer does not name it. */
export type Answering = (
  entries: readonly Entry[],
  request: number,
) => readonly (EntryAnswer | "unanswered" | undefined)[] | undefined;

let fakes = 0;

export class FakeSqs {
  readonly #number = ++fakes;
  readonly endpoint = "http://fake";
  readonly sends: Calls;
  /** Bodies of each request, in order. */
  readonly requests: string[][] = [];
  readonly entries: Entry[][] = [];
  /** How many messages each request holds, also while it waits for the time to go out. */
  readonly prepared: number[] = [];
  readonly #answering: Answering;
  #messages = 0;

  constructor(
    clock: Clock,
    answering: Answering = () => undefined,
    maxRetryTimeMs = 600_000,
    signal: AbortSignal | undefined = undefined,
    pacer: Pacer = UNPACED,
  ) {
    this.#answering = answering;
    this.sends = new Calls({
      adapter: "sqs",
      endpoint: this.endpoint,
      clock,
      maxRetryTimeMs,
      pacer,
      ...(signal === undefined ? {} : { signal }),
      classify: (error, operation) => classifySqsError(error, operation, { adapter: "sqs", endpoint: this.endpoint }),
    });
  }

  async sendOnce(_url: string, entries: readonly Entry[], timing: Timing = {}): Promise<(EntryAnswer | undefined)[]> {
    this.prepared.push(entries.length);
    if (timing.sendAfter !== undefined) await timing.sendAfter;
    this.requests.push(entries.map(({ body }) => body));
    this.entries.push([...entries]);
    timing.meanwhile?.();
    const answers = this.#answering(entries, this.requests.length - 1) ?? [];
    return entries.map((entry, i) => {
      const answer = answers[i] ?? this.taken(entry);
      return answer === "unanswered" ? undefined : answer;
    });
  }

  /** The answer of a queue that took the entry as it was sent. */
  taken({ body }: Entry, sequence?: bigint): EntryAnswer {
    const messageId = `id-${this.#number}-${++this.#messages}`;
    return {
      sent: { messageId, bodyMd5: md5OfBody(Buffer.from(body)), ...(sequence === undefined ? {} : { sequence }) },
    };
  }
}

/** As the SDK throws it when the connection breaks before the answer. */
export function lostReply(): Error {
  return Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
}

/** As the SDK throws an answer of the service. */
export function serviceError(name: string, status = 400, message = "no"): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

export function putOff(code = "ThrottlingException"): EntryAnswer {
  return { refused: { code, message: "slow down", senderFault: false } };
}

export function refused(code = "InvalidMessageContents"): EntryAnswer {
  return { refused: { code, message: "not this", senderFault: true } };
}
