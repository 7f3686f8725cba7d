/**
 * Writes small records, many in one script call: each is one atomic step with its condition and its expiry, and on
 * elastickv, where every command is a commit of its own, a call of fifty costs little more than a call of one.
 *
 * Records that come within one turn of the event loop share a call. A call that may not be repeated holds no others, and
 * on a cluster a record has a call of its own: hardly two are in one slot, and while a slot moves, a call may end half-way.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Note } from "../../model/outcome.js";
import { type Moment, notesOf, scriptArgs } from "./expiry.js";
import type { Link } from "./link.js";
import { type ScriptMode, WRITE_WHOLE } from "./scripts.js";

interface WholeRecord {
  readonly key: Buffer;
  readonly temporary: Buffer;
  readonly mode: ScriptMode;
  /** What TYPE says of such a key. */
  readonly kind: string;
  readonly command: "SET" | "HSET" | "RPUSH" | "SADD" | "ZADD" | "PFADD";
  /** The command's arguments behind the key. At most about 2,000. */
  readonly args: readonly Buffer[];
  /** As `Abilities.deleteLimit`: the same for all. */
  readonly deleteLimit: number | undefined;
  /** Asked at the moment of each attempt. */
  readonly moment: () => Moment;
}

interface WholeAnswer {
  /** A word of the script but `again`, or `expired`. */
  readonly word: string;
  readonly notes: readonly Note[];
}

interface Waiting {
  readonly record: WholeRecord;
  readonly bytes: number;
  moment: Moment;
  readonly resolve: (answer: WholeAnswer) => void;
  readonly reject: (error: unknown) => void;
}

const CALL_RECORDS = 50;
const CALL_BYTES = 256 * 1024;

export class WholeWriter {
  readonly #link: Link;
  #waiting: Waiting[] = [];
  #scheduled = false;

  constructor(link: Link) {
    this.#link = link;
  }

  /** @throws RestoreError as `Link.request`, and RECORD_REFUSED when the server refuses the call */
  async write(record: WholeRecord): Promise<WholeAnswer> {
    for (;;) {
      const answer = await this.#queue(record);
      if (answer.word !== "again") return answer;
    }
  }

  async #queue(record: WholeRecord): Promise<WholeAnswer> {
    return await new Promise<WholeAnswer>((resolve, reject) => {
      const bytes = record.args.reduce((total, arg) => total + arg.length, record.key.length);
      this.#waiting.push({ record, bytes, moment: { how: "N" }, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const conditional = waiting.filter(({ record }) => record.mode === "absent");
    const repeatable = waiting.filter(({ record }) => record.mode !== "absent");
    const records = this.#link.clustered ? 1 : CALL_RECORDS;
    for (const call of [...callsOf(conditional, records), ...callsOf(repeatable, records)]) void this.#send(call);
  }

  async #send(call: readonly Waiting[]): Promise<void> {
    try {
      const [reply] = await this.#link.request({
        build: () => {
          for (const waiting of call) waiting.moment = waiting.record.moment();
          const live = call.filter(isLive);
          return live.length === 0 ? [] : [{ name: "EVAL", args: scriptCall(live) }];
        },
        repeatable: call[0]?.record.mode !== "absent",
        ops: call.length,
      });
      if (!(reply instanceof Error)) this.#hand(call, reply);
      // One record can spoil a call that commits as a whole: nothing of it is applied then.
      else if (call.length > 1) await Promise.all(call.map((waiting) => this.#send([waiting])));
      else throw this.#link.classify(reply, call[0]?.record.command ?? "EVAL");
    } catch (error) {
      for (const waiting of call) waiting.reject(error);
    }
  }

  #hand(call: readonly Waiting[], reply: unknown): void {
    const words = Array.isArray(reply) ? reply.map(String) : [];
    let at = 0;
    for (const waiting of call) {
      const word = isLive(waiting) ? words[at++] : "expired";
      if (word === undefined) waiting.reject(new RestoreError("CALL_FAILED", "EVAL: an answer is missing"));
      else waiting.resolve({ word, notes: notesOf(waiting.moment) });
    }
  }
}

function isLive({ moment }: Waiting): boolean {
  return moment.how !== "skip";
}

function* callsOf(waiting: readonly Waiting[], records: number): Generator<readonly Waiting[]> {
  let call: Waiting[] = [];
  let bytes = 0;
  for (const one of waiting) {
    if (call.length > 0 && (call.length >= records || bytes + one.bytes > CALL_BYTES)) {
      yield call;
      call = [];
      bytes = 0;
    }
    call.push(one);
    bytes += one.bytes;
  }
  if (call.length > 0) yield call;
}

function scriptCall(call: readonly Waiting[]): (string | Buffer)[] {
  return [
    WRITE_WHOLE,
    String(call.length * 2),
    ...call.flatMap(({ record }) => [record.key, record.temporary]),
    String(call[0]?.record.deleteLimit ?? ""),
    ...call.flatMap(({ record: { mode, kind, command, args }, moment }) => [
      mode,
      kind,
      command,
      ...scriptArgs(moment),
      String(args.length),
      ...args,
    ]),
  ];
}
