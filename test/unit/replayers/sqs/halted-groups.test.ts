import { describe, expect, it } from "vitest";
import { HaltedGroups } from "../../../../src/replayers/sqs/halted-groups.js";
import { QueueNotes } from "../../../../src/replayers/sqs/queue-notes.js";
import { MemoryNotebook } from "../../../support/memory-notebook.js";
import { fifoMessage, queueScope } from "../../../support/sqs-records.js";

function processes(mostNotes?: number) {
  const notebook = new MemoryNotebook();
  const next = () => new HaltedGroups(new QueueNotes(notebook, queueScope("q.fifo")), mostNotes);
  return { notebook, next };
}

describe("halted groups", () => {
  it("are known to the next process, whatever characters their names hold, and let the failed message itself pass", async () => {
    const { next } = processes();
    const names = ["a", "a.b", "é 1=2", "x".repeat(128)];
    const first = next();
    for (const [i, name] of names.entries()) await first.halt(name, i + 1);
    const second = next();
    for (const [i, name] of names.entries()) {
      expect(second.has(name, fifoMessage(100, name))).toBe(true);
      expect(second.has(name, fifoMessage(i + 1, name))).toBe(false);
    }
    expect(second.has("b", fifoMessage(100, "b"))).toBe(false);
  });

  it("are noted once each", async () => {
    const { notebook, next } = processes();
    await next().halt("a", 1);
    await next().halt("a", 1);
    expect(notebook.pages.size).toBe(1);
  });

  it("are all of the queue's in the next process where there were too many to note, but for announced messages", async () => {
    const { notebook, next } = processes(3);
    const first = next();
    for (const line of [1, 2, 3, 4, 5]) await first.halt(`g${line}`, line);
    expect(notebook.pages.size).toBe(4);
    expect(first.has("other", fifoMessage(9, "other"))).toBe(false);
    const second = next();
    expect(second.has("g5", fifoMessage(9, "g5"))).toBe(true);
    expect(second.has("other", fifoMessage(9, "other"))).toBe(true);
    expect(second.has("other", fifoMessage(9, "other", { announcedAt: 1 }))).toBe(false);
  });
});
