/**
 * What a server itself takes for a restore's requests when they are made beforehand: no tool that sends these requests,
 * so many at once, is faster. Making them is no part of the run that is measured.
 */
import { join } from "node:path";

import { run } from "../../testcontainers/cache.js";
import { ENVIRONMENT } from "../ours.js";
import { type Ground, nodeScript, type Peer } from "../peers/peer.js";
import { redisCliPipe } from "../peers/redis-cli.js";

/** The commands of the peer's generator, in a file. */
export const redisFloor: Peer = {
  name: "prepared commands",
  install: redisCliPipe.install,
  async prepare({ dump, scratch }) {
    const { command, args } = nodeScript("redis-resp.mjs", [dump]);
    await run("sh", ["-c", 'exec "$@" > "$0"', commandsIn(scratch), command, ...args]);
  },
  command({ installed, server, scratch }) {
    const { hostname, port } = new URL(server.endpoint);
    const pipe = '"$1" -h "$2" -p "$3" --pipe < "$4" | grep -q "errors: 0,"';
    const args = [installed, hostname, port, commandsIn(scratch)];
    return { command: "bash", args: ["-o", "pipefail", "-c", pipe, "bash", ...args] };
  },
};

function commandsIn(scratch: string): string {
  return join(scratch, "commands.resp");
}

/** BatchWriteItem with 25 items. */
export const dynamoDbFloor: Peer = requestsOver(16, "dynamodb-requests.mjs");

/** Parts of 16 MiB, as of `mc mirror`, of which four are under way at once. */
export const s3LargeFloor: Peer = requestsOver(4, "s3-requests.mjs");

/** SendMessageBatch with ten messages, one after another: as many as keep the dump's order. */
export const sqsFloor: Peer = requestsOver(1, "sqs-requests.mjs");

export const sqsUnorderedFloor: Peer = requestsOver(16, "sqs-requests.mjs");

/** Ten groups a connection, of each of which one message is in a batch. */
export const sqsFifoFloor: Peer = requestsOver(2, "sqs-requests.mjs");

function requestsOver(connections: number, script: string): Peer {
  return {
    name: `prepared requests, ${connections === 1 ? "one connection" : `${connections} connections`}`,
    install: () => Promise.resolve(""),
    async prepare({ dump, server, scratch }) {
      const { command, args } = nodeScript(`../floors/${script}`, [
        dump,
        server.endpoint,
        scratch,
        String(connections),
      ]);
      await run(command, args, { environment: ENVIRONMENT });
    },
    command: ({ server, scratch }: Ground) => nodeScript("../floors/send.mjs", [scratch, server.endpoint]),
  };
}
