import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { logLines } from "../../../src/cli/log-lines.js";

function shown(text: string): string {
  const to = new PassThrough();
  logLines(to).write(text);
  return String(to.read() ?? "");
}

it.each([
  ['{"level":"info","time":"2026-01-02T03:04:05.678Z","message":"begun"}\n', "03:04:05 begun\n"],
  [
    '{"level":"warn","time":"2026-01-02T03:04:05.678Z","message":"is late","job":"12","why":"a b","n":5}\n',
    '03:04:05 warn: is late job=12 why="a b" n=5\n',
  ],
  ["no JSON\n", "no JSON\n"],
])("%j", (line, text) => {
  expect(shown(line)).toBe(text);
});

it("what a terminal would act upon is shown as text", () => {
  expect(shown('{"level":"info","time":"2026-01-02T03:04:05.678Z","message":"\\u001b[31mred"}\n')).not.toContain(
    "\u001b",
  );
});
