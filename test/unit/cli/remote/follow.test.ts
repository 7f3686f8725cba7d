import { describe, expect, it } from "vitest";
import type { NumberedEvent } from "../../../../src/cli/remote/client.js";
import { follow } from "../../../../src/cli/remote/follow.js";
import type { JobEvent, JobState, JobView } from "../../../../src/daemon/schema/job.js";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import { fakeClock } from "../../../support/fake-clock.js";

function state(to: JobState): JobEvent {
  return { type: "state", job: { id: "0123456789abcdef", kind: "apply", state: to } as JobView };
}

const broken = (retry: "no" | "yes" = "yes") => new RestoreError("CONNECTION", "it broke", { retry });

/** Each connection: the events on it, then how it ends. A connection that opens no more is an error alone. */
type Connection = { readonly events: readonly NumberedEvent[]; readonly brokenBy?: Error } | Error;

async function followed(connections: readonly Connection[], clock = fakeClock()) {
  const asked: string[] = [];
  const told: string[] = [];
  const left = [...connections];
  const client = {
    server: { at: { kind: "socket", path: "/d" }, name: "unix:/d", option: " --server /d" } as const,
    events: async function* (_id: string, after: string, onOpen: () => void) {
      asked.push(after);
      const next = left.length > 1 ? left.shift() : left[0];
      if (next === undefined || next instanceof Error) throw next;
      onOpen();
      yield* next.events;
      if (next.brokenBy !== undefined) throw next.brokenBy;
    },
  };
  const init = { after: 3, clock, onLost: (why: string) => told.push(`lost: ${why}`), onBack: () => told.push("back") };
  const states: string[] = [];
  const run = async () => {
    for await (const event of follow(client, "0123456789abcdef", init)) {
      if (event.type === "state") states.push(event.job.state);
    }
  };
  const error = await run().catch((thrown: unknown) => thrown as RestoreError);
  return { asked, told, states, error, clock };
}

describe("following a job", () => {
  it("begins where it is told to, and ends with the job", async () => {
    const { states, asked, told } = await followed([
      {
        events: [
          { id: "1", event: state("running") },
          { id: "2", event: state("finished") },
        ],
      },
    ]);
    expect({ states, asked, told }).toEqual({ states: ["running", "finished"], asked: ["3"], told: [] });
  });

  it("goes on behind the last event once a connection that broke is back, and says so once", async () => {
    const { states, asked, told } = await followed([
      { events: [{ id: "4", event: state("running") }], brokenBy: broken() },
      broken(),
      broken(),
      { events: [{ id: "5", event: state("finished") }] },
    ]);
    expect(states).toEqual(["running", "finished"]);
    expect(asked).toEqual(["3", "4", "4", "4"]);
    expect(told).toEqual(["lost: it broke", "back"]);
  });

  it("goes on where the daemon ended the events before the job", async () => {
    const { states, asked } = await followed([
      { events: [{ id: "4", event: state("running") }] },
      { events: [{ id: "5", event: state("failed") }] },
    ]);
    expect([states, asked]).toEqual([
      ["running", "failed"],
      ["3", "4"],
    ]);
  });

  it("tries nothing again where the first connection fails, or waiting changes nothing", async () => {
    expect(await followed([broken()])).toMatchObject({ asked: ["3"], error: { message: "it broke" } });
    const gone = { events: [{ id: "1", event: state("running") }], brokenBy: broken("no") };
    expect(await followed([gone])).toMatchObject({ asked: ["3"], error: { message: "it broke" } });
  });

  it("gives up after a quarter of an hour, with how to watch it again", async () => {
    const { error, clock, asked } = await followed([
      { events: [{ id: "1", event: state("running") }], brokenBy: broken() },
      broken(),
    ]);
    expect(error).toMatchObject({
      code: "CONNECTION",
      hint: expect.stringContaining("watch 0123456789abcdef --server /d"),
    });
    expect(clock.monotonic()).toBeGreaterThan(15 * 60_000);
    expect(clock.monotonic()).toBeLessThan(16 * 60_000);
    expect(asked.length).toBeLessThan(1000);
  });
});
