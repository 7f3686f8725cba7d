/**
 * Jobs of each adapter on its real server, killed in mid-run: held against other jobs while they run, let go of with
 * nothing left beside records and nothing of others' touched, and retried.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type CliProcess, type CliProcesses, cliProcesses } from "../support/cli-process.js";
import { type DumpFile, s3Object, sqsMessage, tableSchema, temporaryDump } from "../support/dump-builder.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { runCli } from "../support/run-cli.js";
import { MIB, patterned } from "../support/s3-records.js";
import { TargetState } from "../support/target-state.js";

const MANY = 120;
/** What a killed job goes on with, or is let go of with. */
const QUICK = ["--rate-limit", "5000ops/s"];
const SLOW = ["--rate-limit", "20ops/s", "--concurrency", "1"];

const names = Array.from({ length: MANY }, (_, i) => `k${String(i).padStart(3, "0")}`);
/** No queue carries a NUL. */
const REFUSED = "no\u0000";

const FILES: Readonly<Record<string, DumpFile>> = {
  "dynamodb/orders/_schema.json": tableSchema("orders", { name: "pk", type: "S" }),
  ...Object.fromEntries(names.map((pk) => [`dynamodb/orders/items/${pk}.json`, { pk: { S: pk }, v: { S: "ours" } }])),
  "dynamodb/orders/items/refused.json": { pk: { S: "refused" }, v: { SS: [] } },
  "s3/photos/_bucket.json": { name: "photos" },
  ...s3Object("s3/photos/a-small", "ours"),
  ...s3Object("s3/photos/large", patterned(16 * MIB)),
  ...s3Object("s3/photos/z-refused", "ours", { user_metadata: { much: "x".repeat(3_000) } }),
  ...lists("redis/db_0"),
  ...lists("redis/db_1"),
  "sqs/jobs/_queue.json": { name: "jobs", redrive_policy: redriveTo("letters") },
  "sqs/jobs/messages.jsonl": names.map((body) => sqsMessage(body, { message_id: body })),
  "sqs/letters/_queue.json": { name: "letters" },
  "sqs/letters/messages.jsonl": [],
  "sqs/steps.fifo/_queue.json": { name: "steps.fifo", fifo: true },
  "sqs/steps.fifo/messages.jsonl": names.map(step),
};

function lists(folder: string): Record<string, DumpFile> {
  return Object.fromEntries(
    names.map((key) => [`${folder}/lists/${key}.json`, { format_version: 1, items: ["ours"] }]),
  );
}

function redriveTo(queue: string): string {
  const arn = `arn:aws:sqs:us-east-1:000000000000:${queue}`;
  return JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 3 });
}

/** One of them is refused. */
function step(name: string, i: number) {
  const [body, group] = i === 7 ? [REFUSED, "alone"] : [name, `g${i % 3}`];
  return sqsMessage(body, {
    message_id: name,
    message_group_id: group,
    message_deduplication_id: `d${i}`,
    sequence_number: i + 1,
  });
}

let servers: FourServers;
let target: TargetState;
let processes: CliProcesses;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let folder: string;
const running: CliProcess[] = [];

beforeAll(async () => {
  servers = await startFourServers();
  target = new TargetState(servers);
  processes = await cliProcesses();
  dump = await temporaryDump({ files: FILES });
}, 300_000);

afterAll(async () => {
  target?.close();
  await Promise.all([servers?.stop(), dump?.remove(), processes?.remove()]);
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-jobs-"));
});

afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
});

const state = () => ["--state-dir", join(folder, "state")];
const cli = (...argv: string[]) => runCli([...argv, ...state()], CLI_ENVIRONMENT);
const parsed = (text: string) => JSON.parse(text) as Record<string, unknown>;

interface Run {
  /** Of `apply`: what is restored where, and how. */
  readonly options: readonly string[];
  readonly limits?: readonly string[];
  /** Whether it is in the middle. */
  readonly isMidway: () => Promise<boolean>;
}

/** Kills a restore in the middle, after another one of the same scopes was refused. Answers its id. */
async function killed({ options, limits = SLOW, isMidway }: Run): Promise<string> {
  const apply = ["apply", dump.path, ...servers.options, ...options];
  const started = processes.start([...apply, ...limits, ...state()], CLI_ENVIRONMENT);
  running.push(started);
  const early = started.ended.then(() => Promise.reject(new Error(`it ended: ${started.said.stderr}`)));
  await Promise.race([expect.poll(isMidway, { timeout: 50_000, interval: 20 }).toBe(true), early]);
  const other = await cli(...apply, "--ttl-policy", "preserve");
  const [id = "", ...others] = await readdir(join(folder, "state", "jobs"));
  expect([other.status, other.stderr]).toEqual([1, expect.stringContaining(`restored by job ${id} (process `)]);
  expect(others).toEqual([]);
  started.child.kill("SIGKILL");
  expect(await started.ended, started.said.stderr).toBe("SIGKILL");
  await early.catch(() => undefined);
  return id;
}

