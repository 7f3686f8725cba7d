import { expect, it } from "vitest";
import type { WritableRecord } from "../../../../src/model/record.js";
import { compared, type Entry } from "../../../../src/run/verify/compared.js";
import { Gate, settleTurns } from "../../../support/fake-replayer.js";
import { itemRecord, tableScope } from "../../../support/records.js";

it("as many batches are compared at once as is said when each is begun", async () => {
  const now = { concurrency: 3 };
  const gates: Gate[] = [];
  const entries = async function* (): AsyncGenerator<Entry<never>> {
    for (let i = 0; i < 8; i++) yield { ask: itemRecord(`k${i}`) as WritableRecord };
  };
  const underWay = { count: 0, most: 0 };
  const compare = async () => {
    underWay.most = Math.max(underWay.most, ++underWay.count);
    const gate = new Gate();
    gates.push(gate);
    await gate.opened;
    underWay.count--;
    return [{ differences: [] }];
  };
  const answers = compared({
    scope: tableScope(),
    entries: entries(),
    verifier: { batch: { records: 1, bytes: 1e9 }, compare },
    comparing: { allowMore: false, toleranceMs: 0, download: false, messages: "no" },
    get concurrency() {
      return now.concurrency;
    },
  });
  const reading = (async () => {
    let count = 0;
    for await (const _ of answers) count++;
    return count;
  })();
  await settleTurns();
  expect(underWay.count).toBe(3);
  Object.assign(now, { concurrency: 1 });
  for (const gate of gates.splice(0)) gate.open();
  await settleTurns();
  underWay.most = 0;
  for (let left = 0; left < 8; left++) {
    for (const gate of gates.splice(0)) gate.open();
    await settleTurns();
  }
  expect(underWay.most).toBe(1);
  expect(await reading).toBe(8);
});
