import { describe, expect, it } from "vitest";
import { type SentEvent, sentEvents } from "../../../../src/cli/remote/event-stream.js";

async function read(parts: readonly string[]): Promise<SentEvent[]> {
  const events: SentEvent[] = [];
  const text = (async function* () {
    yield* parts;
  })();
  for await (const event of sentEvents(text)) events.push(event);
  return events;
}

const STREAM =
  'retry: 2000\r\n\r\n: nothing new\n\nid: 1\nevent: state\ndata: {"a":1}\n\nid:2\r\nevent:progress\r\ndata: x\r\ndata: y\r\n\r\ndata\n\nid: 9\ndata: cut';
const EVENTS = [
  { id: "1", event: "state", data: '{"a":1}' },
  { id: "2", event: "progress", data: "x\ny" },
  { event: "message", data: "" },
];

describe("events out of text", () => {
  it("are read from whole lines, without comments and the event that is not whole", async () => {
    expect(await read([STREAM])).toEqual(EVENTS);
  });

  it("are the same wherever the text is cut", async () => {
    for (let at = 1; at < STREAM.length; at++) {
      expect(await read([STREAM.slice(0, at), STREAM.slice(at)]), `cut at ${at}`).toEqual(EVENTS);
    }
    expect(await read([...STREAM])).toEqual(EVENTS);
  });

  it("that never end fill no memory", async () => {
    const parts = Array.from({ length: 20 }, () => "x".repeat(1024 * 1024));
    await expect(read(parts)).rejects.toThrow("larger than is taken here");
  });
});
