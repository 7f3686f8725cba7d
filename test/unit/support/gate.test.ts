import { describe, expect, it } from "vitest";
import { Gate } from "../../../src/support/gate.js";

function passing(gate: Gate, signal?: AbortSignal) {
  const state = { end: "waits" };
  gate.pass(signal).then(
    () => {
      state.end = "passed";
    },
    (error: unknown) => {
      state.end = (error as Error).name;
    },
  );
  return state;
}

const turn = async () => await new Promise((resolve) => setImmediate(resolve));

describe("a gate", () => {
  it("is open at first, and passed at once", async () => {
    const one = passing(new Gate());
    await turn();
    expect(one.end).toBe("passed");
  });

  it("that is closed is waited at, until it opens", async () => {
    const gate = new Gate();
    gate.close();
    const all = [passing(gate), passing(gate)];
    await turn();
    expect([gate.isOpen, ...all.map(({ end }) => end)]).toEqual([false, "waits", "waits"]);
    gate.open();
    await turn();
    expect([gate.isOpen, ...all.map(({ end }) => end)]).toEqual([true, "passed", "passed"]);
  });

  it("that is closed again before they have left keeps them", async () => {
    const gate = new Gate();
    gate.close();
    const one = passing(gate);
    await turn();
    gate.open();
    gate.close();
    await turn();
    expect(one.end).toBe("waits");
  });

  it("lets go of whoever is interrupted, and of nobody else", async () => {
    const gate = new Gate();
    gate.close();
    const stop = new AbortController();
    const [one, other] = [passing(gate, stop.signal), passing(gate)];
    stop.abort();
    await turn();
    expect([one.end, other.end]).toEqual(["AbortError", "waits"]);
    const late = passing(gate, stop.signal);
    await turn();
    expect(late.end).toBe("AbortError");
  });

  it("lets nobody by who was interrupted when it opened", async () => {
    const gate = new Gate();
    gate.close();
    const stop = new AbortController();
    stop.signal.addEventListener("abort", () => gate.open());
    const one = passing(gate, stop.signal);
    stop.abort();
    await turn();
    expect(one.end).toBe("AbortError");
  });
});
