/** What every other test stands on: each real server starts, answers, and goes without a trace. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import { dynamoDbLocalRecipe } from "../../testcontainers/dynamodb-local.js";
import { elasticMqRecipe } from "../../testcontainers/elasticmq.js";
import { minioRecipe } from "../../testcontainers/minio.js";
import type { RunningServer } from "../../testcontainers/recipe.js";
import { redisRecipe } from "../../testcontainers/redis.js";
import { startServer } from "../../testcontainers/server.js";
import { listens } from "../support/listens.js";

const RECIPES = [redisRecipe, dynamoDbLocalRecipe, minioRecipe, elasticMqRecipe];
const INSTALL_TIMEOUT_MS = 600_000;

const isOurs = ({ how }: Pick<RunningServer, "how">) => how !== "environment";

/** On other systems nobody tells a process's children without `ps`. */
const tellsChildren = process.platform === "linux";

describe.each(RECIPES)("the recipe of $name", (recipe) => {
  it(
    "starts a server that answers, and leaves no process and no port behind",
    async () => {
      const before = tellsChildren ? await children() : [];
      const server = await startServer(recipe);
      try {
        await expect(recipe.ask(server)).resolves.not.toThrow();
        expect(await listens(server.endpoint)).toBe(true);
      } finally {
        await server.stop();
      }
      if (isOurs(server)) expect(await listens(server.endpoint)).toBe(false);
      if (tellsChildren) expect(await children()).toEqual(before);
    },
    INSTALL_TIMEOUT_MS,
  );

  it("tells who is to be asked when the environment names a server that does not answer", async () => {
    vi.stubEnv(recipe.variable, `${recipe.protocol}://user:secret@127.0.0.1:9`);
    try {
      const message = await startServer(recipe).then(
        () => "",
        (error: unknown) => String(error),
      );
      expect(message).toContain(recipe.variable);
      expect(message).toContain(`does not answer as ${recipe.name}`);
      expect(message).not.toContain("secret");
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("a server", () => {
  it("may be stopped twice, and two of a kind stand side by side", async () => {
    const [one, other] = await Promise.all([startServer(redisRecipe), startServer(redisRecipe)]);
    try {
      if (isOurs(one)) expect(one.endpoint).not.toBe(other.endpoint);
      await one.stop();
      await one.stop();
      expect(await listens(other.endpoint)).toBe(true);
    } finally {
      await Promise.all([one.stop(), other.stop()]);
    }
  });

  it.each(["SIGKILL", "SIGINT", "SIGTERM"] as const)("does not outlive a process that %s ended", async (signal) => {
    const starter = spawn(
      process.execPath,
      ["--import", "tsx", join(import.meta.dirname, "../support/start-redis.ts")],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const { endpoint, how } = await firstLine(starter);
    expect(await listens(endpoint)).toBe(true);
    starter.kill(signal);
    // Docker's own reaper takes its time; a server of the environment stays.
    if (how === "native") await vi.waitUntil(async () => !(await listens(endpoint)), { timeout: 30_000 });
  });
});

async function firstLine(child: ChildProcess): Promise<Pick<RunningServer, "endpoint" | "how">> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  return JSON.parse(text) as Pick<RunningServer, "endpoint" | "how">;
}

/** Linux tells it for each thread; `ps` is not everywhere. */
async function children(): Promise<string[]> {
  const threads = await readdir("/proc/self/task");
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/self/task/${thread}/children`, "utf8")));
  return lists.flatMap((list) => list.trim().split(" ")).filter((pid) => pid !== "");
}
