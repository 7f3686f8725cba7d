import { describe, expect, it } from "vitest";
import type { CheckSink, Dump } from "../../../src/readers/dump.js";
import { RunControl } from "../../../src/run/control.js";
import { check } from "../../../src/run/prepare.js";
import type { ProgressEvent } from "../../../src/run/progress.js";
import { fakeClock } from "../../support/fake-clock.js";
import { settleTurns } from "../../support/fake-replayer.js";

/** A dump whose check is told file by file. */
function checking(files: number): Dump {
  const run = async (onProgress?: CheckSink) => {
    for (let seen = 1; seen <= files; seen++) await onProgress?.({ files: seen, bytes: seen });
    return { files, bytes: files };
  };
  return { check: run } as unknown as Dump;
}

function setUp(onFirst: (control: RunControl) => void) {
  const events: ProgressEvent[] = [];
  const stop = new AbortController();
  const control = new RunControl(fakeClock());
  const report = (event: ProgressEvent) => {
    events.push(event);
    if (events.length === 1) onFirst(control);
  };
  const checked = check(checking(3), { progress: { report }, control, signal: stop.signal });
  return { control, stop, checked, seen: () => events.map(({ type }) => type) };
}

describe("a pause of a check", () => {
  it("is idle once the check waits, and the check goes on behind it", async () => {
    let isIdle = false;
    const { control, checked, seen } = setUp((paused) => {
      paused.pause(() => {
        isIdle = true;
      });
      expect(isIdle).toBe(false);
    });
    await settleTurns();
    expect([isIdle, seen()]).toEqual([true, ["checking"]]);
    control.resume();
    expect(await checked).toEqual({ files: 3, bytes: 3 });
    expect(seen()).toEqual(["checking", "checking", "checking", "checked"]);
  });

  it("ends with the run", async () => {
    const { stop, checked } = setUp((control) => control.pause());
    await settleTurns();
    stop.abort();
    await expect(checked).rejects.toThrow("aborted");
  });
});
