import { expect, it } from "vitest";
import { Changes } from "../../../../src/daemon/jobs/changes.js";
import type { JobState } from "../../../../src/daemon/schema/job.js";
import { jobView } from "../../../support/job-records.js";

const change = (id: number, state: JobState) => jobView({ id: id.toString(16).padStart(16, "0"), state });

async function taken(changes: AsyncGenerator<{ id: string; state: string }>, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const { value } = await changes.next();
    seen.push(`${Number.parseInt((value as { id: string }).id, 16)} ${(value as { state: string }).state}`);
  }
  return seen;
}

it("everyone who follows is told of every change from then on", async () => {
  const changes = new Changes();
  changes.tell(change(1, "queued"));
  const end = new AbortController();
  const [one, two] = [changes.follow(end.signal), changes.follow(end.signal)];
  const first = Promise.all([taken(one, 2), taken(two, 2)]);
  changes.tell(change(1, "running"));
  changes.tell(change(1, "finished"));
  expect(await first).toEqual([
    ["1 running", "1 finished"],
    ["1 running", "1 finished"],
  ]);
  const waiting = one.next();
  end.abort();
  expect(await waiting).toMatchObject({ done: true });
});

it("a slow one is told of each job's last state, and little is kept for it", async () => {
  const changes = new Changes(4);
  const slow = changes.follow(AbortSignal.timeout(10_000));
  const first = slow.next();
  changes.tell(change(1, "queued"));
  await first;
  for (let i = 0; i < 1_000; i++) {
    changes.tell(change(1, i % 2 === 0 ? "running" : "paused"));
    if (i === 500) changes.tell(change(2, "queued"));
  }
  changes.tell(change(1, "finished"));
  const seen: string[] = [];
  while (seen.at(-1) !== "1 finished") seen.push(...(await taken(slow, 1)));
  expect(seen).toContain("2 queued");
  expect(seen.length).toBeLessThanOrEqual(5);
});
