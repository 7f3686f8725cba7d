/** Starts the servers of a sandbox: those that the dump's scopes need, side by side. */
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { ADAPTERS, type Adapter } from "../../model/scope.js";
import { present } from "../../support/present.js";
import { unlessInterrupted } from "../before-writing.js";
import type { DrillRun } from "./drill-run.js";
import { adaptersOf } from "./facts.js";
import type { SandboxServer } from "./tools.js";

/** What stand-ins are not. */
const PROVES_LESS = "a stand-in in this process, which proves less than a real server";

/** @throws RestoreError TARGET_UNFIT with every server that cannot be had, INTERRUPTED */
export async function startServers(run: DrillRun): Promise<void> {
  const { options, scopes, facts, signal } = run;
  if (options.target.kind !== "sandbox") return;
  const began = options.clock.monotonic();
  const wanted = ADAPTERS.filter((adapter) => adaptersOf(scopes).includes(adapter));
  options.say(`starting a sandbox for ${wanted.join(", ")}`);
  const starts = wanted.map((adapter) => startOne(adapter, run));
  // What is still on its way is stopped when it arrives: an installation may take minutes.
  await unlessInterrupted(Promise.allSettled(starts), signal);
  const results = await Promise.allSettled(starts);
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : []));
  if (reasons.length > 0) throw notStarted(reasons);
  facts.times.serversMs = Math.round(options.clock.monotonic() - began);
}

async function startOne(adapter: Adapter, run: DrillRun): Promise<void> {
  const { options, folder, facts, servers } = run;
  const server = await options.tools
    .startServer(adapter, { folder: folder.work, note: (note) => folder.noteServer(note) })
    .catch((cause: unknown) => {
      throw new RestoreError("TARGET_UNFIT", `no server for ${adapter}: ${messageOf(cause)}`, { cause });
    });
  if (run.signal.aborted) {
    await server.stop();
    return;
  }
  servers.push(server);
  const { how, instead, server: name } = server;
  // One that the environment names may have a password in its URL.
  const endpoint = server.endpoint.replace(/\/\/[^/@]*@/, "//");
  facts.servers.push({ adapter, endpoint, server: name, how, ...present({ instead }) });
  facts.servers.sort((a, b) => ADAPTERS.indexOf(a.adapter) - ADAPTERS.indexOf(b.adapter));
  options.say(`${adapter}: ${name} at ${endpoint} (${HOW[how]})`);
  if (how === "in-process") {
    facts.warnings.push(`${adapter}: ${name}, ${PROVES_LESS}`);
    options.say(`  since the real one cannot be had: ${instead ?? ""}`);
  }
  void watch(server, run);
}

const HOW: Record<SandboxServer["how"], string> = {
  environment: "named by the environment",
  docker: "in Docker",
  native: "a process of this machine",
  "in-process": PROVES_LESS,
};

/** A server that is gone ends the drill at once, not when its requests have been tried for minutes. */
async function watch(server: SandboxServer, { fail }: DrillRun): Promise<void> {
  const why = await server.ended;
  if (why === undefined) return;
  fail(
    new RestoreError("OUTAGE", `the sandbox's ${server.server} ended while the drill ran: ${why}`, {
      hint: "Look at what it said last, and at the memory that this machine has left; then run the drill again.",
    }),
  );
}

function notStarted(reasons: readonly string[]): RestoreError {
  return new RestoreError("TARGET_UNFIT", reasons.join("\n"), {
    hint: "Nothing was restored. Make the server available as said above, leave its data out with --adapter, or name a target.",
  });
}
