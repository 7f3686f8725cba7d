import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { endProcess, processIdentity } from "../../../src/cli/drill-processes.js";

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

async function sleeper(): Promise<number> {
  const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  started.push(child);
  await once(child, "spawn");
  return child.pid ?? 0;
}

describe("processes over the lives of drills", () => {
  it("are known again by number and begin, and differ from one another", async () => {
    const [one, other] = [await sleeper(), await sleeper()];
    expect(await processIdentity(one)).toBe(await processIdentity(one));
    expect(await processIdentity(one)).not.toBeUndefined();
    expect(await processIdentity(2 ** 22 + 1)).toBeUndefined();
    expect(other).not.toBe(one);
  });

  it("are ended when they are the ones that were noted", async () => {
    const pid = await sleeper();
    expect(await endProcess(pid, await processIdentity(pid))).toBe("ended");
    expect(await processIdentity(pid)).toBeUndefined();
  });

  it("are left alone when another process has the number now, and when none was noted", async () => {
    const pid = await sleeper();
    expect(await endProcess(pid, `${await processIdentity(pid)}0`)).toBe("gone");
    expect(await endProcess(pid, undefined)).toBe("gone");
    expect(await processIdentity(pid)).not.toBeUndefined();
  });
});
