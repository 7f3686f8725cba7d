import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serviceManager } from "../../../src/cli/systemd.js";
import { fakeClock } from "../../support/fake-clock.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ek-systemd-"));
  const program = `#!/bin/sh\n{ echo "$NOTIFY_SOCKET"; printf '<%s>' "$@"; env | /usr/bin/grep -c SECRET; } >> ${folder}/told\n`;
  await writeFile(join(folder, "systemd-notify"), program, { mode: 0o755 });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function told(): Promise<string> {
  const text = await readFile(join(folder, "told"), "utf8").catch(() => "");
  await rm(join(folder, "told"), { force: true });
  return text;
}

function manager(more: object = {}, troubles: unknown[] = []) {
  const env = { PATH: `${folder}:/usr/bin:/bin`, NOTIFY_SOCKET: "/run/notify", SECRET: "x", ...more };
  return serviceManager(env, 42, (error) => troubles.push(error));
}

describe("systemd", () => {
  it("is told that the service is ready and that it ends, with nothing else of the environment", async () => {
    await manager().ready("listening on x y");
    expect(await told()).toBe("/run/notify\n<--ready><--status=listening on x y>0\n");
    await manager().stopping();
    expect(await told()).toContain("<STOPPING=1>");
  });

  it("is told nothing where the environment names no socket", async () => {
    await manager({ NOTIFY_SOCKET: undefined }).ready("x");
    expect(await told()).toBe("");
  });

  it("hears twice within its time that the service is alive, until the end", async () => {
    const [clock, ending] = [fakeClock(), new AbortController()];
    const watched = manager({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "42" });
    const ends = {
      ...clock,
      sleep: async (ms: number) => {
        await clock.sleep(ms);
        if (clock.sleeps.length > 1) ending.abort();
      },
    };
    await watched.watch(ends, ending.signal);
    expect((await told()).match(/WATCHDOG=1/g)).toHaveLength(2);
    expect(clock.sleeps).toEqual([15_000, 15_000]);
  });

  it.each([{}, { WATCHDOG_USEC: "30000000", WATCHDOG_PID: "43" }, { WATCHDOG_USEC: "0" }])(
    "hears nothing of the kind where it does not watch this process: %j",
    async (env) => {
      await manager(env).watch(fakeClock(), new AbortController().signal);
      expect(await told()).toBe("");
    },
  );

  it("that cannot be told is no reason to end", async () => {
    const troubles: unknown[] = [];
    await manager({ PATH: "/nowhere" }, troubles).ready("x");
    expect(troubles).toHaveLength(1);
  });
});
