/** What a table has that one made anew from the dump would lack, beside its items, where the target tells. */
import {
  DescribeContinuousBackupsCommand,
  DescribeKinesisStreamingDestinationCommand,
  DescribeTimeToLiveCommand,
  GetResourcePolicyCommand,
  ListTagsOfResourceCommand,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import type { TableSchema } from "../../model/scope.js";
import type { Calls } from "../calls.js";
import type { DynamoDbClient } from "./client.js";
import { indexFindings, indexLabel } from "./schema-differences.js";

/** One phrase each: `its tags`. What the target does not know or does not tell is none. Changes nothing. */
export async function tableLosses(
  { client, calls }: { readonly client: DynamoDbClient; readonly calls: Calls },
  name: string,
  table: TableDescription,
): Promise<string[]> {
  /** Not every target knows these operations, and not everybody may use them. */
  const ifTold = async <T>(operation: string, ask: () => Promise<T>): Promise<T | undefined> =>
    await calls.run({ operation, scope: name }, () => ask().catch(() => undefined));

  const ttl = await ifTold("DescribeTimeToLive", async () => {
    const answer = await client.sdk.send(new DescribeTimeToLiveCommand({ TableName: name }));
    return answer.TimeToLiveDescription;
  });
  const recovery = await ifTold("DescribeContinuousBackups", async () => {
    const answer = await client.sdk.send(new DescribeContinuousBackupsCommand({ TableName: name }));
    return answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  });
  const kinesis = await ifTold("DescribeKinesisStreamingDestination", async () => {
    const answer = await client.sdk.send(new DescribeKinesisStreamingDestinationCommand({ TableName: name }));
    return answer.KinesisDataStreamDestinations;
  });
  const arn = table.TableArn;
  const tags = await ifTold("ListTagsOfResource", async () => {
    if (arn === undefined) return undefined;
    return (await client.sdk.send(new ListTagsOfResourceCommand({ ResourceArn: arn }))).Tags;
  });
  const policy = await ifTold("GetResourcePolicy", async () => {
    if (arn === undefined) return undefined;
    return (await client.sdk.send(new GetResourcePolicyCommand({ ResourceArn: arn }))).Policy;
  });
  return [
    ...described(table),
    ...(ttl?.TimeToLiveStatus === "ENABLED" || ttl?.TimeToLiveStatus === "ENABLING"
      ? ["its time to live setting"]
      : []),
    ...(recovery?.PointInTimeRecoveryStatus === "ENABLED" ? ["its point-in-time recovery"] : []),
    ...((kinesis ?? []).some(({ DestinationStatus }) => DestinationStatus === "ACTIVE")
      ? ["its stream to Kinesis"]
      : []),
    ...((tags ?? []).length > 0 ? ["its tags"] : []),
    ...(policy === undefined ? [] : ["its resource policy"]),
  ];
}

function described(table: TableDescription): string[] {
  const losses: string[] = [];
  if (table.StreamSpecification?.StreamEnabled === true) losses.push("its stream");
  if ((table.Replicas ?? []).length > 0) losses.push("its replicas in other regions");
  if (table.SSEDescription?.KMSMasterKeyArn !== undefined) losses.push("its encryption key");
  if (table.TableClassSummary?.TableClass === "STANDARD_INFREQUENT_ACCESS") losses.push("its table class");
  return losses;
}

/** What the dump's schema says otherwise than the table, in the same form. */
export function schemaLosses(schema: TableSchema, table: TableDescription): string[] {
  const extra = indexFindings(schema, table).filter(({ state }) => state !== "missing");
  const { ReadCapacityUnits: read = 0, WriteCapacityUnits: write = 0 } = table.ProvisionedThroughput ?? {};
  const isProvisioned = schema.throughput === undefined && read > 0 && write > 0;
  return [
    ...(table.DeletionProtectionEnabled === true ? ["its protection against deletion"] : []),
    ...extra.map((finding) => `its ${indexLabel(finding)}${finding.state === "other" ? " as it is" : ""}`),
    ...(isProvisioned ? [`its provisioned throughput (${read} reads and ${write} writes a second)`] : []),
  ];
}
