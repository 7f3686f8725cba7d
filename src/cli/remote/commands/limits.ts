/** `limits`: changes the limits of a daemon's job while it runs. */
import { EXIT } from "../../../errors/codes.js";
import { RestoreError } from "../../../errors/restore-error.js";
import type { Io } from "../../io.js";
import { findRemoteJob } from "../find-job.js";
import { type LimitArguments, limitsOf } from "../job-options.js";
import { type OrderArguments, tell } from "../orders.js";
import { openAnySession, type SessionArguments } from "../session.js";

export async function run(args: LimitArguments & OrderArguments & SessionArguments, io: Io): Promise<number> {
  const limits = limitsOf(args);
  if (Object.keys(limits).length === 0) {
    throw new RestoreError("USAGE", "limits needs --rate-limit or --concurrency", {
      hint: "For example: --rate-limit s3=50MiB/s; none takes a rate limit away.",
    });
  }
  const session = await openAnySession(args, io);
  const { id } = await findRemoteJob(session.client, args.job);
  const job = await session.client.limit(id, limits);
  const { rateLimit, concurrency } = job.limits;
  const told = [
    ...(rateLimit === undefined ? [] : [`rate limit ${rateLimit}`]),
    ...(concurrency === undefined ? [] : [`concurrency ${concurrency}`]),
  ];
  await tell(session, job, { asJson: args.json, text: `Job ${id} keeps to: ${told.join("; ")}.` });
  return EXIT.ok;
}
