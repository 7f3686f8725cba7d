import { describe, expect, it } from "vitest";
import { EarlierIds } from "../../../../src/replayers/sqs/earlier-ids.js";
import { QueueNotes } from "../../../../src/replayers/sqs/queue-notes.js";
import { fakeClock } from "../../../support/fake-clock.js";
import { MemoryNotebook } from "../../../support/memory-notebook.js";
import { fifoMessage, queueScope } from "../../../support/sqs-records.js";

function job() {
  const clock = fakeClock();
  const notebook = new MemoryNotebook();
  const notes = new QueueNotes(notebook, queueScope("q.fifo"));
  const suspectSince = clock.now();
  return { clock, notebook, notes, suspectSince, next: () => new EarlierIds({ notes, clock, suspectSince }) };
}

const at = (line: number) => fifoMessage(line, "g");

describe("notes on how messages go", () => {
  it("are found by every later process, whatever place the ones between use, and the latest holds", async () => {
    const { next } = job();
    await next().note(0, [
      [1, "made"],
      [2, 18_849_496_460_467_696_128n],
    ]);
    const second = next();
    await second.note(0, [[3, 7n]]);
    await second.note(1, [[2, "made"]]);
    const third = next();
    expect([1, 2, 3, 4].map((line) => third.sentAs(at(line)))).toEqual(["made", "made", 7n, undefined]);
  });

  it("hold by the number of the process, not by its digits", async () => {
    const { next } = job();
    for (let process = 1; process <= 11; process++) await next().note(0, [[1, BigInt(process)]]);
    expect(next().sentAs(at(1))).toBe(11n);
  });

  it("take places that were given back", () => {
    const earlier = job().next();
    expect([earlier.takeSlot(), earlier.takeSlot(), earlier.takeSlot()]).toEqual([0, 1, 2]);
    earlier.giveBack(1);
    expect([earlier.takeSlot(), earlier.takeSlot()]).toEqual([1, 3]);
  });
});

describe("a queue that may remember ids of an earlier run", () => {
  it("is one for five and a half minutes, which is noted before it counts as over", async () => {
    const { clock, notebook, notes, suspectSince, next } = job();
    await notes.noteTakeover("keep", suspectSince);
    const earlier = next();
    clock.advance(5.5 * 60_000 - 1);
    expect([await earlier.isSuspect(), notes.suspectSince]).toEqual([true, suspectSince]);
    clock.advance(1);
    notebook.beforeNote = () => {
      throw new Error("disk full");
    };
    await expect(earlier.isSuspect()).rejects.toThrow("disk full");
    notebook.beforeNote = () => undefined;
    expect([await earlier.isSuspect(), notes.suspectSince]).toEqual([false, undefined]);
  });
});
