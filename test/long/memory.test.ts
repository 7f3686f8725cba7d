/**
 * Memory is bounded by settings, not by the dump: records and files far larger than the bound pass through the built
 * command line into real servers, whole.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import {
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BigDump, differingBlocks } from "../../bench/big-dump.js";
import { LIMIT_BYTES, MEBIBYTE } from "../../bench/limit.js";
import type { Settings } from "../../bench/scenario.js";
import { scenariosNamed } from "../../bench/scenarios.js";
import { BIN, runWatched } from "../../bench/watched-process.js";
import { startElasticMq } from "../../testcontainers/elasticmq.js";
import { startRedis } from "../../testcontainers/redis.js";
import { LOCAL_CREDENTIALS, type RunningServer } from "../../testcontainers/server.js";

import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import type { WrittenReport } from "../support/run-cli.js";

const TIMEOUT_MS = 1_200_000;
/** Of the size of a measurement. */
const WHOLE = 0.08;
/** Between a quarter and the whole: tables of names, which fill up before they go to disk, and garbage of the moment. */
const MOST_GROWTH_MIB = 32;
/** After the last message was sent, in a row. */
const EMPTY_ANSWERS_WANTED = 3;

let dump: BigDump;
let server: RunningServer | undefined;
let reports: string;

beforeAll(async () => {
  await promisify(execFile)("npm", ["run", "build"], { cwd: join(import.meta.dirname, "..", "..") });
  reports = mkdtempSync(join(tmpdir(), "elastickv-restore-reports-"));
}, TIMEOUT_MS);
afterAll(() => {
  rmSync(reports, { recursive: true, force: true });
});
beforeEach(async () => {
  dump = await BigDump.create();
});
afterEach(async () => {
  await server?.stop();
  await dump.remove();
});

/** Restores within the bound, with so many records restored and none ended otherwise. */
async function restoreWithinBound(records: number, ...options: string[]): Promise<void> {
  const path = join(reports, "report.json");
  const argv = ["apply", dump.path, ...options, "--progress", "none", "--report", path];
  const { status, stderr, peakBytes } = await runWatched(argv, CLI_ENVIRONMENT);
  expect(status, stderr).toBe(0);
  const report = JSON.parse(readFileSync(path, "utf8")) as WrittenReport;
  expect(report.totals).toMatchObject({ restored: records, failed: 0, rejected: 0, ambiguous: 0 });
  expect(peakBytes / MEBIBYTE).toBeGreaterThan(20);
  expect(peakBytes / MEBIBYTE).toBeLessThanOrEqual(LIMIT_BYTES / MEBIBYTE);
}

describe("within 256 MiB", () => {
  it(
    "a string of 400 MB goes into Redis whole",
    async () => {
      const digest = await dump.add("redis/db_0/strings/big.bin", differingBlocks(400_000_000));
      await dump.seal();
      server = await startRedis();
      await restoreWithinBound(1, "--redis-url", server.endpoint);
      await withRedis(server, async (client) => {
        expect(await client.strlen("big")).toBe(400_000_000);
        const hash = createHash("sha256");
        for (let at = 0; at < 400_000_000; at += 16 * MEBIBYTE) {
          hash.update((await client.getrangeBuffer("big", at, at + 16 * MEBIBYTE - 1)) ?? "");
        }
        expect(hash.digest("hex")).toBe(digest);
        expect(await client.dbsize()).toBe(1);
      });
    },
    TIMEOUT_MS,
  );

  // Each is tried at its full size by `npm run bench -- memory`; its large messages have a stricter test below.
  it.each(scenariosNamed("memory").filter(({ name }) => name !== "memory/sqs-large"))(
    "$title: arrive whole, and four times as many take no more memory",
    async (scenario) => {
      const few = await scenario.measure(settingsAt(WHOLE / 4));
      const many = await scenario.measure(settingsAt(WHOLE));
      expect([...few.faults, ...many.faults]).toEqual([]);
      const [quarter, whole] = [few, many].map(({ peakBytes }) => Math.round(peakBytes / MEBIBYTE)) as [number, number];
      const told = `${quarter} MiB at a quarter, ${whole} MiB at the whole`;
      expect(quarter, told).toBeGreaterThan(20);
      expect(whole - quarter, told).toBeLessThanOrEqual(MOST_GROWTH_MIB);
    },
    TIMEOUT_MS,
  );

  it(
    "a file of messages of 500 MB goes into a queue, each message once",
    async () => {
      const count = 8_300;
      await dump.add("sqs/mail/_queue.json", ['{"format_version":1,"name":"mail"}']);
      await dump.add("sqs/mail/messages.jsonl", messageLines(count));
      await dump.seal();
      server = await startElasticMq();
      // The server holds all messages in its own memory, which is smaller than the file: taken out while they come.
      const consumer = new Consumer(server);
      await restoreWithinBound(count, "--sqs-endpoint", server.endpoint);
      const taken = await consumer.takeRest();
      expect(taken.size).toBe(count);
      expect([...taken.values()].filter((times) => times !== 1)).toEqual([]);
      for (let index = 0; index < count; index++) expect(taken.has(digestOf(messageBody(index)))).toBe(true);
    },
    TIMEOUT_MS,
  );
});

