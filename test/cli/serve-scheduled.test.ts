/** Schedules of the daemon as people run it: by the real clock, with real drills in real servers and a real receiver. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Run, type RunList, type WebhookBody, webhookBodySchema } from "../../src/daemon/schema/schedule.js";
import { drillReportSchema } from "../../src/run/drill/report.js";
import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import { Served } from "../support/served.js";

const SECRET = "a-secret-that-both-sides-know";
const KEYS = 20;

let receiver: Server;
let served: Served;
const received: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];

beforeEach(async () => {
  received.length = 0;
  receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => receiver.once("listening", listening));
  const { port } = receiver.address() as AddressInfo;
  const every = { kind: "drill", cron: "* * * * * *", root: "backups", notify: ["ops"] };
  const keys = Array.from({ length: KEYS }, (_, i) => [`redis/db_0/strings/k${i}.bin`, `value ${i}`] as const);
  served = await Served.make({
    settings: {
      schedules: { good: every, twin: { ...every, options: { maxRto: "1ms" } } },
      webhooks: { ops: { url: `http://127.0.0.1:${port}/hook`, env: "HOOK_SECRET" } },
    },
    dumps: { one: { files: Object.fromEntries(keys) } },
    env: { ...CLI_ENVIRONMENT, HOOK_SECRET: SECRET },
  });
});

afterEach(async () => {
  await served.remove();
  await new Promise((closed) => receiver.close(closed));
});

function bodyOf(text: string): WebhookBody {
  return webhookBodySchema.parse(JSON.parse(text));
}

/** The first run of a schedule that came to an outcome. */
async function firstRun(name: string): Promise<Run> {
  const ended = async () => {
    const { runs } = await served.get<RunList>(`/v1/schedules/${name}/runs?limit=100`);
    return runs.findLast(({ outcome }) => outcome !== undefined && outcome !== "skipped");
  };
  await expect.poll(ended, { timeout: 60_000, interval: 200 }).toBeDefined();
  return (await ended()) as Run;
}

it("a drill runs by itself when it is due, and its twin that misses its objective tells a receiver, signed", async () => {
  await served.start();
  const [good, twin] = [await firstRun("good"), await firstRun("twin")];
  expect(good).toMatchObject({
    ...{ trigger: "due", by: "schedule:good", outcome: "passed", exitStatus: 0, records: KEYS },
    ...{ dump: { root: "backups", path: "one" } },
  });
  expect(good.recoveryMs).toBeGreaterThan(0);
  expect(twin).toMatchObject({
    ...{ outcome: "objective-missed", exitStatus: 6 },
    objectives: { recoveryTime: { ms: twin.recoveryMs, maxMs: 1, met: false } },
  });
  const report = drillReportSchema.parse(await served.get<object>(`/v1/jobs/${good.job}/report`));
  expect(report).toMatchObject({ verdict: "passed", times: { restoreMs: good.recoveryMs }, cleanUp: { left: [] } });
  // With a run due every second, some are left out.
  const outcomes = () => received.filter(({ body: each }) => bodyOf(each).event !== "run-skipped");
  await expect.poll(() => outcomes().length, { timeout: 20_000 }).toBeGreaterThan(0);
  const [first] = outcomes();
  const body = first?.body ?? "";
  const [, t = "", v1] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(first?.headers["x-elastickv-restore-signature"])) ?? [];
  expect(v1).toBe(createHmac("sha256", SECRET).update(`${t}.${body}`).digest("hex"));
  expect(Math.abs(Date.now() / 1000 - Number(t))).toBeLessThan(60);
  expect(bodyOf(body)).toMatchObject({ event: "objective-missed", schedule: { name: "twin" }, run: { id: twin.id } });
  const all = outcomes().map(({ body: each }) => bodyOf(each).schedule.name);
  expect(new Set(all)).toEqual(new Set(["twin"]));
  expect(await served.stop(), served.said.stderr).toBe(0);
  expect(await served.processes()).toEqual([]);
}, 120_000);