/** Lets go of a job, which is over then. */
async function cancelled(id: string) {
  const answer = await cli("cancel", id, "--json", ...QUICK);
  expect(answer.status, answer.stderr).toBe(0);
  expect((await cli("resume", id)).stderr).toContain(`job ${id} has ended`);
  const job = parsed(answer.stdout);
  const { left } = job;
  expect(parsed((await cli("status", id, "--json")).stdout)).toMatchObject({ state: "cancelled", left });
  return job;
}

async function transform(body: string): Promise<string[]> {
  const path = join(folder, "transform.mjs");
  await writeFile(path, `export default (record) => { ${body}; return record; };`);
  return ["--transform", path];
}

describe("dynamodb", () => {
  const count = async () => Object.keys(await target.items("orders").catch(() => ({}))).length;
  const run = { options: ["--adapter", "dynamodb"], isMidway: async () => (await count()) > 0 };

  it("a killed job is let go of: what it restored stays, and it is restored anew", async () => {
    const id = await killed(run);
    const restored = await count();
    expect(await cancelled(id)).toMatchObject({ job: id, left: [], targetsReached: true });
    expect(await count()).toBe(restored);
    const anew = await cli("apply", dump.path, ...servers.options, ...run.options, "--mode", "merge", "--json");
    expect([anew.status, parsed(anew.stdout)["totals"]]).toMatchObject([3, { restored: MANY, rejected: 1 }]);
  });

  it("a retry restores what was rejected once it is mended, and nothing else", async () => {
    const options = ["--rename", "dynamodb:orders=again"];
    const first = await cli("apply", dump.path, ...servers.options, ...run.options, ...options, "--json");
    expect(first.status, first.stderr).toBe(3);
    await target.putItem("again", { pk: { S: "k007" }, v: { S: "theirs" } });
    const mended = await transform(`record.item.v = { S: "mended" }`);
    const retried = await cli("retry", String(parsed(first.stdout)["job"]), "--json", ...mended);
    expect(parsed(retried.stdout), retried.stderr).toMatchObject({ recordsRead: 1, totals: { restored: 1 } });
    expect(await target.items("again")).toMatchObject({ k007: "theirs", k008: "ours", refused: "mended" });
  });
});

describe("s3", () => {
  const uploads = async (key: string) => {
    // MinIO lists the uploads of a key, and none without one.
    const answer = await target.s3.send(new ListMultipartUploadsCommand({ Bucket: "photos", Prefix: key }));
    return (answer.Uploads ?? []).map(({ UploadId = "" }) => UploadId);
  };
  const begin = async (key: string) =>
    (await target.s3.send(new CreateMultipartUploadCommand({ Bucket: "photos", Key: key }))).UploadId ?? "";
  const parts = async (id: string) =>
    (await target.s3.send(new ListPartsCommand({ Bucket: "photos", Key: "large", UploadId: id }))).Parts?.length ?? 0;

  it("a job that was killed in mid-upload is let go of: its uploads go, and no others", async () => {
    await target.createBucket("photos");
    const theirs = { large: [await begin("large")], elsewhere: [await begin("elsewhere")] };
    const isMidway = async () => {
      const own = (await uploads("large")).filter((id) => !theirs.large.includes(id));
      return own[0] !== undefined && (await parts(own[0])) > 0;
    };
    const options = ["--adapter", "s3", "--mode", "merge", "--multipart-threshold", "5MiB"];
    const id = await killed({ options, limits: ["--rate-limit", "s3=3MiB/s", "--concurrency", "1"], isMidway });
    expect(await uploads("large")).toHaveLength(2);
    const held = await target.objects("photos");
    expect(await cancelled(id)).toMatchObject({ underWay: expect.any(Number) as number, left: [] });
    expect({ large: await uploads("large"), elsewhere: await uploads("elsewhere") }).toEqual(theirs);
    expect(await target.objects("photos")).toEqual(held);
  });

  it("a retry restores what was rejected once it is mended, and nothing else", async () => {
    const options = ["--adapter", "s3", "--rename", "s3:photos=again"];
    const first = await cli("apply", dump.path, ...servers.options, ...options, "--json");
    expect(first.status, first.stderr).toBe(3);
    const mended = await transform(`record.metadata.user = []`);
    const retried = await cli("retry", String(parsed(first.stdout)["job"]), "--json", ...mended);
    expect(parsed(retried.stdout), retried.stderr).toMatchObject({ recordsRead: 1, totals: { restored: 1 } });
    expect(Object.keys(await target.objects("again"))).toEqual(["a-small", "large", "z-refused"]);
  });
});

