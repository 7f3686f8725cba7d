/** Schedules and their webhooks, with a receiver that listens on a real socket. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createPlainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseYamlFile } from "../../src/cli/yaml-file.js";
import { Outbox } from "../../src/daemon/schedules/outbox.js";
import { SIGNATURE_HEADER, signatureOf } from "../../src/daemon/schedules/signature.js";
import { Webhooks } from "../../src/daemon/schedules/webhooks.js";
import { webhookBodySchema } from "../../src/daemon/schema/schedule.js";
import { daemonSchema } from "../../src/daemon/settings.js";
import { systemClock } from "../../src/support/clock.js";
import { HAS_OPENSSL, newAuthority } from "../support/certificates.js";
import { type HeldClock, heldClock } from "../support/held-clock.js";
import { runsOf, SECRET, schedulesBench } from "../support/schedules.js";

const START = Date.parse("2026-01-10T00:00:00Z");
const HOUR = 3_600_000;
const id = (at: number) => at.toString(16).padStart(32, "0");

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
}

/** `hang`: no answer. */
type Reply = number | "hang" | "reset" | { readonly status: number; readonly headers: Record<string, string> };

let folder: string;
let clock: HeldClock;
let servers: Server[];
let children: ChildProcess[];
let ending: AbortController;
let running: Promise<void>[];
let log: { level: string; why: unknown; text: string | undefined }[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-webhooks-"));
  clock = heldClock(START);
  [servers, children, ending, running, log] = [[], [], new AbortController(), [], []];
});
afterEach(async () => {
  await stop();
  for (const child of children) child.kill();
  for (const server of servers) {
    server.closeAllConnections?.();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

/** Answers as told, one after the other, the last one for ever. */
async function receiver(...replies: readonly Reply[]): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer();
  server.on("request", (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const reply = replies[Math.min(received.length, replies.length - 1)] ?? 204;
      const { method, url, headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      if (reply === "hang") return;
      if (reply === "reset") return request.socket.destroy();
      const { status, headers: answered } = typeof reply === "number" ? { status: reply, headers: {} } : reply;
      return response.writeHead(status, answered).end("an answer that nobody reads");
    });
  });
  return { url: `${await listen(server)}/hook?key=1`, received };
}

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function outbox(most?: number): Promise<Outbox> {
  const directory = join(folder, "daemon", "outbox");
  return await Outbox.open({ directory, warn: () => undefined, ...(most === undefined ? {} : { most }) });
}

async function begin(urls: Readonly<Record<string, string>>, most?: number): Promise<Webhooks> {
  const write = (level: string) => (fields: unknown, text?: string) => {
    log.push({ level, why: (fields as { why?: unknown }).why, text });
  };
  const webhooks = new Webhooks({
    webhooks: Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, { url, secret: SECRET }])),
    outbox: await outbox(most),
    clock,
    log: { info: write("info"), warn: write("warn"), error: write("error") } as never,
    random: () => 0.999,
  });
  running.push(webhooks.run(ending.signal));
  return webhooks;
}

async function stop(): Promise<void> {
  ending.abort();
  await Promise.all(running);
  ending = new AbortController();
}

const waiting = async () => (await readdir(join(folder, "daemon", "outbox"))).length;
const logged = (text: string) => expect.poll(() => log.filter((line) => line.text === text).length, { interval: 2 });
const TOLD = "a webhook was told";
const PUT_OFF = "a webhook was not told yet; it is tried again";
const GIVEN_UP = "a webhook was not told, and will not be";

test("a message is posted once, signed, and gone from the outbox when it was taken", async () => {
  const { url, received } = await receiver(204);
  const webhooks = await begin({ ops: url });
  await webhooks.send({ id: id(1), webhook: "ops", body: '{"text":"ä"}' });
  await logged(TOLD).toBe(1);
  expect(received).toMatchObject([{ method: "POST", url: "/hook?key=1", body: '{"text":"ä"}' }]);
  const headers = received[0]?.headers ?? {};
  expect(headers).toMatchObject({ "content-type": "application/json", "x-elastickv-restore-id": id(1) });
  const t = START / 1000;
  const expected = createHmac("sha256", SECRET).update(`${t}.{"text":"ä"}`).digest("hex");
  expect(headers["x-elastickv-restore-signature"]).toBe(`t=${t},v1=${expected}`);
  expect(await waiting()).toBe(0);
});

