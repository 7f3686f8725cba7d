/** Where a cluster's commands go when nodes answer oddly. The nodes are sockets of this process. */
import { afterEach, expect, it } from "vitest";

import { ConnectionLost } from "../../../../src/replayers/redis/classify-error.js";
import { ClusterNodes } from "../../../../src/replayers/redis/cluster-nodes.js";
import { ClusterWire } from "../../../../src/replayers/redis/cluster-wire.js";
import { ServerIdentity } from "../../../../src/replayers/redis/identity.js";
import { parseRedisUrl } from "../../../../src/replayers/redis/target-url.js";
import { bulk, type RespServer, startRespServer } from "../../../support/resp-server.js";

const SET = { name: "SET", args: ["k", "v"] };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Script {
  /** Ports of nodes that CLUSTER NODES lists beside the seed itself. */
  readonly listed?: () => readonly number[];
  readonly onSet: () => string;
}

/** The seed owns all slots. */
async function node({ listed = () => [], onSet }: Script): Promise<RespServer> {
  const server = await startRespServer(([name = "", what], port) => {
    if (name === "INFO") return bulk("run_id:1");
    if (name === "SET") return onSet();
    if (what === "SLOTS") return `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n${bulk("127.0.0.1")}:${port}\r\n${bulk("id")}`;
    if (what === "NODES") return bulk([port, ...listed()].map((one) => `id 127.0.0.1:${one}@1 master -`).join("\n"));
    return "+OK\r\n";
  });
  ends.push(() => server.stop());
  return server;
}

function wireTo(...ports: readonly number[]): ClusterWire {
  const url = `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
  const wire = new ClusterWire(new ClusterNodes(parseRedisUrl(url), new ServerIdentity()));
  ends.push(() => wire.close());
  return wire;
}

it.each(["MOVED", "ASK"])(
  "%s to an address that is no node of the cluster fails, and nobody connects there",
  async (word) => {
    const foreign = await node({ onSet: () => "+OK\r\n" });
    const seed = await node({ onSet: () => `-${word} 12706 127.0.0.1:${foreign.port}\r\n` });
    const wire = wireTo(seed.port);
    const [reply] = await wire.exchange([SET]);
    expect(reply).toMatchObject({ code: "TARGET_UNFIT", retry: "fatal" });
    expect(String(reply)).toContain(`127.0.0.1:${foreign.port}`);
    const streamed = wire.sendStreamed(SET, {
      index: 1,
      size: 1,
      blocks: async function* () {
        yield Buffer.from("v");
      },
    });
    expect(await streamed).toMatchObject({ code: "TARGET_UNFIT" });
    expect(foreign.connections).toBe(0);
  },
);

it("ASK to a node that owns no slot yet is followed", async () => {
  const fresh = await node({ onSet: () => "+fresh\r\n" });
  const seed = await node({ listed: () => [fresh.port], onSet: () => `-ASK 12706 127.0.0.1:${fresh.port}\r\n` });
  expect(String(await wireTo(seed.port).exchange([SET]))).toBe("fresh");
});

it("a command that is sent in circles is given up as one that was not run", async () => {
  let port = 0;
  let asked = 0;
  const seed = await node({
    onSet: () => {
      asked++;
      return `-MOVED 12706 127.0.0.1:${port}\r\n`;
    },
  });
  port = seed.port;
  const [reply] = await wireTo(port).exchange([SET]);
  expect(reply).toBeInstanceOf(ConnectionLost);
  expect(reply).toMatchObject({ sent: false });
  expect(asked).toBeLessThan(10);
});

it("a seed that is down does not matter while another answers, and all down is no connection", async () => {
  const seed = await node({ onSet: () => "+OK\r\n" });
  const gone = await node({ onSet: () => "+OK\r\n" });
  await gone.stop();
  expect(String(await wireTo(gone.port, seed.port).exchange([SET]))).toBe("OK");
  await expect(wireTo(gone.port).exchange([SET])).rejects.toMatchObject({ sent: false });
});
