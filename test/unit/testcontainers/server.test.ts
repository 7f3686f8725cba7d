import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ServerRecipe } from "../../../testcontainers/recipe.js";
import { prepareServer, startServer } from "../../../testcontainers/server.js";

const install = vi.fn<() => Promise<string>>();

const recipe: ServerRecipe = {
  name: "minio",
  variable: "ELASTICKV_RESTORE_TEST_S3_ENDPOINT",
  version: "1",
  credentials: { accessKeyId: "built", secretAccessKey: "in" },
  protocol: "http",
  ask: () => Promise.resolve("answered"),
  docker: { image: "nothing", port: 1 },
  native: { needs: "a compiler", install, launch: () => ({ command: "false", args: [] }) },
};

beforeEach(() => {
  install.mockReset();
  vi.stubEnv("DOCKER_HOST", "tcp://127.0.0.1:9");
  vi.stubEnv(recipe.variable, "");
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("having a server", () => {
  it("takes the one that the environment names, with the credentials beside it", async () => {
    vi.stubEnv(recipe.variable, "http://s3.example:9000");
    vi.stubEnv("ELASTICKV_RESTORE_TEST_S3_ACCESS_KEY_ID", "id");
    vi.stubEnv("ELASTICKV_RESTORE_TEST_S3_SECRET_ACCESS_KEY", "key");
    const server = await startServer(recipe);
    expect(server).toMatchObject({
      endpoint: "http://s3.example:9000",
      how: "environment",
      version: "answered",
      credentials: { accessKeyId: "id", secretAccessKey: "key" },
    });
    expect(await prepareServer(recipe)).toBe("environment");
    expect(install).not.toHaveBeenCalled();
  });

  it("takes the recipe's own credentials when the environment has no pair", async () => {
    vi.stubEnv(recipe.variable, "http://s3.example:9000");
    vi.stubEnv("ELASTICKV_RESTORE_TEST_S3_ACCESS_KEY_ID", "id");
    expect((await startServer(recipe)).credentials).toEqual(recipe.credentials);
  });

  it("installs it when neither the environment nor Docker has one", async () => {
    install.mockResolvedValue("/somewhere");
    expect(await prepareServer(recipe)).toBe("native");
    expect(install).toHaveBeenCalledOnce();
  });

  it("names all three ways, and why each failed, when there is none", async () => {
    install.mockRejectedValue(new Error("no compiler", { cause: new Error("not on the PATH") }));
    await expect(startServer(recipe)).rejects.toThrow(
      /ELASTICKV_RESTORE_TEST_S3_ENDPOINT is not set\n- no Docker daemon answers\n- as a process of this machine: no compiler \(not on the PATH\)/,
    );
  });
});
