/** What a terminal is shown: as many lines as there are scopes under way, whatever the number of those that are done. */
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { progressSink } from "../../../src/cli/progress.js";
import type { Scope } from "../../../src/model/scope.js";

class Terminal extends Writable {
  readonly isTTY = true;
  readonly columns = 80;
  readonly rows = 24;
  text = "";

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

function bucket(name: string): Scope {
  return { adapter: "s3", name, target: name, path: `s3/${name}`, warnings: [] } as unknown as Scope;
}

function shown(scopes: readonly Scope[]): string {
  const terminal = new Terminal();
  const sink = progressSink("auto", {
    env: {},
    pid: 1,
    isAlive: () => false,
    cwd: "/",
    stdout: terminal,
    stderr: terminal,
    isTty: true,
  });
  for (const scope of scopes) {
    sink.report({ type: "scope-started", scope, expectedBytes: 10 });
    sink.report({ type: "records", scope, outcome: "restored", records: 1, bytes: 10 });
    vi.advanceTimersByTime(1000);
    sink.report({ type: "scope-finished", scope });
    vi.advanceTimersByTime(1000);
  }
  sink.report({ type: "finished" });
  return terminal.text;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("progress on a terminal", () => {
  it("draws no bar again for a scope that is done, and leaves one line of it", () => {
    const text = shown(Array.from({ length: 40 }, (_, i) => bucket(`b${i}`)));
    expect(text.match(/s3:b7 .*done/g)).toHaveLength(1);
    const after = text.slice(text.indexOf("s3:b8 "));
    expect(after).not.toContain("s3:b7 ");
  });

  it("keeps the ends of long names, in which those of many scopes differ", () => {
    const text = shown([
      bucket("a-name-that-is-too-long-for-a-line-1"),
      bucket("a-name-that-is-too-long-for-a-line-2"),
    ]);
    expect(text).toContain("s3:a-name-that…-for-a-line-1");
    expect(text).toContain("s3:a-name-that…-for-a-line-2");
  });
});
