/** `jobs --server`: a daemon's jobs, the latest first. */
import { JOB_KINDS, JOB_STATES, type JobView } from "../../../daemon/schema/job.js";
import { EXIT } from "../../../errors/codes.js";
import { RestoreError } from "../../../errors/restore-error.js";
import type { Io } from "../../io.js";
import { json, print } from "../../output.js";
import { usage } from "../../quantities.js";
import type { JobsWanted } from "../client.js";
import { jobsText } from "../jobs-text.js";
import { openSession, type Session, type SessionArguments } from "../session.js";

interface JobsArguments extends SessionArguments {
  readonly server: string;
  readonly action?: string;
  readonly state?: readonly string[];
  readonly kind?: readonly string[];
  readonly limit?: string;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const DEFAULT_LIMIT = 20;

export async function run(args: JobsArguments, io: Io): Promise<number> {
  if (args.action !== undefined || args.olderThan !== undefined || args.dryRun === true) {
    throw new RestoreError("USAGE", "with --server, jobs only lists", {
      hint: "How long jobs are kept stands in the daemon's settings: `daemon.jobs.keep`.",
    });
  }
  const wanted = { states: words(args.state, "--state", JOB_STATES), kinds: words(args.kind, "--kind", JOB_KINDS) };
  const limit = limitOf(args.limit);
  return await list(await openSession(args, io), { wanted, limit, asJson: args.json === true });
}

/** @returns the exit status */
export async function list(
  { client, io }: Session,
  {
    wanted = {},
    limit = DEFAULT_LIMIT,
    asJson,
  }: { readonly wanted?: JobsWanted; readonly limit?: number; readonly asJson: boolean },
): Promise<number> {
  const jobs: JobView[] = [];
  // One more tells that there are more.
  for await (const job of client.jobs(wanted, limit + 1)) jobs.push(job);
  const shown = jobs.slice(0, limit);
  const text = asJson ? json(shown) : jobsText(shown, client.server.name, jobs.length > limit);
  await print(io.stdout, text);
  return EXIT.ok;
}

/** `--state running,paused`, also given twice. @throws RestoreError USAGE */
function words<T extends string>(given: readonly string[] | undefined, option: string, all: readonly T[]): T[] {
  return (given ?? [])
    .flatMap((text) => text.split(","))
    .map((text) => {
      const known = all.find((word) => word === text);
      if (known === undefined) throw usage(option, text, `some of ${all.join(", ")}`);
      return known;
    });
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw usage("--limit", text, "a number from 1 on");
  return Number(text);
}
