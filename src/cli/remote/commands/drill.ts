/** `drill --server`: has a daemon hold a drill. */
import { resolve } from "node:path";
import type { DumpRef, JobRequest } from "../../../daemon/schema/job.js";
import { RestoreError } from "../../../errors/restore-error.js";
import { makeRoomForEvidence } from "../../drill-evidence.js";
import type { Io } from "../../io.js";
import { usage } from "../../quantities.js";
import { assertGiveable } from "../giveable.js";
import { dumpOf, limitsOf, optionsOf } from "../job-options.js";
import { showResult } from "../results.js";
import { openSession } from "../session.js";
import { submitAndWatch } from "../submit.js";
import type { PlanArguments } from "./plan.js";

interface DrillArguments extends PlanArguments {
  readonly pick?: "newest" | "random";
  readonly out?: string;
}

export async function run(args: DrillArguments, io: Io): Promise<number> {
  assertGiveable("drill", args);
  const target = args.target === "sandbox" ? undefined : args.target;
  const request: JobRequest = {
    kind: "drill",
    dump: dumpRef(args),
    ...(target === undefined ? {} : { target }),
    options: optionsOf("drill", args),
    limits: limitsOf(args),
  };
  const session = await openSession(args, io);
  const out = args.out === undefined ? undefined : resolve(io.cwd, args.out);
  if (out !== undefined) await makeRoomForEvidence(out);
  const ended = await submitAndWatch(session, request);
  return await showResult(session, ended, { json: args.json === true, ...(out === undefined ? {} : { out }) });
}

/** @throws RestoreError USAGE */
function dumpRef({ dump, pick }: DrillArguments): DumpRef {
  if (dump === undefined) {
    throw new RestoreError("USAGE", "drill needs a dump: elastickv-restore drill ROOT/PATH --server …", {
      hint: "With --pick newest, name a root of the daemon's settings alone.",
    });
  }
  const { root, path } = dumpOf(dump);
  if (pick === undefined) return { root, path };
  if (path === "") return { root, pick };
  throw usage("--pick", dump, "a root of the daemon's settings alone, below which dumps stand");
}
