/** What a DynamoDB target says of itself, and how large a request it takes: asked, for not every server takes 16 MB. */
import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { parseJson } from "../../support/json.js";
import { awsErrorName, awsRegion, awsServiceName } from "../aws-client.js";
import type { Calls } from "../calls.js";
import type { RawAnswer } from "../exchange.js";
import type { DynamoDbClient } from "./client.js";

export interface ServerTraits {
  /** For people. */
  readonly server: string;
  /** Largest request body. */
  readonly bodyBytes: number;
  /** Table names have 3 to 255 characters of `A-Za-z0-9_.-`. */
  readonly strictNames: boolean;
}

const MIB = 1024 * 1024;
/** What DynamoDB takes in one BatchWriteItem. */
const LARGE_BODY_BYTES = 16 * 1000 * 1000;
/** What elastickv takes. */
export const SMALL_BODY_BYTES = MIB;

/** Repeatable, changes nothing. @throws RestoreError TARGET_UNREACHABLE, TARGET_CREDENTIALS; USAGE without a region */
export async function probeServer(client: DynamoDbClient, calls: Calls, aws: boolean): Promise<ServerTraits> {
  if (aws) await awsRegion(client.sdk.config.region);
  const answer = await listTables(client, calls);
  if (aws) {
    const server = await awsServiceName("Amazon DynamoDB", client.sdk.config, await accountOf(client, calls, answer));
    return { server, bodyBytes: LARGE_BODY_BYTES, strictNames: true };
  }
  return {
    server: serverName(answer.headers),
    bodyBytes: (await takesLargeBodies(client, calls)) ? LARGE_BODY_BYTES : SMALL_BODY_BYTES,
    // DynamoDB, DynamoDB Local and dynalite number their answers, and share one rule for names; elastickv does neither.
    strictNames: answer.headers["x-amzn-requestid"] !== undefined,
  };
}

async function listTables(client: DynamoDbClient, calls: Calls): Promise<RawAnswer> {
  try {
    const answer = await calls.run({ operation: "ListTables" }, () => client.listTables());
    assertTables(answer, calls.endpoint);
    return answer;
  } catch (error) {
    if (mayNotList(error)) return { status: 400, headers: { "x-amzn-requestid": "" }, body: Buffer.alloc(0) };
    throw unreachable(error, calls.endpoint);
  }
}

/** No answer names the account but a table's ARN: that of the first table which was listed. */
export async function accountOf(client: DynamoDbClient, calls: Calls, listed: RawAnswer): Promise<string | undefined> {
  const body = parsed(listed.body);
  const names = body instanceof Map ? body.get("TableNames") : undefined;
  const [name] = Array.isArray(names) ? names : [];
  if (typeof name !== "string") return undefined;
  // Who may list tables need not be allowed to look at each.
  const table = await calls.run({ operation: "DescribeTable" }, () =>
    client.sdk.send(new DescribeTableCommand({ TableName: name })).catch(() => undefined),
  );
  const account = table?.Table?.TableArn?.split(":")[4] ?? "";
  return account === "" ? undefined : `account ${account}`;
}

/** Known, but not allowed to list: who restores a few tables needs no right on all of them. */
function mayNotList(error: unknown): boolean {
  return error instanceof RestoreError && awsErrorName(error.cause) === "AccessDeniedException";
}

/** Something else than DynamoDB may answer with a success, too. */
function assertTables(answer: RawAnswer, endpoint: string): void {
  const body = parsed(answer.body);
  if (body instanceof Map && Array.isArray(body.get("TableNames"))) return;
  throw new RestoreError("CALL_FAILED", `${endpoint} does not answer as DynamoDB does`);
}

function parsed(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/** A list request of a mebibyte of blanks. A server may cut the connection instead of answering what is too large. */
async function takesLargeBodies(client: DynamoDbClient, calls: Calls): Promise<boolean> {
  const body = Buffer.concat([Buffer.from('{"Limit":1'), Buffer.alloc(SMALL_BODY_BYTES, " "), Buffer.from("}")]);
  return await calls.run({ operation: "ListTables", bytes: body.length }, async () => {
    try {
      await client.listTables(body);
      return true;
    } catch {
      return false;
    }
  });
}

function serverName(headers: RawAnswer["headers"]): string {
  const { server } = headers;
  if (server === undefined) return "a DynamoDB server that gives no name";
  return server.startsWith("Jetty") ? "DynamoDB Local" : `DynamoDB (${server})`;
}

function unreachable(error: unknown, endpoint: string): unknown {
  if (error instanceof RestoreError && (error.code.startsWith("TARGET_") || error.code === "INTERRUPTED")) return error;
  return new RestoreError("TARGET_UNREACHABLE", messageOf(error), {
    where: { adapter: "dynamodb", endpoint, operation: "ListTables" },
    hint: "Check --dynamodb-endpoint and that the server is up.",
    retry: "fatal",
    cause: error,
  });
}
