import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Recorder, RequestFile } from "../../../bench/floors/requests.mjs";

const SENDER = join(import.meta.dirname, "../../../bench/floors/send.mjs");
const run = promisify(execFile);

let folder: string;
let server: Server;
/** Body of each request, in the order in which they came. */
let seen: string[];
let underWay = 0;
let mostUnderWay = 0;
let answer: { status: number; body: string };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "elastickv-restore-floors-"));
  [seen, underWay, mostUnderWay, answer] = [[], 0, 0, { status: 200, body: "{}" }];
  server = createServer((request, response) => {
    underWay++;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    const answered = textOf(request).then(async (text) => {
      seen.push(`${request.method} ${request.url} ${text}`);
      await setTimeout(20);
      underWay--;
      response.writeHead(answer.status).end(answer.body);
    });
    answered.catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function endpoint(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function request(body: string) {
  const headers = { host: "127.0.0.1", "content-length": String(Buffer.byteLength(body)) };
  return { method: "POST", path: "/", headers, body };
}

describe("prepared requests", () => {
  it("go out lane by lane, each behind the answer to the one before, between the first and the last", async () => {
    const requests = new RequestFile(folder, 2);
    requests.add("last", request("last"));
    for (const turn of ["1", "2", "3"]) for (const lane of [0, 1]) requests.add(lane, request(`${lane}-${turn}`));
    requests.add("first", request("first"));
    requests.close();
    await run(process.execPath, [SENDER, folder, endpoint()]);
    const bodies = seen.map((line) => line.replace("POST / ", ""));
    expect([bodies[0], bodies.at(-1)]).toEqual(["first", "last"]);
    for (const lane of ["0", "1"]) {
      expect(bodies.filter((body) => body.startsWith(`${lane}-`))).toEqual([`${lane}-1`, `${lane}-2`, `${lane}-3`]);
    }
    expect(mostUnderWay).toBe(2);
  });

  it("take a part of their body from another file", async () => {
    writeFileSync(join(folder, "body"), "0123456789");
    const requests = new RequestFile(folder, 1);
    const headers = { host: "127.0.0.1", "content-length": "4" };
    requests.add(0, { method: "PUT", path: "/it", query: { part: "1" }, headers }, [[join(folder, "body"), 3, 4]]);
    requests.close();
    await run(process.execPath, [SENDER, folder, endpoint()]);
    expect(seen).toEqual(["PUT /it?part=1 3456"]);
  });

  it.each([
    ["wholly", { status: 400, body: "{}" }],
    ["for some of their messages", { status: 200, body: '{"Failed":[{"Id":"0"}]}' }],
    ["for some of their items", { status: 200, body: '{"UnprocessedItems":{"orders":[]}}' }],
  ])("end badly when they are refused %s", async (_, refusal) => {
    answer = refusal;
    const requests = new RequestFile(folder, 1);
    requests.add(0, request("one"));
    requests.add(0, request("two"));
    requests.close();
    await expect(run(process.execPath, [SENDER, folder, endpoint()])).rejects.toThrow(/refused: HTTP\/1\.1/u);
    expect(seen).toHaveLength(1);
  });
});

describe("a recorder", () => {
  it("has the signed request of a client, which sends nothing", async () => {
    const recorder = new Recorder();
    const credentials = { accessKeyId: "key", secretAccessKey: "secret" };
    const client = new SQSClient({ endpoint: endpoint(), region: "us-east-1", credentials, requestHandler: recorder });
    const { headers, body } = await recorder.requestOf(client.send(new ListQueuesCommand({ MaxResults: 3 })));
    expect(headers["x-amz-target"]).toBe("AmazonSQS.ListQueues");
    expect(headers["authorization"]).toMatch(/^AWS4-HMAC-SHA256 Credential=key\//u);
    expect(JSON.parse(Buffer.from(body as Uint8Array).toString())).toEqual({ MaxResults: 3 });
    expect(seen).toEqual([]);
    await expect(recorder.requestOf(Promise.resolve())).rejects.toThrow("nothing was sent");
  });
});
