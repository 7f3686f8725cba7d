import { describe, expect, it } from "vitest";
import { EventClients, eventText, type ServerEvent } from "../../../../src/daemon/http/sse.js";
import { fakeClock } from "../../../support/fake-clock.js";

const EVENT: ServerEvent = { id: 7, event: "state", data: '{"a":1}' };

async function* from(...events: ServerEvent[]): AsyncGenerator<ServerEvent> {
  yield* events;
}

/** Sleeps that end when they are told to. */
function heldClock() {
  const sleeping: (() => void)[] = [];
  const clock = { ...fakeClock(), sleep: () => new Promise<void>((resolve) => sleeping.push(resolve)) };
  return { clock, wake: () => sleeping.shift()?.() };
}

async function all(texts: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const each of texts) text += each;
  return text;
}

describe("events as text", () => {
  it("have their number, their kind and their data, and end with the source", async () => {
    const { clock } = heldClock();
    const text = await all(
      eventText(from(EVENT, { event: "state", data: "{}" }), { clock, signal: new AbortController().signal }),
    );
    expect(text).toBe('retry: 2000\n\nid: 7\nevent: state\ndata: {"a":1}\n\nevent: state\ndata: {}\n\n');
  });

  it("are asked for before the client learns that it is connected", async () => {
    const { clock } = heldClock();
    let isAsked = false;
    const source = (async function* () {
      isAsked = true;
      yield EVENT;
    })();
    const texts = eventText(source, { clock, signal: new AbortController().signal });
    await texts.next();
    expect(isAsked).toBe(true);
    await texts.return(undefined);
  });

  it("have a comment between them where nothing happens for a while, and lose nothing by it", async () => {
    const { clock, wake } = heldClock();
    let give: (event: ServerEvent) => void = () => undefined;
    const source = (async function* () {
      yield await new Promise<ServerEvent>((resolve) => {
        give = resolve;
      });
    })();
    const texts = eventText(source, { clock, signal: new AbortController().signal });
    await texts.next();
    const quiet = texts.next();
    wake();
    expect(await quiet).toEqual({ done: false, value: ": nothing new\n\n" });
    const next = texts.next();
    give(EVENT);
    expect((await next).value).toContain("id: 7");
    expect(await texts.next()).toMatchObject({ done: true });
  });

  it("let the source go when the client is gone", async () => {
    const { clock } = heldClock();
    const gone = new AbortController();
    let isOver = false;
    const source = (async function* () {
      try {
        yield EVENT;
        await new Promise((resolve) => gone.signal.addEventListener("abort", resolve));
      } finally {
        isOver = true;
      }
    })();
    const texts = eventText(source, { clock, signal: gone.signal });
    await texts.next();
    await texts.next();
    const last = texts.next();
    gone.abort();
    expect(await last).toMatchObject({ done: true });
    expect(isOver).toBe(true);
  });
});

describe("clients that follow events", () => {
  it("are counted, and refused beyond their number", () => {
    const clients = new EventClients(2);
    const first = clients.open();
    clients.open();
    expect(() => clients.open()).toThrow("2 clients follow events already");
    first.abort();
    expect(clients.count).toBe(1);
    clients.open();
  });

  it("are all let go at the end, and none is taken any more", () => {
    const clients = new EventClients(2);
    const first = clients.open();
    clients.close();
    expect([first.signal.aborted, clients.count]).toEqual([true, 0]);
    expect(() => clients.open()).toThrow("about to end");
  });
});
