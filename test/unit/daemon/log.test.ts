import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { createLog } from "../../../src/daemon/log.js";

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = "";
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  write(createLog(stream));
  return text;
}

it.each([
  ["a header", { authorization: "s3cret-s3cret" }],
  ["a header of a request", { request: { headers: { authorization: "s3cret-s3cret" } } }],
  ["a cookie", { headers: { cookie: "s3cret-s3cret" } }],
  ["a token", { token: "s3cret-s3cret" }],
  ["a confirmation", { body: { confirm: "s3cret-s3cret" } }],
  ["a URL", { url: "redis://user:s3cret-s3cret@host:6379/0" }],
  ["an error's text", { err: new Error("connect to https://s3cret-s3cret@host failed") }],
  ["a text with a header in it", { text: 'said "Authorization: Bearer s3cret-s3cret"' }],
])("what lets anybody in stands in no line: %s", (_what, fields) => {
  const line = logged((log) => log.info(fields, "said"));
  expect(line).not.toContain("s3cret");
  expect(JSON.parse(line)).toMatchObject({ level: "info", message: "said" });
});

it("a line tells when, how grave and what", () => {
  const line = logged((log) => log.warn({ job: "12" }, "is late"));
  expect(JSON.parse(line)).toEqual({
    level: "warn",
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    job: "12",
    message: "is late",
  });
});
