/** A job that fills a queue, process after process: replayers that share its id and its notes. */
import type { Outcome } from "../../src/model/outcome.js";
import type { MessageRecord } from "../../src/model/record.js";
import type { QueueScope } from "../../src/model/scope.js";
import type { ModeName } from "../../src/modes/mode.js";
import type { Replayer, ReplayerContext } from "../../src/replayers/replayer.js";
import type { SqsTarget } from "../../src/replayers/sqs/replayer.js";
import { systemClock } from "../../src/support/clock.js";
import { MemoryNotebook } from "./memory-notebook.js";
import type { SqsBench } from "./sqs-bench.js";
import { policyOf, streamOf } from "./sqs-records.js";

export interface SqsJobInit {
  readonly scope: QueueScope;
  readonly records: readonly MessageRecord[];
  readonly mode?: ModeName;
  readonly target?: Partial<SqsTarget>;
  readonly context?: Partial<ReplayerContext>;
}

type Takeover = "create" | "empty" | "keep";

export class SqsJob {
  readonly #bench: SqsBench;
  readonly #init: SqsJobInit;
  readonly #notebook = new MemoryNotebook();

  constructor(bench: SqsBench, init: SqsJobInit) {
    this.#bench = bench;
    this.#init = init;
  }

  /** A process that has looked at the queue, and no more. `target`: where it differs from the job's others. */
  async process(target: Partial<SqsTarget> = {}): Promise<Replayer<"sqs">> {
    const { scope, records, mode = "none", context } = this.#init;
    const policy = policyOf(mode, "00000000000000cc");
    const replayer = this.#bench.replayerFor(
      mode,
      { ...this.#init.target, ...target },
      { policy, notebook: this.#notebook, clock: systemClock, ...context },
    );
    await replayer.inspect(scope, () => streamOf(records));
    return replayer;
  }

  /** The first process, with the queue made ready. */
  async begin(how: Takeover): Promise<Replayer<"sqs">> {
    const replayer = await this.process();
    const { scope } = this.#init;
    if (how === "keep") await replayer.keep(scope, { presence: "empty", warnings: [] });
    else await replayer[how](scope);
    return replayer;
  }

  /** A later process, with the queue taken up. */
  async takeUp(how: Takeover, target: Partial<SqsTarget> = {}): Promise<Replayer<"sqs">> {
    const replayer = await this.process(target);
    await replayer.reopen?.(this.#init.scope, how);
    return replayer;
  }
}

/** As the engine hands on what an earlier process announced. */
export function announced(records: readonly MessageRecord[], agoMs = 100): MessageRecord[] {
  return records.map((record) => ({ ...record, announcedAt: systemClock.now() - agoMs }));
}

export function all<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

export function kindsOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.map(({ kind }) => kind);
}
