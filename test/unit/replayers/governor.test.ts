import { describe, expect, it } from "vitest";
import { Governor, type Ticket } from "../../../src/replayers/governor.js";
import { settleTurns } from "../../support/fake-replayer.js";

/** Lets `count` requests ask at once; answers tickets of those that were let in. */
async function ask(governor: Governor, count: number, signal?: AbortSignal) {
  const tickets: Ticket[] = [];
  const asked = Array.from({ length: count }, () => governor.enter(signal).then((ticket) => void tickets.push(ticket)));
  for (const each of asked) each.catch(() => undefined);
  await settleTurns();
  return { tickets, asked };
}

describe("requests", () => {
  it("are not held up while none was put off", async () => {
    const { tickets } = await ask(new Governor(), 1000);
    expect(tickets).toHaveLength(1000);
  });

  it("are half as many at once after one was put off, and never none", async () => {
    const governor = new Governor();
    const { tickets } = await ask(governor, 8);
    for (const ticket of tickets) governor.leave(ticket, "put-off");
    // The other seven began before the first complaint: they say the same once more.
    expect(governor.limit).toBe(4);
    const held = await ask(governor, 4);
    expect(held.tickets).toHaveLength(4);
    for (const ticket of held.tickets) governor.leave(ticket, "put-off");
    expect(governor.limit).toBe(2);
    for (let round = 0; round < 3; round++) {
      for (const ticket of (await ask(governor, 1)).tickets) governor.leave(ticket, "put-off");
    }
    expect(governor.limit).toBe(1);
  });

  it("wait in order, and go on as others end", async () => {
    const governor = new Governor();
    const [first, second] = (await ask(governor, 2)).tickets;
    if (first === undefined || second === undefined) throw new Error("not let in");
    governor.leave(first, "put-off");
    expect(governor.limit).toBe(1);
    const { tickets } = await ask(governor, 3);
    expect(tickets).toHaveLength(0);
    governor.leave(second, "other");
    await settleTurns();
    expect(tickets).toHaveLength(1);
  });

  it("grow by one a round of successes, until as many pass as before", async () => {
    const governor = new Governor();
    const { tickets } = await ask(governor, 8);
    for (const ticket of tickets) governor.leave(ticket, "put-off");
    const limits: number[] = [];
    for (let round = 0; round < 4; round++) {
      const passing = await ask(governor, Math.floor(Math.min(governor.limit, 100)));
      for (const ticket of passing.tickets) governor.leave(ticket, "passed");
      limits.push(governor.limit);
    }
    expect(limits[0]).toBeGreaterThan(4.8);
    expect(limits[0]).toBeLessThanOrEqual(5);
    expect(limits.every((limit, i) => i === 0 || limit > (limits[i - 1] ?? 0))).toBe(true);
    for (let round = 0; round < 8 && Number.isFinite(governor.limit); round++) {
      const passing = await ask(governor, Math.floor(governor.limit));
      for (const ticket of passing.tickets) governor.leave(ticket, "passed");
    }
    expect(governor.limit).toBe(Number.POSITIVE_INFINITY);
    expect((await ask(governor, 50)).tickets).toHaveLength(50);
  });

  it("that give up waiting take no place from others", async () => {
    const governor = new Governor();
    const { tickets } = await ask(governor, 2);
    const [first, second] = tickets;
    if (first === undefined || second === undefined) throw new Error("not let in");
    governor.leave(first, "put-off");
    const stop = new AbortController();
    const given = await ask(governor, 1, stop.signal);
    const patient = await ask(governor, 1);
    stop.abort();
    await expect(given.asked[0]).rejects.toThrow();
    governor.leave(second, "other");
    await settleTurns();
    expect(patient.tickets).toHaveLength(1);
    await expect(governor.enter(AbortSignal.abort())).rejects.toThrow();
  });
});
