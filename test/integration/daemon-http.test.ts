/** The daemon's web server on real sockets: who is let in, what is taken, how it is answered. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listenOnUnix } from "../../src/daemon/http/listeners.js";
import { systemClock } from "../../src/support/clock.js";
import { type Answer, type Asking, type HttpDaemon, startHttpDaemon, TOKENS } from "../support/http-daemon.js";

const PLAN = { kind: "plan", dump: { root: "backups", path: "a" }, target: "staging" } as const;
const BY = { name: "test", role: "destroy" } as const;

let daemon: HttpDaemon;
beforeAll(async () => {
  daemon = await startHttpDaemon();
});
afterAll(async () => {
  await daemon.stop();
});

async function newJob(of: HttpDaemon = daemon): Promise<string> {
  return (await of.jobs.submit({ request: PLAN, by: BY })).job.id;
}

function expectFault({ status, json, headers }: Answer, wanted: number, code: string): void {
  expect({ status, json }).toMatchObject({ status: wanted, json: { error: { code } } });
  expect(headers["x-request-id"]).toMatch(/^[0-9a-f]{16}$/);
  expect(headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(headers["x-content-type-options"]).toBe("nosniff");
}

describe("the Unix socket", () => {
  it("can be opened by its owner alone, whom nobody asks for a token", async () => {
    expect((await stat(daemon.socketPath)).mode & 0o777).toBe(0o600);
    expect(await daemon.askSocket("/v1/whoami")).toMatchObject({
      status: 200,
      json: { name: "socket", role: "destroy" },
    });
  });

  it("takes a token where one is sent, and refuses a wrong one", async () => {
    expect(await daemon.askSocket("/v1/whoami", { token: TOKENS.read })).toMatchObject({ json: { name: "reader" } });
    expectFault(await daemon.askSocket("/v1/whoami", { token: "wrong-token-wrong" }), 401, "UNAUTHORIZED");
  });

  it("of a daemon that was killed is replaced, that of a living one is not", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ek-stale-"));
    const path = join(folder, "d.sock");
    const code = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await promisify(execFile)(process.execPath, ["-e", code]).catch(() => undefined);
    expect((await stat(path)).isSocket()).toBe(true);
    const first = await listenOnUnix(path, (_request, response) => response.end("first"), systemClock);
    await expect(listenOnUnix(path, () => undefined, systemClock)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining(`${path}: another process listens there`),
    });
    await first.close(0);
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    await rm(folder, { recursive: true });
  });

  it("takes the place of nothing that is no socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ek-stale-"));
    const path = join(folder, "d.sock");
    await writeFile(path, "precious");
    await expect(listenOnUnix(path, () => undefined, systemClock)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await readFile(path, "utf8")).toBe("precious");
    await rm(folder, { recursive: true });
  });
});

describe("a token", () => {
  it("is wanted over TCP", async () => {
    const answer = await daemon.ask("/v1/jobs");
    expectFault(answer, 401, "UNAUTHORIZED");
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
  });

  it.each([
    "Basic dG9rZW4=",
    "Bearer",
    `Bearer ${TOKENS.read}x`,
    `Bearer ${TOKENS.read.slice(0, -1)}`,
    `Token ${TOKENS.read}`,
  ])("is not %j", async (authorization) => {
    const own = await startHttpDaemon();
    expectFault(await own.ask("/v1/jobs", { headers: { authorization } }), 401, "UNAUTHORIZED");
    await own.stop();
  });

  it.each([
    ["read", "GET", "/v1/jobs", 200],
    ["read", "POST", "/v1/jobs", 403],
    ["restore", "POST", "/v1/jobs", 201],
    ["destroy", "POST", "/v1/jobs", 201],
    ["read", "GET", "/metrics", 200],
  ] as const)("that may %s asks %s %s and is answered %i", async (role, method, path, status) => {
    const body = method === "POST" ? { body: PLAN } : {};
    expect(await daemon.ask(path, { method, token: TOKENS[role], ...body })).toMatchObject({ status });
  });

  it.each(["pause", "resume", "cancel"])("that may only read cannot %s", async (order) => {
    const id = await newJob();
    const answer = await daemon.ask(`/v1/jobs/${id}/${order}`, { method: "POST", token: TOKENS.read });
    expectFault(answer, 403, "FORBIDDEN");
    expect(daemon.jobs.get(id).state).toBe("queued");
  });

  it("that is wrong too often is told to wait, while right ones are let in", async () => {
    const own = await startHttpDaemon();
    const wrong = { token: "a-wrong-token-of-many" };
    for (let i = 0; i < 10; i++) expect(await own.ask("/v1/jobs", wrong)).toMatchObject({ status: 401 });
    const answer = await own.ask("/v1/jobs", wrong);
    expectFault(answer, 429, "TOO_MANY_REQUESTS");
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect(await own.ask("/v1/jobs", { token: TOKENS.read })).toMatchObject({ status: 200 });
    await own.stop();
  });

  it("stands in no line of the log", async () => {
    await daemon.ask("/v1/jobs?cursor=x", { token: TOKENS.destroy, headers: { cookie: "session=secret" } });
    expect(daemon.log()).toContain('"path":"/v1/jobs"');
    expect(daemon.log()).not.toMatch(/token-that-may|session=secret/);
  });
});

describe("a host", () => {
  it.each(["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST:PORT", "restore.example", "restore.example:PORT"])(
    "called %s is the daemon",
    async (host) => {
      const headers = { host: host.replace("PORT", daemon.url.port) };
      expect(await daemon.ask("/v1/jobs", { token: TOKENS.read, headers })).toMatchObject({ status: 200 });
    },
  );

  it.each([
    "evil.example",
    "evil.example:PORT",
    "127.0.0.1:1",
    "localhost",
    "127.0.0.1.evil.example:PORT",
    "[::1]:PORT",
  ])("called %s is not", async (host) => {
    const headers = { host: host.replace("PORT", daemon.url.port) };
    expectFault(await daemon.ask("/v1/jobs", { token: TOKENS.read, headers }), 403, "FORBIDDEN");
    expectFault(await daemon.ask("/", { headers }), 403, "FORBIDDEN");
  });

  it("has to be named", async () => {
    expect(await daemon.raw("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 400 .*BAD_REQUEST/s,
    );
  });
});

describe("a page of another origin", () => {
  it.each(["http://evil.example", "null", "https://127.0.0.1:PORT", "http://localhost:PORT"])(
    "%s is refused, and no browser is told otherwise",
    async (origin) => {
      const headers = { origin: origin.replace("PORT", daemon.url.port) };
      const answer = await daemon.ask("/v1/jobs", { token: TOKENS.read, headers });
      expectFault(answer, 403, "FORBIDDEN");
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    },
  );

  it("cannot ask beforehand", async () => {
    const headers = { origin: daemon.url.origin, "access-control-request-method": "POST" };
    const answer = await daemon.ask("/v1/jobs", { method: "OPTIONS", headers });
    expectFault(answer, 405, "METHOD_NOT_ALLOWED");
    expect(answer.headers.allow).toBe("POST, GET");
  });

  it("is none where it is the daemon's own", async () => {
    const headers = { origin: daemon.url.origin };
    expect(await daemon.ask("/v1/jobs", { token: TOKENS.read, headers })).toMatchObject({ status: 200 });
  });

  it("cannot come through the Unix socket", async () => {
    expectFault(await daemon.askSocket("/v1/jobs", { headers: { origin: "http://localhost" } }), 403, "FORBIDDEN");
  });
});

describe("a request", () => {
  const post = (asking: Asking) => daemon.ask("/v1/jobs", { method: "POST", token: TOKENS.restore, ...asking });

  it.each([
    ["{", /not JSON/],
    ['{"kind":"plan","kind":"plan"}', /twice/],
    ["[".repeat(100), /deeper/],
    ['{"kind":"plan"} x', /after the value/],
    ["\ufeff{}", /byte order mark/],
    ["", /body/],
    ["null", /body/],
    [{ ...PLAN, endpoint: "http://x" }, /body\.endpoint/],
    [{ ...PLAN, options: { mode: "overwrite" } }, /body\.options\.mode/],
    [{ ...PLAN, dump: { root: "../x", path: "" } }, /body\.dump\.root/],
    [{ ...PLAN, kind: "delete" }, /body\.kind: expected one of plan, apply, verify, drill/],
    ['{"kind":"plan","__proto__":{"target":"t"}}', /body\.__proto__/],
  ])("with the body %j is refused, and the fault named", async (body, what) => {
    const before = daemon.jobs.submissions.length;
    const answer = await post({ body });
    expectFault(answer, 400, "BAD_REQUEST");
    expect(answer.text).toMatch(what);
    expect(daemon.jobs.submissions).toHaveLength(before);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"])(
    "of type %s is refused",
    async (type) => {
      expectFault(await post({ body: PLAN, headers: { "content-type": type } }), 415, "UNSUPPORTED_MEDIA_TYPE");
    },
  );

  it("with a body over 64 KiB is refused, also where its length is not said", async () => {
    const body = JSON.stringify({ ...PLAN, options: { include: ["x".repeat(70_000)] } });
    expectFault(await post({ body }), 413, "PAYLOAD_TOO_LARGE");
    const head = `POST /v1/jobs HTTP/1.1\r\nHost: ${daemon.url.host}\r\nAuthorization: Bearer ${TOKENS.restore}\r\n`;
    const chunked = `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const came = await daemon.raw(`${head}${chunked}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    expect(came).toMatch(/^HTTP\/1.1 413 .*PAYLOAD_TOO_LARGE/s);
  });

  it("with headers over 16 KiB is refused", async () => {
    const came = await daemon.raw(
      `GET /healthz HTTP/1.1\r\nHost: ${daemon.url.host}\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
    );
    expect(came).toMatch(/^HTTP\/1.1 431 .*nosniff.*x-request-id.*HEADERS_TOO_LARGE/is);
  });

  it.each([
    "\0\0\0",
    "GET / HTTP/9.9\r\n\r\n",
    "G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
  ])("that is no HTTP (%j) is refused", async (text) => {
    expect(await daemon.raw(text)).toMatch(/^HTTP\/1.1 400 .*BAD_REQUEST/s);
  });

  it("that does not arrive in time is refused", { timeout: 30_000 }, async () => {
    const [head, body] = await Promise.all([
      daemon.raw(`GET /healthz HTTP/1.1\r\nHost: ${daemon.url.host}\r\n`),
      daemon.raw("G"),
    ]);
    expect(head).toMatch(/^HTTP\/1.1 408 .*REQUEST_TIMEOUT/s);
    expect(body).toMatch(/^HTTP\/1.1 408 /);
  });

  it.each([
    ["/v1/jobs?limit=0", /query\.limit/],
    ["/v1/jobs?limit=1e2", /query\.limit/],
    ["/v1/jobs?limit=1&limit=2", /query\.limit/],
    ["/v1/jobs?state=gone", /query\.state/],
    ["/v1/jobs?colour=red", /query\.colour/],
    ["/v1/jobs/XYZ", /path\.id/],
    ["/v1/jobs/..%2f..%2fetc", /path\.id/],
    ["/%zz", /cannot be read/],
  ])("for %s is refused, and the fault named", async (path, what) => {
    const answer = await daemon.ask(path, { token: TOKENS.read });
    expectFault(answer, 400, "BAD_REQUEST");
    expect(answer.text).toMatch(what);
  });

  it("for what is not there is answered 404, with another method 405, also with a body", async () => {
    expectFault(await daemon.ask("/v2", { token: TOKENS.read }), 404, "NOT_FOUND");
    expectFault(await daemon.ask("/v1/jobs/0123456789abcdef", { token: TOKENS.read }), 404, "NOT_FOUND");
    const answer = await daemon.ask("/healthz", { method: "POST", body: "x", headers: { "content-type": "text/x" } });
    expectFault(answer, 405, "METHOD_NOT_ALLOWED");
    expect(answer.headers.allow).toBe("GET");
  });

  it("that meets an unexpected error is answered 500 without it, and the log has it", async () => {
    daemon.jobs.failure = new Error("redis://user:hunter2@10.0.0.1 went away");
    const answer = await daemon.ask("/v1/jobs", { token: TOKENS.read });
    daemon.jobs.failure = undefined;
    expectFault(answer, 500, "INTERNAL");
    expect(answer.text).not.toContain("went away");
    expect(daemon.log()).toMatch(new RegExp(`"requestId":"${String(answer.headers["x-request-id"])}".*went away`));
    expect(daemon.log()).not.toContain("hunter2");
  });

  it("whose answer would contradict its schema is answered 500", async () => {
    const id = await newJob();
    daemon.jobs.move(id, "running", { surprise: 1 } as object);
    expectFault(await daemon.ask(`/v1/jobs/${id}`, { token: TOKENS.read }), 500, "INTERNAL");
    daemon.jobs.move(id, "cancelled", { surprise: undefined } as object);
  });
});

describe("a job", () => {
  it("is made once under an idempotency key", async () => {
    const asking = { method: "POST", token: TOKENS.restore, body: PLAN, headers: { "idempotency-key": "night-1" } };
    const [first, second] = [await daemon.ask("/v1/jobs", asking), await daemon.ask("/v1/jobs", asking)];
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.json).toEqual(first.json);
    expect(first.headers.location).toBe(`/v1/jobs/${(first.json as { id: string }).id}`);
  });

  it("is paused, resumed, limited and cancelled", async () => {
    const id = await newJob();
    daemon.jobs.move(id, "running");
    const order = (path: string) => daemon.ask(`/v1/jobs/${id}/${path}`, { method: "POST", token: TOKENS.restore });
    expect(await order("pause")).toMatchObject({ status: 200, json: { state: "paused" } });
    expectFault(await order("pause"), 409, "CONFLICT");
    expect(await order("resume")).toMatchObject({ json: { state: "running" } });
    const limits = { method: "PATCH", token: TOKENS.restore, body: { rateLimit: "5ops/s" } };
    expect(await daemon.ask(`/v1/jobs/${id}/limits`, limits)).toMatchObject({
      json: { limits: { rateLimit: "5ops/s" } },
    });
    expect(await order("cancel")).toMatchObject({ json: { state: "cancelled" } });
  });

  it("tells its confirmation token to those who may destroy, and its report as it stands in its file", async () => {
    const id = await newJob();
    const plan = async (token: string) => (await daemon.ask(`/v1/jobs/${id}/plan`, { token })).json;
    expect(await plan(TOKENS.destroy)).toMatchObject({ confirm: "yes-it-is" });
    expect(await plan(TOKENS.restore)).not.toHaveProperty("confirm");
    expectFault(await daemon.ask(`/v1/jobs/${id}/report`, { token: TOKENS.read }), 404, "NOT_FOUND");
    const path = join(daemon.folder, "report.json");
    await writeFile(path, '{ "big": 12345678901234567890 }\n');
    daemon.jobs.reports.set(id, path);
    const report = await daemon.ask(`/v1/jobs/${id}/report`, { token: TOKENS.read });
    expect(report).toMatchObject({ status: 200, text: '{ "big": 12345678901234567890 }\n' });
  });

  it("lists its rejects by what is asked for", async () => {
    const id = await newJob();
    const { json } = await daemon.ask(`/v1/jobs/${id}/rejects?q=a%20b&limit=7&outcome=failed`, { token: TOKENS.read });
    expect(json).toMatchObject({ rejects: [{ asked: '{"limit":7,"search":"a b","outcome":"failed"}' }] });
  });
});

describe("the OpenAPI document", () => {
  const BODIES: readonly unknown[] = [
    PLAN,
    { ...PLAN, limits: { rateLimit: "5ops/s" } },
    { ...PLAN, dump: { root: "backups", pick: "newest" } },
    { ...PLAN, options: { mode: "merge", adapters: ["redis"], include: ["a*"] } },
    { kind: "apply", plan: "0123456789abcdef", confirm: "x" },
    { kind: "verify", dump: { root: "backups", path: "" } },
    { kind: "drill", dump: { root: "backups", path: "" }, options: { maxRto: "30m" } },
    {},
    null,
    [],
    "plan",
    { ...PLAN, more: 1 },
    { ...PLAN, options: { more: 1 } },
    { ...PLAN, options: { adapters: [] } },
    { ...PLAN, options: { maxRetryTime: "soon" } },
    { ...PLAN, dump: { root: "a b", path: "" } },
    { ...PLAN, dump: { root: "backups" } },
    { ...PLAN, target: undefined },
    { kind: "apply", plan: "0123" },
    { kind: "apply", plan: "0123456789abcdef", target: "t" },
    { kind: "verify", dump: { root: "backups", path: "" }, options: { looks: 1.5 } },
    { kind: "erase", dump: { root: "backups", path: "" } },
  ];

  it.each(BODIES.map((body) => [body]))("describes %j as it is judged", async (body) => {
    const { status } = await daemon.ask("/v1/jobs", { method: "POST", token: TOKENS.restore, body });
    expect([201, 400]).toContain(status);
    // As JSON carries it.
    const sent: unknown = JSON.parse(JSON.stringify(body));
    expect(daemon.published.takes("POST", "/v1/jobs", sent)).toBe(status === 201);
  });

  it.each([[{}], [{ rateLimit: "1ops/s" }], [{ rateLimit: 1 }], [{ speed: "1ops/s" }], [null]])(
    "describes the limits %j as they are judged",
    async (body) => {
      const id = await newJob();
      const { status } = await daemon.ask(`/v1/jobs/${id}/limits`, { method: "PATCH", token: TOKENS.restore, body });
      expect(daemon.published.takes("PATCH", `/v1/jobs/${id}/limits`, body)).toBe(status === 200);
    },
  );

  it("says of every operation who may ask for it, and how it is called", () => {
    const { document } = daemon.published;
    expect(document.openapi).toBe("3.1.0");
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations) {
      expect(operation).toMatchObject({
        summary: expect.any(String),
        responses: expect.objectContaining({ "400": expect.anything() }),
      });
    }
    const open = Object.entries(document.paths).filter(([, path]) => "security" in (path["get"] ?? {}));
    expect(open.map(([path]) => path)).toEqual(["/healthz", "/readyz", "/openapi.json", "/app.js", "/"]);
  });
});

describe("a schedule", () => {
  it("is shown with its runs, and run at once by those who may restore", async () => {
    const token = TOKENS.restore;
    expect(await daemon.ask("/v1/schedules", { token })).toMatchObject({ json: { schedules: [{ name: "nightly" }] } });
    expect(await daemon.ask("/v1/schedules/nightly", { token })).toMatchObject({ json: { cron: "0 3 * * *" } });
    const order = { method: "POST", token };
    expect(await daemon.ask("/v1/schedules/nightly/run", order)).toMatchObject({
      status: 201,
      json: { by: "restoreer" },
    });
    expect(await daemon.ask("/v1/schedules/nightly/runs?limit=5", { token })).toMatchObject({
      json: { runs: [{ trigger: "asked" }] },
    });
    expectFault(await daemon.ask("/v1/schedules/weekly", { token }), 404, "NOT_FOUND");
    expectFault(await daemon.ask("/v1/schedules/nightly/run", { ...order, token: TOKENS.read }), 403, "FORBIDDEN");
  });
});

describe("live events", () => {
  const text = async (path: string, asking: Asking = {}) =>
    (await daemon.ask(path, { token: TOKENS.read, ...asking })).text;

  it("are those that are kept and those to come, and end with the job", async () => {
    const id = await newJob();
    const stream = await daemon.open(`/v1/jobs/${id}/events`, { token: TOKENS.read });
    expect(stream.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
    });
    daemon.jobs.emit(id, { type: "warning", text: "two\nlines" });
    daemon.jobs.move(id, "cancelled");
    let came = "";
    for await (const chunk of stream.setEncoding("utf8")) came += chunk as string;
    expect(came).toMatch(
      /^retry: 2000\n\nid: 1\nevent: state\ndata: \{.*\}\n\nid: 2\nevent: warning\ndata: \{"type":"warning","text":"two\\nlines"\}\n\nid: 3\nevent: state\ndata: .*"cancelled".*\n\n$/,
    );
  });

  it("go on behind the one that was received last", async () => {
    const id = await newJob();
    daemon.jobs.move(id, "running");
    daemon.jobs.move(id, "cancelled");
    const ids = (came: string) => [...came.matchAll(/^id: (\d+)$/gm)].map(([, each]) => each);
    expect(ids(await text(`/v1/jobs/${id}/events?after=1`))).toEqual(["2", "3"]);
    expect(ids(await text(`/v1/jobs/${id}/events?after=1`, { headers: { "last-event-id": "2" } }))).toEqual(["3"]);
    expect(ids(await text(`/v1/jobs/${id}/events?after=3`))).toEqual([]);
    expectFault(await daemon.ask(`/v1/jobs/${id}/events?after=-1`, { token: TOKENS.read }), 400, "BAD_REQUEST");
    const wrong = { token: TOKENS.read, headers: { "last-event-id": "x" } };
    expectFault(await daemon.ask(`/v1/jobs/${id}/events`, wrong), 400, "BAD_REQUEST");
    expectFault(await daemon.ask("/v1/jobs/0123456789abcdef/events", { token: TOKENS.read }), 404, "NOT_FOUND");
  });

  it("of all jobs miss none from the moment that the client is connected", async () => {
    const stream = (await daemon.open("/v1/events", { token: TOKENS.read })).setEncoding("utf8");
    const chunks = stream[Symbol.asyncIterator]();
    expect((await chunks.next()).value).toBe("retry: 2000\n\n");
    const id = await newJob();
    expect((await chunks.next()).value).toContain(id);
    stream.destroy();
  });

  it("of more clients than are allowed are refused, until one of them leaves", async () => {
    const own = await startHttpDaemon({ mostEventClients: 1 });
    const first = await own.open("/v1/events", { token: TOKENS.read });
    expectFault(await own.ask("/v1/events", { token: TOKENS.read }), 503, "UNAVAILABLE");
    first.destroy();
    await expect.poll(async () => (await own.open("/v1/events", { token: TOKENS.read })).statusCode).toBe(200);
    await own.stop();
  });

  it("leave room for others when a connection ends on which several were asked for at once", async () => {
    const own = await startHttpDaemon({ mostEventClients: 2 });
    const socket = connect(own.socketPath);
    socket.write("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2));
    const statuses = async (clients: number) => {
      const open = () => own.open("/v1/events", { token: TOKENS.read });
      const streams = await Promise.all(Array.from({ length: clients }, open));
      for (const stream of streams) stream.destroy();
      return streams.map(({ statusCode }) => statusCode);
    };
    await expect.poll(() => statuses(1)).toEqual([503]);
    socket.destroy();
    await expect.poll(() => statuses(2)).toEqual([200, 200]);
    await own.stop();
  });

  it("wait where a client does not read", async () => {
    const id = await newJob();
    const warning = { type: "warning", text: "x".repeat(10_000) } as const;
    for (let i = 0; i < 3_000; i++) daemon.jobs.emit(id, warning);
    let asked = 0;
    const { events } = daemon.jobs;
    daemon.jobs.events = async function* (...args) {
      for await (const event of events(...args)) {
        asked++;
        yield event;
      }
    };
    const stream = await daemon.open(`/v1/jobs/${id}/events`, { token: TOKENS.read });
    const looks: number[] = [];
    const hasStopped = () => looks.push(asked) > 1 && looks.at(-1) === looks.at(-2);
    // The kernel's buffers fill up, and then nothing more is asked for.
    await expect.poll(hasStopped, { interval: 300, timeout: 10_000 }).toBe(true);
    expect(asked).toBeLessThan(2_500);
    stream.destroy();
    daemon.jobs.events = events;
    daemon.jobs.move(id, "cancelled");
  });
});

describe("the daemon's end", () => {
  it("ends live events, and what is under way no later than its deadline", async () => {
    const own = await startHttpDaemon();
    const stream = await own.open("/v1/events", { token: TOKENS.read });
    const ended = new Promise((resolve) => stream.resume().once("end", () => resolve("whole")));
    await own.stop(5_000);
    expect(await ended).toBe("whole");
    await expect(own.ask("/healthz")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("what machines ask", () => {
  it("is answered without a token where it tells nothing", async () => {
    expect(await daemon.ask("/healthz")).toMatchObject({ status: 200, json: { status: "alive" } });
    expect(await daemon.ask("/readyz")).toMatchObject({ status: 200, json: { status: "ready", reasons: [] } });
    expectFault(await daemon.ask("/metrics"), 401, "UNAUTHORIZED");
  });

  it("tells what stands in the way, and that jobs cannot be asked for yet", async () => {
    const own = await startHttpDaemon({ isOpen: false, obstacles: async () => ["the disk is full"] });
    expect(await own.ask("/readyz")).toMatchObject({
      status: 503,
      json: { status: "not-ready", reasons: ["jobs are not taken up", "the disk is full"] },
    });
    expectFault(await own.ask("/v1/jobs", { token: TOKENS.read }), 503, "UNAVAILABLE");
    await own.stop();
  });
});

describe("the page", () => {
  it("is had without a token, under a policy that lets in nothing else, and again only when it changed", async () => {
    const answer = await daemon.ask("/");
    expect(answer).toMatchObject({ status: 200, text: "<!doctype html><title>page</title>" });
    expect(answer.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
    });
    const again = await daemon.ask("/", { headers: { "if-none-match": answer.headers.etag ?? "" } });
    expect(again).toMatchObject({ status: 304, text: "" });
    expect((await daemon.ask("/app.js")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expectFault(await daemon.ask("/..%2fdaemon.sock"), 404, "NOT_FOUND");
  });
});

describe("another address", () => {
  it("is served over TLS", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ek-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes"];
    await promisify(execFile)("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      ...subject,
      "-keyout",
      key,
      "-out",
      cert,
    ]);
    const own = await startHttpDaemon({}, { tls: { cert: await readFile(cert), key: await readFile(key) } });
    expect(own.url.protocol).toBe("https:");
    const answer = await own.ask("/v1/whoami", { token: TOKENS.read, headers: { origin: own.url.origin } });
    expect(answer).toMatchObject({ status: 200, json: { name: "reader" } });
    expect(answer.headers["strict-transport-security"]).toContain("max-age=");
    await own.stop();
    await rm(folder, { recursive: true });
  });

  it("where somebody listens already is refused with its name", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    await expect(startHttpDaemon({}, { port })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: `cannot listen on 127.0.0.1, port ${port}: another process listens there`,
    });
    other.close();
  });
});
