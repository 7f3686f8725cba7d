import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

import { removeContainer } from "../../../testcontainers/docker.js";

let daemon: Server | undefined;

afterEach(() => {
  daemon?.close();
});

async function daemonThatAnswers(status: number, asked: string[]): Promise<NodeJS.ProcessEnv> {
  daemon = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(status).end();
  }).listen(0, "127.0.0.1");
  await once(daemon, "listening");
  return { DOCKER_HOST: `tcp://127.0.0.1:${(daemon.address() as AddressInfo).port}` };
}

describe("removing a container that another process left", () => {
  it.each([204, 404])("is done when the daemon answers with %i", async (status) => {
    const asked: string[] = [];
    await removeContainer("abc", await daemonThatAnswers(status, asked));
    expect(asked).toEqual(["DELETE /containers/abc?force=true&v=true"]);
  });

  it("fails with what the daemon said", async () => {
    await expect(removeContainer("abc", await daemonThatAnswers(500, []))).rejects.toThrow(/answered with 500/);
  });

  it("fails where no daemon is", async () => {
    await expect(removeContainer("abc", { DOCKER_HOST: "tcp://127.0.0.1:9" })).rejects.toThrow(/cannot be removed/);
  });
});
