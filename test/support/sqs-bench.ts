/** An SQS server for one suite with replayers on it, and the engine's way of restoring a queue. */
import { afterAll, afterEach, beforeAll } from "vitest";
import type { Outcome } from "../../src/model/outcome.js";
import type { MessageRecord } from "../../src/model/record.js";
import type { QueueScope } from "../../src/model/scope.js";
import { modeByName } from "../../src/modes/by-name.js";
import type { ModeName } from "../../src/modes/mode.js";
import type { Replayer, ReplayerContext } from "../../src/replayers/replayer.js";
import { createSqsReplayer, type SqsTarget } from "../../src/replayers/sqs/replayer.js";
import { Ledger } from "../../src/run/ledger.js";
import { runScope } from "../../src/run/scope-runner.js";
import { systemClock } from "../../src/support/clock.js";
import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";
import { memoryJournal } from "./memory-journal.js";
import { type ContractServer, started } from "./servers/contract-server.js";
import { elasticMq } from "./servers/sqs.js";
import { Queues } from "./sqs-queues.js";
import { contextFor, streamOf } from "./sqs-records.js";

export interface SqsBench {
  readonly endpoint: string;
  readonly queues: Queues;
  /** Closed after the test. Does not wait after a purge unless told to. */
  replayerFor(mode: ModeName, target?: Partial<SqsTarget>, context?: Partial<ReplayerContext>): Replayer<"sqs">;
  uniqueName(suffix?: string): string;
}

/** Registers the hooks that start and stop the server. */
export function sqsBench(server: ContractServer = elasticMq): SqsBench {
  const running = started(server);
  let queues: Queues | undefined;
  const open: Replayer<"sqs">[] = [];
  let names = 0;
  beforeAll(() => {
    queues = new Queues(running());
  });
  afterEach(async () => {
    for (const replayer of open.splice(0)) await replayer.close();
  });
  afterAll(() => queues?.destroy());
  return {
    get endpoint() {
      return running().endpoint;
    },
    get queues() {
      if (queues === undefined) throw new Error("the server is not up yet");
      return queues;
    },
    replayerFor(mode, target = {}, context = {}) {
      const { endpoint, credentials = LOCAL_CREDENTIALS } = running();
      const replayer = createSqsReplayer(
        { endpoint: { url: endpoint }, credentials, purgeWaitMs: 0, targetNameOf: (name) => name, ...target },
        contextFor(mode, context),
      );
      open.push(replayer);
      return replayer;
    },
    uniqueName: (suffix = "") => `q-${process.pid}-${systemClock.now()}-${++names}${suffix}`,
  };
}

export interface Restored {
  readonly decision: string;
  readonly warnings: readonly string[];
  readonly totals: Ledger["totals"] extends () => infer T ? T : never;
  /** By line. */
  readonly outcomes: ReadonlyMap<number, Outcome>;
  readonly notes: ReadonlyMap<string, number>;
}

/** What the engine does with one queue, from inspection to finish. A queue that is refused or skipped stays untouched. */
export async function restore(
  replayer: Replayer<"sqs">,
  scope: QueueScope,
  records: readonly MessageRecord[],
  mode: ModeName,
): Promise<Restored> {
  const capabilities = await replayer.probe();
  const state = await replayer.inspect(scope, () => streamOf(records));
  const decision = modeByName(mode).onScope("sqs", state.presence);
  const outcomes = new Map<number, Outcome>();
  const ledger = new Ledger({ report: () => undefined });
  const warnings: string[] = [...state.warnings];
  const restored = { decision, warnings, outcomes, notes: ledger.scope(scope).tally.notes };
  if (decision === "refuse" || decision === "skip") return { ...restored, totals: ledger.totals() };
  const prepared =
    decision === "create"
      ? await replayer.create(scope)
      : decision === "empty"
        ? await replayer.empty(scope)
        : await replayer.keep(scope, state);
  warnings.push(...prepared.warnings);
  await runScope({
    scope,
    batches: streamOf([records]),
    replayer: {
      write: async (written, batch) => {
        const results = await replayer.write(written as QueueScope, batch as MessageRecord[]);
        results.forEach((outcome, i) => {
          outcomes.set(batch[i]?.place.line ?? 0, outcome);
        });
        return results;
      },
    },
    capabilities,
    journal: memoryJournal([scope]).journal.records(scope),
    firstSequence: 0,
    workedMs: () => 0,
    ledger: ledger.scope(scope),
  });
  ledger.assertComplete();
  warnings.push(...(await replayer.finish(scope)).warnings);
  return { ...restored, totals: ledger.totals() };
}
