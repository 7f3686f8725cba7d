/** One measurement from its dump to its check. Leaves nothing behind, whatever happens. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LOCAL_CREDENTIALS, type RunningServer } from "../testcontainers/server.js";
import { BigDump } from "./big-dump.js";
import type { Generated, Measurement, Scenario } from "./scenario.js";
import { runWatched, type WatchedEnd } from "./watched-process.js";

const ENDPOINT_OPTIONS = {
  dynamodb: "--dynamodb-endpoint",
  s3: "--s3-endpoint",
  redis: "--redis-url",
  sqs: "--sqs-endpoint",
} as const;

const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
  AWS_REGION: "us-east-1",
};

/** Generates, restores and checks. `scale` of 1 is the scenario's full size. What is wrong stands in `faults`. */
export async function measure(scenario: Scenario, scale: number): Promise<Measurement> {
  const size = Math.max(1, Math.round(scenario.size * scale));
  const dump = await BigDump.create();
  let server: RunningServer | undefined;
  try {
    const generated = await scenario.generate(dump, size);
    await dump.seal(scenario.adapter);
    server = await scenario.start();
    const { end, faults } = await restore(scenario, { dump, server, generated });
    return {
      scenario: scenario.name,
      title: scenario.title,
      size,
      dumpBytes: dump.bytes,
      records: generated.records,
      server: `${server.name} ${server.version ?? ""}`.trim(),
      peakBytes: end.peakBytes,
      limitBytes: scenario.limitBytes,
      seconds: end.seconds,
      faults: [...faults, ...(end.status === 0 ? await scenario.check(server, size, generated) : [])],
    };
  } finally {
    await server?.stop();
    await dump.remove();
  }
}

interface Run {
  readonly dump: BigDump;
  readonly server: RunningServer;
  readonly generated: Generated;
}

async function restore(scenario: Scenario, { dump, server, generated }: Run) {
  const directory = await mkdtemp(join(tmpdir(), "elastickv-restore-bench-"));
  try {
    const path = join(directory, "report.json");
    const target = [ENDPOINT_OPTIONS[scenario.adapter], server.endpoint];
    const argv = ["apply", dump.path, ...target, "--progress", "none", "--report", path];
    const end = await runWatched(argv, ENVIRONMENT);
    return { end, faults: [...faultsOf(end, scenario), ...(await faultsOfReport(path, generated))] };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function faultsOf({ status, stderr, peakBytes }: WatchedEnd, { limitBytes }: Scenario): string[] {
  return [
    ...(status === 0 ? [] : [`it ended with ${status}: ${stderr.trim()}`]),
    ...(peakBytes <= limitBytes ? [] : ["it held more than its limit"]),
  ];
}

async function faultsOfReport(path: string, { records }: Generated): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return ["it wrote no report"];
  const { totals } = JSON.parse(text) as { readonly totals: Readonly<Record<string, number>> };
  return totals["restored"] === records ? [] : [`its report counts ${totals["restored"]} of ${records} as restored`];
}
