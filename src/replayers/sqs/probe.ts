/** What an SQS target says of itself. There is little to ask: what it does not know shows when an attribute is refused. */
import { RestoreError } from "../../errors/restore-error.js";
import type { Capabilities } from "../replayer.js";
import type { SqsApi } from "./client.js";
import { BATCH_BYTES, BATCH_RECORDS } from "./message-size.js";

/** Groups of a FIFO queue that are sent side by side, in batches of distinct groups. */
const CONCURRENCY = 8;

export interface ProbeOptions {
  readonly aws: boolean;
  readonly keepsOrder: boolean;
  readonly concurrency?: number;
}

/** Repeatable, changes nothing. @throws RestoreError TARGET_UNREACHABLE, TARGET_CREDENTIALS */
export async function probeSqs(api: SqsApi, options: ProbeOptions): Promise<Capabilities> {
  const queueUrl = await api.probe().catch((error: unknown) => {
    throw unreachable(error);
  });
  return {
    server: options.aws ? await api.awsName(queueUrl) : serverName(api.serverHeader),
    batch: { records: BATCH_RECORDS, bytes: BATCH_BYTES },
    concurrency: options.concurrency ?? CONCURRENCY,
    keepsOrder: options.keepsOrder,
    canCount: true,
    fallbacks: [],
  };
}

/** ElasticMQ answers with its HTTP library's name; Amazon SQS and elastickv send no such header. */
function serverName(header: string | undefined): string {
  if (header === undefined) return "SQS";
  return /^(pekko|akka)-http/.test(header) ? `ElasticMQ (${header})` : `SQS (${header})`;
}

function unreachable(error: unknown): unknown {
  if (!(error instanceof RestoreError) || (error.code !== "OUTAGE" && error.code !== "CALL_FAILED")) return error;
  return new RestoreError("TARGET_UNREACHABLE", error.message, {
    where: error.where,
    hint: "Check --sqs-endpoint and that the server is up.",
    retry: "fatal",
    cause: error,
  });
}