test("a failure of the receiver is tried again later, the same under the same id, signed anew", async () => {
  const { url, received } = await receiver(500, "reset", 200);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(PUT_OFF).toBe(1);
  clock.pass(4_000);
  expect(received).toHaveLength(1);
  clock.pass(1_000);
  await logged(PUT_OFF).toBe(2);
  clock.pass(10_000);
  await logged(TOLD).toBe(1);
  expect(received.map(({ headers }) => headers["x-elastickv-restore-id"])).toEqual([id(1), id(1), id(1)]);
  const times = received.map(({ headers }) => /^t=(\d+)/.exec(String(headers["x-elastickv-restore-signature"]))?.[1]);
  expect(times.map(Number)).toEqual([0, 5, 15].map((seconds) => START / 1000 + seconds));
  expect(log.map(({ why }) => why)).toEqual([
    "it answered 500",
    expect.stringMatching(/hang up|ECONNRESET/),
    undefined,
  ]);
});

test("a message that went for a newer one while it was sent is not said to be tried again", async () => {
  const { url, received } = await receiver("hang");
  const webhooks = await begin({ ops: url }, 1);
  await webhooks.send({ id: id(1), webhook: "ops", body: "{}" });
  await expect.poll(() => received.length).toBe(1);
  await webhooks.send({ id: id(2), webhook: "ops", body: "{}" });
  clock.pass(15_000);
  await expect.poll(() => received.length).toBe(2);
  expect(log.map(({ level, text }) => `${level}: ${text}`)).toEqual([`error: ${GIVEN_UP}`]);
});

test("a redirect is not followed, and is tried again", async () => {
  const other = await receiver(200);
  const { url, received } = await receiver({ status: 307, headers: { Location: other.url } }, 200);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(PUT_OFF).toBe(1);
  clock.pass(5_000);
  await logged(TOLD).toBe(1);
  expect([received.length, other.received.length]).toEqual([2, 0]);
});

test.each([400, 401, 404, 410, 413])("an answer of %i refuses a message for good", async (status) => {
  const { url, received } = await receiver(status);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(GIVEN_UP).toBe(1);
  expect([received.length, await waiting()]).toEqual([1, 0]);
  expect(log).toMatchObject([{ level: "error", why: `it answered ${status}` }]);
});

test.each([408, 425, 429])("an answer of %i is tried again when the receiver asks for it", async (status) => {
  const { url } = await receiver({ status, headers: { "Retry-After": "50" } }, 200);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(PUT_OFF).toBe(1);
  clock.pass(49_000);
  await logged(TOLD).toBe(0);
  clock.pass(1_000);
  await logged(TOLD).toBe(1);
});

test("a receiver that does not answer in time counts as one that failed", async () => {
  const { url, received } = await receiver("hang", 200);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await expect.poll(() => received.length).toBe(1);
  clock.pass(15_000);
  await logged(PUT_OFF).toBe(1);
  expect(log[0]?.why).toBe("it gave no answer in time");
  clock.pass(5_000);
  await logged(TOLD).toBe(1);
});

test("what was not delivered is sent after a restart", async () => {
  const { url, received } = await receiver("hang", 200);
  const webhooks = await begin({ ops: url });
  await webhooks.send({ id: id(1), webhook: "ops", body: "{}" });
  await expect.poll(() => received.length).toBe(1);
  await stop();
  expect([await waiting(), log]).toEqual([1, []]);
  await begin({ ops: url });
  await logged(TOLD).toBe(1);
  expect(received.map(({ headers }) => headers["x-elastickv-restore-id"])).toEqual([id(1), id(1)]);
});

test("a message that is sent again while it waits is the one that is there", async () => {
  const { url, received } = await receiver(500, 200);
  const webhooks = await begin({ ops: url });
  await webhooks.send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(PUT_OFF).toBe(1);
  await webhooks.send({ id: id(1), webhook: "ops", body: "{}" });
  clock.pass(4_000);
  await webhooks.send({ id: id(2), webhook: "ops", body: "{}" });
  await logged(TOLD).toBe(1);
  expect(received.map(({ headers }) => headers["x-elastickv-restore-id"])).toEqual([id(1), id(2)]);
});