describe("sqs", () => {
  const depth = async (queue: string) =>
    (await target.queues.exists(queue)) ? (await target.queues.depths(queue))[0] : 0;

  it("a killed job is let go of: its messages stay, and what would have come last is said", async () => {
    const rename = ["--rename", "sqs:*=gone-*"];
    const isMidway = async () => (await depth("gone-jobs")) > 0;
    const id = await killed({ options: ["--adapter", "sqs", "--scope", "sqs=jobs", ...rename], isMidway });
    const sent = await depth("gone-jobs");
    const left = ["sqs:jobs: the dump's RedrivePolicy was not set: that would have come last"];
    expect(await cancelled(id)).toMatchObject({ left, targetsReached: true });
    expect(await depth("gone-jobs")).toBe(sent);
  });

  it("messages in doubt of a killed job are sent again by a retry, all others once, and the order is said", async () => {
    const rename = ["--rename", "sqs:*=doubt-*"];
    const isMidway = async () => (await depth("doubt-jobs")) > 0;
    const id = await killed({ options: ["--adapter", "sqs", "--scope", "sqs=jobs", ...rename], isMidway });
    const resumed = await cli("resume", id, "--json", ...QUICK);
    expect(resumed.status, resumed.stderr).toBe(3);
    const report = parsed(resumed.stdout) as unknown as { listed: { key: string; outcome: string }[] };
    const inDoubt = report.listed.filter(({ outcome }) => outcome === "ambiguous").map(({ key }) => key);
    expect(inDoubt.length).toBeLessThanOrEqual(10);
    const retried = await cli("retry", id, "--only", "ambiguous", "--json");
    expect(parsed(retried.stdout), retried.stderr).toMatchObject({
      recordsRead: inDoubt.length,
      totals: { restored: inDoubt.length },
    });
    expect(retried.stderr).toContain("their queues' order is another one");
    const bodies = await target.queues.bodies("doubt-jobs");
    const copies = (name: string) => bodies.filter((body) => body === name).length;
    const certain = names.filter((name) => !inDoubt.includes(name));
    expect(certain.filter((name) => copies(name) !== 1)).toEqual([]);
    expect(inDoubt.filter((name) => copies(name) < 2 || copies(name) > 3)).toEqual([]);
  });

  it("a FIFO queue's rejected message comes behind the others once it is mended, and no other one again", async () => {
    const rename = ["--rename", "sqs:*=again-*"];
    const isMidway = async () => (await depth("again-steps.fifo")) > 0;
    const id = await killed({ options: ["--adapter", "sqs", "--scope", "sqs=steps.fifo", ...rename], isMidway });
    const resumed = await cli("resume", id, "--json", ...QUICK);
    expect(parsed(resumed.stdout), resumed.stderr).toMatchObject({ totals: { restored: MANY - 1, rejected: 1 } });
    const mended = await transform(`record.body = "mended"`);
    const retried = await cli("retry", id, "--json", ...mended);
    expect(parsed(retried.stdout), retried.stderr).toMatchObject({ recordsRead: 1, totals: { restored: 1 } });
    expect(retried.stderr).toContain("their queues' order is another one");
    const bodies = await target.queues.bodies("again-steps.fifo");
    expect([...bodies].sort()).toEqual([...names.filter((_, i) => i !== 7), "mended"].sort());
    for (const group of [0, 1, 2]) {
      const own = names.filter((_, i) => i % 3 === group && i !== 7);
      expect(bodies.filter((body) => own.includes(body))).toEqual(own);
    }
  });
});

describe("redis", () => {
  it("markers of what was appended go with the job, of every database, whether a record was under way or not", async () => {
    const options = ["--adapter", "redis", "--mode", "merge", "--list-merge-strategy", "append"];
    const [first, second] = [target.redis(0), target.redis(1)];
    const markers = async () => [...(await first.keys("elastickv-restore:*")), ...(await second.keys("elastickv-*"))];
    const isMidway = async () => (await first.dbsize()) > 1 && (await second.dbsize()) > 1;
    const id = await killed({ options, isMidway });
    expect((await markers()).length).toBeGreaterThan(1);
    expect(await cancelled(id)).toMatchObject({ left: [], targetsReached: true });
    expect(await markers()).toEqual([]);
    expect(await first.lrange(names[0] ?? "", 0, -1)).toEqual(["ours"]);
  });
});
