import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { createApp } from "../../../../src/daemon/http/app.js";
import { Doorkeeper } from "../../../../src/daemon/http/doorkeeper.js";
import { createLog } from "../../../../src/daemon/log.js";
import { documentSchema } from "../../../../src/daemon/schema/http.js";
import { fakeClock } from "../../../support/fake-clock.js";

const nothing = () => undefined;

async function app() {
  return await createApp({
    log: createLog(new PassThrough()),
    doorkeeper: new Doorkeeper({ tokens: [], clock: fakeClock(), onRefusal: nothing }),
    isOpen: () => true,
    onAnswer: nothing,
    version: "0.0.0",
  });
}

it.each([
  ["its answers", { config: { role: "read" as const }, schema: { summary: "x" } }],
  ["who may ask", { schema: { summary: "x", response: { 200: documentSchema } } }],
])("a route that does not state %s is a fault of the program", async (_what, options) => {
  const made = await app();
  expect(() => made.get("/x", options, async () => ({}))).toThrow("GET /x states no answers, or not who may ask");
});
