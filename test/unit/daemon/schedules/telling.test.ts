import { expect, test } from "vitest";
import { messagesOf } from "../../../../src/daemon/schedules/telling.js";
import { type Run, type RunOutcome, webhookBodySchema } from "../../../../src/daemon/schema/schedule.js";

function run(outcome: RunOutcome, more: Partial<Run> = {}): Run {
  const given = {
    id: "00000000000000ff",
    schedule: "nightly",
    by: "schedule:nightly",
    due: "2026-01-10T02:00:00.000Z",
  };
  return { ...given, trigger: "due", state: "ended", outcome, ...more };
}

const dump = { root: "backups", path: "2026/01/10" };
const settings = { kind: "drill", root: "backups", notify: ["ops"], notifySuccess: false } as const;

function told(ended: Run, before: readonly Run[] = [], more: { notify?: string[]; notifySuccess?: boolean } = {}) {
  const telling = { name: "nightly", settings: { ...settings, notify: ["ops"], ...more }, host: "rescue-1" };
  return messagesOf({ ...telling, run: ended, before }).map(({ body, ...message }) => ({
    ...message,
    body: webhookBodySchema.parse(JSON.parse(body)),
  }));
}

const events = (...given: Parameters<typeof told>) => told(...given).map(({ body }) => body.event);

test("a run that failed or was refused is told, also when the one before had failed", () => {
  expect(events(run("failed"), [run("failed")])).toEqual(["run-failed"]);
  expect(events(run("refused"))).toEqual(["run-failed"]);
});

test("a missed objective is told", () => {
  expect(events(run("objective-missed"))).toEqual(["objective-missed"]);
});

test("the first run that passes after one that did not is told, whatever was skipped between", () => {
  expect(events(run("passed"), [run("skipped"), run("cancelled"), run("objective-missed")])).toEqual(["recovered"]);
});

test("a run that passes is told where that is wanted, and not twice when it is a recovery", () => {
  expect(events(run("passed"), [run("passed")])).toEqual([]);
  expect(events(run("passed"), [run("passed")], { notifySuccess: true })).toEqual(["run-passed"]);
  expect(events(run("passed"), [run("failed")], { notifySuccess: true })).toEqual(["recovered"]);
});

test("a run that was left out is told, under an id that its due time makes", () => {
  const [first] = told(run("skipped", { reason: "the run before was under way" }));
  expect(first?.body).toMatchObject({
    event: "run-skipped",
    text: expect.stringMatching(/was not run: the run before/),
  });
  expect(told(run("skipped", { id: "00000000000000fe" }))[0]?.id).toBe(first?.id);
  expect(told(run("skipped", { due: "2026-01-11T02:00:00.000Z" }))[0]?.id).not.toBe(first?.id);
});

test("cancelled runs are not told", () => {
  expect(events(run("cancelled"), [run("failed")], { notifySuccess: true })).toEqual([]);
});

test("each webhook is told once, under an id that is the same however often it is asked for", () => {
  const notify = ["ops", "pager", "ops"];
  const first = told(run("failed"), [], { notify });
  expect(first.map(({ webhook }) => webhook)).toEqual(["ops", "pager"]);
  expect(told(run("failed"), [], { notify })).toEqual(first);
  expect(new Set([...first, ...told(run("failed", { id: "00000000000000fe" }))].map(({ id }) => id)).size).toBe(3);
  expect(first[0]?.body.id).toBe(first[0]?.id);
});

test("the text says what failed: the error, or else all that was not as it should be", () => {
  const error = { code: "DUMP_NOT_FOUND", message: "no dump stands under /backups" };
  expect(told(run("refused", { error }))[0]?.body.text).toBe(
    'drill "nightly" on rescue-1 failed: no dump stands under /backups (DUMP_NOT_FOUND)',
  );
  const objectives = { recoveryTime: { ms: 90_000, maxMs: 60_000, met: false } };
  expect(
    told(run("failed", { dump, objectives, failures: ["it does not hold: orders are whole"] }))[0]?.body.text,
  ).toBe(
    'drill "nightly" on rescue-1 failed (backups/2026/01/10): it does not hold: orders are whole; the restore took 90 s, at most 60 s were allowed',
  );
  expect(told(run("failed", { verdict: "incomplete" }))[0]?.body.text).toMatch(/failed: incomplete$/);
});

test("the text of a missed objective says by how much", () => {
  const objectives = {
    recoveryPoint: { ms: 90_040, maxMs: 60_000, met: false },
    recoveryTime: { maxMs: 1, met: true },
  };
  expect(told(run("objective-missed", { dump, objectives }))[0]?.body.text).toBe(
    'drill "nightly" on rescue-1 missed its objective (backups/2026/01/10): the dump was 90 s old, at most 60 s were allowed',
  );
});

test("a recovery says since when runs had failed, and so does a failure", () => {
  const before = [
    run("failed", { due: "2026-01-09T02:00:00.000Z" }),
    run("failed", { due: "2026-01-08T02:00:00.000Z" }),
  ];
  expect(told(run("passed"), before)[0]?.body).toMatchObject({
    failingSince: "2026-01-08T02:00:00.000Z",
    text: 'drill "nightly" on rescue-1 passed again; it had not since 2026-01-08T02:00:00.000Z',
  });
  expect(told(run("failed"), before)[0]?.body.failingSince).toBe("2026-01-08T02:00:00.000Z");
  expect(told(run("failed"))[0]?.body.failingSince).toBe("2026-01-10T02:00:00.000Z");
});