test("a message that was put off before the clock was set back does not wait for the old time", async () => {
  const { url } = await receiver(500, 200);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(PUT_OFF).toBe(1);
  clock.set(START - 24 * HOUR);
  clock.pass(60_000);
  await logged(TOLD).toBe(1);
});

test("an answer that is none of HTTP's for a request counts as a failure", async () => {
  const server = createPlainServer((socket) => {
    socket.once("data", () =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
    );
    socket.on("error", () => undefined);
  });
  const url = await listen(server as Server);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(PUT_OFF).toBe(1);
  expect(log[0]?.why).toBe("the connection was closed without an answer");
});

test("a message is given up after a day", async () => {
  const { url, received } = await receiver(503);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  for (let attempts = 1; log.at(-1)?.text !== GIVEN_UP; attempts++) {
    await expect.poll(() => log.length, { interval: 1 }).toBe(attempts);
    if (log.at(-1)?.text === PUT_OFF) clock.pass(15 * 60_000);
  }
  expect(await waiting()).toBe(0);
  expect(clock.now() - START).toBeGreaterThan(23 * HOUR);
  expect(received.length).toBeGreaterThan(90);
  expect(received.length).toBeLessThan(110);
});

test("a message for a webhook that is configured no more is not sent", async () => {
  const { url, received } = await receiver(200);
  await (await outbox()).put({ id: id(1), webhook: "old", body: "{}", createdAt: START, attempts: 0, nextAt: START });
  await begin({ ops: url });
  await expect.poll(waiting).toBe(0);
  expect(received).toEqual([]);
});

test("one message a webhook is under way, and one that hangs holds up no other", async () => {
  const hanging = await receiver("hang");
  const good = await receiver(200);
  const webhooks = await begin({ hanging: hanging.url, good: good.url });
  for (const at of [1, 2, 3]) await webhooks.send({ id: id(at), webhook: "hanging", body: "{}" });
  for (const at of [4, 5, 6]) await webhooks.send({ id: id(at), webhook: "good", body: "{}" });
  await logged(TOLD).toBe(3);
  expect([hanging.received.length, good.received.length]).toEqual([1, 3]);
});

test("a few requests are under way at once, however many webhooks there are", async () => {
  const receivers = await Promise.all(Array.from({ length: 7 }, () => receiver("hang")));
  const names = receivers.map((_, at) => `w${at}`);
  const webhooks = await begin(Object.fromEntries(receivers.map(({ url }, at) => [`w${at}`, url])));
  for (const [at, webhook] of names.entries()) await webhooks.send({ id: id(at), webhook, body: "{}" });
  const reached = () => receivers.filter(({ received }) => received.length > 0).length;
  await expect.poll(reached).toBe(4);
  clock.pass(15_000);
  await expect.poll(reached).toBe(7);
});

test("no proxy of the environment is asked", async () => {
  const proxy = await receiver(200);
  const { url } = await receiver(200);
  for (const name of ["http_proxy", "HTTP_PROXY", "all_proxy", "NODE_USE_ENV_PROXY"]) vi.stubEnv(name, proxy.url);
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(TOLD).toBe(1);
  vi.unstubAllEnvs();
  expect(proxy.received).toEqual([]);
});

test("an address where nobody listens is tried again, and no path or query of it is logged", async () => {
  const { url } = await receiver(200);
  servers.pop()?.close();
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(PUT_OFF).toBe(1);
  expect(log[0]?.why).toContain("ECONNREFUSED");
  expect(JSON.stringify(log)).not.toMatch(/\/hook|key=/);
});

test.skipIf(!HAS_OPENSSL)("a certificate that is not trusted is tried again, and nothing is sent", async () => {
  const authority = await newAuthority();
  const { cert, key } = await authority.issue("IP:127.0.0.1");
  let requests = 0;
  const server = createTlsServer({ cert: await readFile(cert), key: await readFile(key) }, () => requests++);
  const url = (await listen(server as unknown as Server)).replace("http:", "https:");
  await (await begin({ ops: url })).send({ id: id(1), webhook: "ops", body: "{}" });
  await logged(PUT_OFF).toBe(1);
  await authority.remove();
  expect(log[0]?.why).toMatch(/no authority that is trusted.*NODE_EXTRA_CA_CERTS/);
  expect([requests, await waiting()]).toEqual([0, 1]);
});

