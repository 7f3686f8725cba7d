/** The daemon as people run it is killed again and again at random moments, with jobs of every kind and of every protocol. */
import { GetObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { reportSchema } from "../../src/run/report.js";
import { type DumpFile, s3Object, sqsMessage, tableSchema } from "../support/dump-builder.js";
import { EndToEnd } from "../support/end-to-end.js";
import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import { MIB, patterned } from "../support/s3-records.js";
import { ENDS, Served } from "../support/served.js";
import { assertEventsWhole, killAgainAndAgain, provesKills, randomly, servedOnRedis } from "../support/served-kills.js";

const MINUTES = 60_000;
const ROUNDS = [1, 2, 3];

describe("with a job of every kind under way in Redis", () => {
  const on = servedOnRedis(300);
  it.each(ROUNDS)(
    "all end once, the targets are exact, and nothing is left behind (round %i)",
    async () => await provesKills(on, { times: 8, withinMs: 4_000, perSecond: 60 }),
    10 * MINUTES,
  );
});

describe("with a restore into tables, buckets and queues under way", () => {
  const RECORDS = 250;
  const GROUPS = 5;
  const { servers, target, own } = proxied(new EndToEnd());
  const numbered = (name: string) => Array.from({ length: RECORDS }, (_, i) => `${name}${String(i).padStart(3, "0")}`);
  let served: Served;
  let names: { readonly table: string; readonly bucket: string; readonly jobs: string; readonly steps: string };

  function files(): Record<string, DumpFile> {
    const { table, bucket, jobs, steps } = names;
    const items = numbered("i").map((pk) => [
      `dynamodb/${table}/items/${pk}.json`,
      { pk: { S: pk }, v: { S: "ours" } },
    ]);
    const objects = numbered("o").map((key) => s3Object(`s3/${bucket}/${key}`, `ours ${key}`));
    const ordered = numbered("s").map((body, i) =>
      sqsMessage(body, {
        ...{ message_id: body, message_group_id: `g${i % GROUPS}` },
        ...{ message_deduplication_id: `d${i}`, sequence_number: i + 1 },
      }),
    );
    return {
      [`dynamodb/${table}/_schema.json`]: tableSchema(table, { name: "pk", type: "S" }),
      ...(Object.fromEntries(items) as Record<string, DumpFile>),
      [`s3/${bucket}/_bucket.json`]: { name: bucket },
      ...(Object.assign({}, ...objects) as Record<string, DumpFile>),
      ...s3Object(`s3/${bucket}/large`, patterned(12 * MIB)),
      [`sqs/${jobs}/_queue.json`]: { name: jobs },
      [`sqs/${jobs}/messages.jsonl`]: numbered("m").map((body) => sqsMessage(body, { message_id: body })),
      [`sqs/${steps}/_queue.json`]: { name: steps, fifo: true },
      [`sqs/${steps}/messages.jsonl`]: ordered,
    };
  }

  beforeEach(async () => {
    names = { table: own("orders"), bucket: own("photos"), jobs: own("jobs"), steps: own("steps.fifo") };
    const { dynamodb, s3, sqs } = servers();
    const at = ({ endpoint }: { readonly endpoint: string }) => ({ endpoint, region: "us-east-1" });
    served = await Served.make({
      targets: { here: { dynamodb: at(dynamodb), s3: at(s3), sqs: at(sqs) } },
      dumps: { one: { files: files() } },
      env: CLI_ENVIRONMENT,
    });
    await served.start();
  }, 5 * MINUTES);

  afterEach(async () => {
    await served?.remove();
  });

  it.each(ROUNDS)(
    "it ends once, and what stands there is the dump: only what the report has in doubt may be there twice (round %i)",
    async () => {
      const random = randomly();
      const request: JobRequest = {
        ...{ kind: "apply", dump: { root: "backups", path: "one" }, target: "here" },
        options: { multipartThreshold: "5MiB" },
        limits: { rateLimit: "dynamodb=30ops/s,s3=15ops/s,sqs=4ops/s", concurrency: "2" },
      };
      const id = await served.submit(request);
      const followed = served.follow(id);
      await killAgainAndAgain(served, { times: 6, withinMs: 5_000, random });
      const job = await served.until(id, ENDS, 5 * MINUTES);
      expect(job.state, JSON.stringify(job.error)).toBe("finished");
      assertEventsWhole(await followed);
      const report = reportSchema.parse(await served.get<object>(`/v1/jobs/${id}/report`));
      const { restored, ambiguous } = report.totals;
      expect([report.status, restored + ambiguous, report.recordsRead]).toEqual([
        "finished",
        4 * RECORDS + 1,
        4 * RECORDS + 1,
      ]);

      const { table, bucket, jobs, steps } = names;
      const wanted = (name: string, value: (each: string) => string) =>
        Object.fromEntries(numbered(name).map((each) => [each, value(each)]));
      expect(await target().items(table)).toEqual(wanted("i", () => "ours"));
      const { large: _large, ...small } = await target().objects(bucket);
      expect(small).toEqual(wanted("o", (key) => `ours ${key}`));
      const { Body } = await target().s3.send(new GetObjectCommand({ Bucket: bucket, Key: "large" }));
      const large = Buffer.from((await Body?.transformToByteArray()) ?? []);
      expect(large.equals(patterned(12 * MIB))).toBe(true);
      const { Uploads = [] } = await target().s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      expect(Uploads).toEqual([]);

      const doubtful = await served.get<{ rejects: { key: string; scope: string }[] }>(
        `/v1/jobs/${id}/rejects?outcome=ambiguous`,
      );
      expect(doubtful.rejects.filter(({ scope }) => scope === steps)).toEqual([]);
      const ordered = (await target().queues.drain(steps)).map(({ Body = "", Attributes }) => {
        return [Attributes?.["MessageGroupId"], Body] as const;
      });
      for (let group = 0; group < GROUPS; group++) {
        const bodies = ordered.flatMap(([of, body]) => (of === `g${group}` ? [body] : []));
        expect(bodies).toEqual(numbered("s").filter((_, i) => i % GROUPS === group));
      }
      const bodies = (await target().queues.drain(jobs)).map(({ Body = "" }) => Body);
      expect([...new Set(bodies)].sort()).toEqual(numbered("m"));
      const twice = bodies.filter((body, at) => bodies.indexOf(body) !== at);
      const inDoubt = new Set(doubtful.rejects.map(({ key }) => key));
      expect(twice.filter((body) => !inDoubt.has(body))).toEqual([]);
      await expect.poll(() => served.processes()).toHaveLength(1);
    },
    15 * MINUTES,
  );
});

/** What is there only once its servers have started. */
function proxied(bench: EndToEnd) {
  return { servers: () => bench.servers, target: () => bench.target, own: bench.own };
}
