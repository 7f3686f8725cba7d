/** `resume --server`: has a daemon go on with a job that is paused or held. */
import type { JobView } from "../../../daemon/schema/job.js";
import { EXIT } from "../../../errors/codes.js";
import { RestoreError } from "../../../errors/restore-error.js";
import type { Io } from "../../io.js";
import type { Client } from "../client.js";
import { findRemoteJob } from "../find-job.js";
import { assertNothingBeside } from "../giveable.js";
import { tell } from "../orders.js";
import { openSession, type SessionArguments } from "../session.js";

interface ResumeArguments extends SessionArguments {
  readonly server: string;
  readonly job?: string;
  readonly json?: boolean;
}

export async function run(args: ResumeArguments, io: Io): Promise<number> {
  assertNothingBeside("resume", args);
  const session = await openSession(args, io);
  const { client } = session;
  const { id } = args.job === undefined ? await onlyWaiting(client) : await findRemoteJob(client, args.job);
  const job = await client.order(id, "resume");
  const { option } = client.server;
  await tell(session, job, {
    asJson: args.json,
    text: `Job ${id} goes on. Watch it: elastickv-restore watch ${id}${option}`,
  });
  return EXIT.ok;
}

/** @throws RestoreError JOB_UNKNOWN when there is none, USAGE with all of them when there are several */
async function onlyWaiting(client: Client): Promise<JobView> {
  const waiting: JobView[] = [];
  for await (const job of client.jobs({ states: ["paused", "held"] })) waiting.push(job);
  const [only] = waiting;
  if (only !== undefined && waiting.length === 1) return only;
  if (only === undefined) {
    throw new RestoreError("JOB_UNKNOWN", `no job at ${client.server.name} is paused or held`, {
      hint: `\`elastickv-restore jobs${client.server.option}\` lists those that there are.`,
    });
  }
  const all = waiting.map(({ id, kind, state }) => `  ${id}  ${kind}  ${state}`).join("\n");
  throw new RestoreError("USAGE", `several jobs are paused or held:\n${all}`, {
    hint: `Say which one: \`elastickv-restore resume <job>${client.server.option}\`.`,
  });
}
