/** What is learnt of a target, under limits that may change. The target is a fake, whose probe alone is asked. */
import { expect, it } from "vitest";
import type { Capabilities, Replayer } from "../../../src/replayers/replayer.js";
import { NO_NOTEBOOK } from "../../../src/replayers/replayer.js";
import { RunControl } from "../../../src/run/control.js";
import { Replayers } from "../../../src/run/targets.js";
import { fakeClock } from "../../support/fake-clock.js";
import { contextFor } from "../../support/replayer-context.js";

const PROBED: Capabilities = {
  server: "fake",
  batch: { records: 25, bytes: 1_000_000 },
  concurrency: 8,
  canCount: true,
  fallbacks: [],
};

async function probed(control?: RunControl): Promise<Capabilities> {
  const { policy, maxRetryTimeMs, workDirectory } = contextFor("put");
  const replayers = await Replayers.create([], {
    targets: {},
    policy,
    clock: fakeClock(),
    limits: { dynamodb: { opsPerSecond: 1000 } },
    maxRetryTimeMs,
    concurrency: {},
    writeSignal: new AbortController().signal,
    notebook: NO_NOTEBOOK,
    targetName: (_, name) => name,
    selectsKey: () => true,
    empties: false,
    transforms: false,
    dumpPath: "/dump",
    workDirectory,
    ...(control === undefined ? {} : { control }),
  });
  const replayer = { adapter: "dynamodb", probe: () => Promise.resolve(PROBED) };
  return await replayers.probe(replayer as unknown as Replayer);
}

it("batches are no larger than the limits let requests be", async () => {
  expect(await probed()).toMatchObject({ server: "fake", batch: { records: 10, bytes: 1_000_000 }, concurrency: 8 });
});

it("batches and how many are under way follow limits that change", async () => {
  const control = new RunControl(fakeClock());
  const capabilities = await probed(control);
  expect([capabilities.batch.records, capabilities.concurrency]).toEqual([10, 8]);
  control.limitTo({ rates: { all: { opsPerSecond: 300, bytesPerSecond: 5_000 } }, concurrency: { dynamodb: 2 } });
  expect([capabilities.batch, capabilities.concurrency]).toEqual([{ records: 3, bytes: 50 }, 2]);
  // Adapters that a change does not name keep what they have.
  control.limitTo({ rates: {}, concurrency: { s3: 1 } });
  expect([capabilities.batch, capabilities.concurrency]).toEqual([PROBED.batch, 2]);
});
