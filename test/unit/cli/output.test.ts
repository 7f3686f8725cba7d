import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { main } from "../../../src/cli/main.js";
import { print } from "../../../src/cli/output.js";

/** A stream whose every write fails with a system error. */
function failing(code: string): Writable {
  const stream = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${code}: no luck, write`), { code })),
  });
  stream.on("error", () => undefined);
  return stream;
}

describe("print", () => {
  it("waits until the reader has taken all of it", async () => {
    let taken = "";
    const slow = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        setImmediate(() => {
          taken += chunk.toString();
          done();
        });
      },
    });
    await print(slow, "all of it");
    expect(taken).toBe("all of it");
  });

  it.each(["EPIPE", "EBADF"])("takes a reader that went away for no error (%s)", async (code) => {
    await expect(print(failing(code), "x")).resolves.toBeUndefined();
  });

  it("says that a result could not be kept", async () => {
    await expect(print(failing("ENOSPC"), "x")).rejects.toMatchObject({
      code: "LOCAL_IO",
      message: expect.stringContaining("ENOSPC"),
    });
  });
});

describe("a command whose result cannot be written", () => {
  it("ends with 1 and says so", async () => {
    let said = "";
    const stderr = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        said += chunk.toString();
        done();
      },
    });
    expect(
      await main(["--version"], { env: {}, pid: 1, isAlive: () => false, cwd: "/", stdout: failing("ENOSPC"), stderr }),
    ).toBe(1);
    expect(said).toMatch(/^error: cannot write the result: ENOSPC/);
  });

  it("ends with its status where even the message cannot be written", async () => {
    expect(
      await main(["nonsense"], {
        env: {},
        pid: 1,
        isAlive: () => false,
        cwd: "/",
        stdout: failing("ENOSPC"),
        stderr: failing("ENOSPC"),
      }),
    ).toBe(2);
  });
});