test("the documented message and settings are what the schemas say", async () => {
  const [settings = "", message = ""] = ["yaml", "json"].map((language) => documented(language));
  const checked = daemonSchema.safeParse(parseYamlFile(settings).value?.["daemon" as never]);
  expect(checked.error).toBeUndefined();
  expect(webhookBodySchema.safeParse(JSON.parse(message)).error).toBeUndefined();
});

const DOCUMENT = readFileSync("docs/schedules.md", "utf8");

function documented(language: string): string {
  return new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(DOCUMENT)?.[1] ?? "";
}

const NODE = ["js", process.execPath, ["--input-type=module", "-e"]] as const;
const PYTHON = ["python", "python3", ["-c"]] as const;
const HAS_PYTHON = spawnSync("python3", ["--version"]).status === 0;

test.each(HAS_PYTHON ? [NODE, PYTHON] : [NODE])(
  "the documented receiver in %s takes what is sent, once, and nothing else",
  async (language, command, args) => {
    const document = await readFile("docs/schedules.md", "utf8");
    const code = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(document)?.[1] ?? "";
    const port = await freePort();
    const child = spawn(command, [...args, code], { env: { ...process.env, WEBHOOK_SECRET: SECRET, PORT: `${port}` } });
    children.push(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await expect.poll(() => output, { timeout: 10_000 }).toBe("listening\n");
    clock.set(systemClock.now());
    const url = `http://127.0.0.1:${port}/`;
    const body = JSON.stringify({ id: id(1), event: "run-failed", text: "drill ä failed" });
    const webhooks = await begin({ ops: url, again: url });
    for (const [at, webhook] of ["ops", "again"].entries()) {
      await webhooks.send({ id: id(at), webhook, body });
      await logged(TOLD).toBe(at + 1);
    }
    const post = async (signed: string, sent: string) =>
      (await fetch(url, { method: "POST", body: sent, headers: { [SIGNATURE_HEADER]: signed } })).status;
    const now = systemClock.now();
    expect(await post(signatureOf(body, SECRET, now), body)).toBe(204);
    expect(await post(signatureOf(body, SECRET, now), `${body} `)).toBe(401);
    expect(await post(signatureOf(body, `${SECRET}!`, now), body)).toBe(401);
    expect(await post(signatureOf(body, SECRET, now - 400_000), body)).toBe(401);
    expect(await post("v1=", body)).toBe(401);
    expect(output).toBe("listening\nrun-failed drill ä failed\n");
  },
);

async function freePort(): Promise<number> {
  const server = createServer();
  const url = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return Number(new URL(url).port);
}

test("by the real clock a schedule runs by itself; its failing twin is told, and told again when it recovers", async () => {
  const { url, received } = await receiver(204);
  const bench = schedulesBench(folder, START, { clock: systemClock });
  const every = { cron: "* * * * * *", notify: ["ops"] };
  const schedules = await bench.open({ schedules: { good: every, twin: every }, webhooks: { ops: { url } } });
  schedules.start();
  let failures = 0;
  const carriedOut = (async () => {
    for await (const { id: job, schedule, state } of bench.jobs.changes(ending.signal)) {
      if (state !== "queued") continue;
      const fails = schedule === "twin" && failures++ === 0;
      const error = { code: "OUTAGE", message: "redis is gone" } as const;
      if (fails) bench.jobs.move(job, "failed", { error });
      else bench.jobs.move(job, "finished", { result: { exitStatus: 0, verdict: "passed", recoveryMs: 5 } });
    }
  })();
  await expect.poll(() => received.length, { timeout: 20_000 }).toBe(2);
  await bench.close();
  ending.abort();
  await carriedOut;
  const bodies = received.map(({ body }) => webhookBodySchema.parse(JSON.parse(body)));
  expect(bodies).toMatchObject([
    {
      ...{ event: "run-failed", host: "rescue-1", schedule: { name: "twin", kind: "drill", root: "backups" } },
      text: 'drill "twin" on rescue-1 failed (backups/newest): redis is gone (OUTAGE)',
      run: { outcome: "failed", error: { code: "OUTAGE" }, dump: { root: "backups", path: "newest" } },
    },
    { event: "recovered", run: { outcome: "passed", recoveryMs: 5 }, failingSince: bodies[0]?.run.due },
  ]);
  expect(runsOf(schedules, "good").filter(({ outcome }) => outcome === "passed").length).toBeGreaterThan(0);
});
