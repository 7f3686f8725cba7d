/** A generator of RESP commands into `redis-cli --pipe`, the way that Redis recommends for mass insertion. */
import { needCommand } from "../../testcontainers/cache.js";
import { nodeScript, type Peer } from "./peer.js";

export const redisCliPipe: Peer = {
  name: "redis-cli --pipe",
  install: () => needCommand("redis-cli", "redis-tools"),
  command({ dump, server, installed }) {
    const { hostname, port } = new URL(server.endpoint);
    const { command, args } = nodeScript("redis-resp.mjs", [dump]);
    const pipe = '"$1" "$2" "$3" | "$4" -h "$5" -p "$6" --pipe | grep -q "errors: 0,"';
    return {
      command: "bash",
      args: ["-o", "pipefail", "-c", pipe, "bash", command, ...args, installed, hostname, port],
    };
  },
};
