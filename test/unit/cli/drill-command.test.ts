import { describe, expect, it } from "vitest";
import { runCommand } from "../../../src/cli/drill-command.js";

const host = { env: { PATH: process.env["PATH"], KEPT: "kept", TAKEN: "leftover" }, cwd: process.cwd() };

function run(argv: readonly string[], more: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  return runCommand({ argv, env: { GIVEN: "given", TAKEN: undefined }, timeoutMs: 20_000, ...more }, host);
}

describe("an operator's command", () => {
  it("gets the environment with what is given and without what is taken, and no shell", async () => {
    const { ended, output } = await run(["sh", "-c", 'echo "$GIVEN $KEPT $TAKEN. $1"', "sh", "$HOME;ls"]);
    expect(output).toBe("given kept . $HOME;ls\n");
    expect(ended).toBe(0);
  });

  it("is told apart by its status, also with what it says on standard error", async () => {
    expect(await run(["sh", "-c", "echo why >&2; exit 3"])).toEqual({ ended: 3, output: "why\n" });
  });

  it("that is not there is a sentence, no crash", async () => {
    expect((await run(["/no/such/program"])).ended).toMatch(/^it could not be run: .*ENOENT/);
  });

  it("is ended with all that it started when its time is up", async () => {
    const { ended, output } = await run(["sh", "-c", "echo begun; sleep 60 & wait"], { timeoutMs: 300 });
    expect(ended).toBe("it did not end within 0.3 s");
    expect(output).toBe("begun\n");
  });

  it("is ended when the drill is interrupted", async () => {
    const interruption = new AbortController();
    const running = run(["sleep", "60"], { signal: interruption.signal });
    interruption.abort();
    expect((await running).ended).toBe("it was interrupted");
  });

  it("does not hold the drill up by what it leaves behind", async () => {
    const { ended } = await run(["sh", "-c", "sleep 60 & exit 0"]);
    expect(ended).toBe(0);
  });
});