function settingsAt(scale: number): Settings {
  return { scale, rounds: 1, bin: BIN, peers: false, tell: () => undefined };
}

function messageBody(index: number): string {
  return `${index} `.padEnd(60_000, String.fromCharCode(97 + (index % 26)));
}

function* messageLines(count: number): Generator<string> {
  for (let index = 0; index < count; index++) {
    const fields = { send_timestamp_millis: 1_777_000_000_000 + index, available_at_millis: 1_777_000_000_000 + index };
    yield `${JSON.stringify({ message_id: `m-${index}`, body: messageBody(index), ...fields })}\n`;
  }
}

function digestOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** Takes messages out of the queue `mail` and counts how often each body came. */
class Consumer {
  readonly #client: SQSClient;
  readonly #taken = new Map<string, number>();
  readonly #running: Promise<void>;
  #last = false;

  constructor(server: RunningServer) {
    this.#client = new SQSClient({ ...settings(server), useQueueUrlAsEndpoint: false });
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** After the last message was sent: takes what is left. */
  async takeRest(): Promise<ReadonlyMap<string, number>> {
    this.#last = true;
    await this.#running;
    this.#client.destroy();
    return this.#taken;
  }

  async #run(): Promise<void> {
    for (let emptyAnswers = 0; emptyAnswers < EMPTY_ANSWERS_WANTED; ) {
      const last = this.#last;
      const came = await this.#take();
      if (came === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      emptyAnswers = last && came === 0 ? emptyAnswers + 1 : 0;
    }
  }

  async #take(): Promise<number> {
    const QueueUrl = await this.#client.send(new GetQueueUrlCommand({ QueueName: "mail" })).then(
      ({ QueueUrl: url }) => url,
      (error: unknown) => {
        if (error instanceof QueueDoesNotExist) return undefined;
        throw error;
      },
    );
    if (QueueUrl === undefined) return 0;
    const request = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 });
    const { Messages = [] } = await this.#client.send(request);
    for (const { Body = "" } of Messages) {
      const digest = digestOf(Body);
      this.#taken.set(digest, (this.#taken.get(digest) ?? 0) + 1);
    }
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    if (Entries.length > 0) await this.#client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    return Messages.length;
  }
}

async function withRedis(running: RunningServer, use: (client: Redis) => Promise<void>): Promise<void> {
  const client = new Redis(running.endpoint, { protocol: 2 });
  try {
    await use(client);
  } finally {
    client.disconnect();
  }
}

function settings(running: RunningServer) {
  return { endpoint: running.endpoint, region: "us-east-1", credentials: LOCAL_CREDENTIALS };
}
