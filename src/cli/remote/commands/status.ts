/** `status --server`: a daemon's jobs, or one of them with its scopes. */
import { EXIT } from "../../../errors/codes.js";
import type { Io } from "../../io.js";
import { json, print } from "../../output.js";
import { findRemoteJob } from "../find-job.js";
import { jobText } from "../jobs-text.js";
import { openSession, type SessionArguments } from "../session.js";
import { list } from "./jobs.js";

interface StatusArguments extends SessionArguments {
  readonly server: string;
  readonly job?: string;
  readonly json?: boolean;
}

export async function run(args: StatusArguments, io: Io): Promise<number> {
  const session = await openSession(args, io);
  const asJson = args.json === true;
  if (args.job === undefined) return await list(session, { asJson });
  const job = await findRemoteJob(session.client, args.job);
  await print(io.stdout, asJson ? json(job) : jobText(job, session.client.server.option));
  return EXIT.ok;
}
