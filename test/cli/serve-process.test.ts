/** The daemon as a process of its own, with real jobs. */
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type CliProcess, type CliProcesses, cliProcesses } from "../support/cli-process.js";
import { temporaryDump } from "../support/dump-builder.js";

let folder: string;
let socketPath: string;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let processes: CliProcesses;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ek-serve-"));
  socketPath = join(folder, "d.sock");
  processes = await cliProcesses();
  dump = await temporaryDump({ files: { "redis/db_0/strings/k.bin": "v" } });
  await mkdir(join(folder, "state"), { mode: 0o700 });
  const daemon = { socket: socketPath, roots: { backups: dirname(dump.path) } };
  await writeFile(join(folder, "config.yaml"), JSON.stringify({ daemon }));
});
afterEach(async () => {
  await Promise.all([dump.remove(), processes.remove(), rm(folder, { recursive: true, force: true })]);
});

async function started(): Promise<CliProcess> {
  const argv = ["serve", "--config", join(folder, "config.yaml"), "--state-dir", join(folder, "state")];
  const daemon = processes.start(argv);
  const listens = expect.poll(() => daemon.said.stdout, { timeout: 30_000 }).toBe(`listening on unix:${socketPath}\n`);
  const tooEarly = daemon.ended.then((end) => expect.fail(`ended with ${end}: ${daemon.said.stderr}`));
  tooEarly.catch(() => undefined);
  await Promise.race([listens, tooEarly]);
  return daemon;
}

async function ask(path: string, body?: object): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const method = body === undefined ? "GET" : "POST";
    request({ socketPath, path, method, headers, agent: false }, resolve)
      .on("error", reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of message.setEncoding("utf8")) text += chunk as string;
  return text;
}

it("a job is asked for, followed to its end and reported; told to end, the daemon ends with 0", async () => {
  const daemon = await started();
  const path = dump.path.slice(dirname(dump.path).length + 1);
  const asked = await ask("/v1/jobs", { kind: "verify", dump: { root: "backups", path } });
  const job = JSON.parse(await textOf(asked)) as { id: string };
  expect(asked.statusCode, JSON.stringify(job)).toBe(201);
  const events = await textOf(await ask(`/v1/jobs/${job.id}/events`));
  expect(events).toMatch(/"state":"queued"[\s\S]*"state":"running"[\s\S]*"state":"finished"/);
  const shown = JSON.parse(await textOf(await ask(`/v1/jobs/${job.id}`))) as object;
  expect(shown).toMatchObject({ state: "finished", by: "socket", result: { exitStatus: 0 } });
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended, daemon.said.stderr).toBe(0);
  await expect(stat(socketPath)).rejects.toMatchObject({ code: "ENOENT" });
});

it("a daemon that was killed leaves a socket that the next one takes over, with its jobs", async () => {
  const first = await started();
  const path = dump.path.slice(dirname(dump.path).length + 1);
  const { id } = JSON.parse(
    await textOf(await ask("/v1/jobs", { kind: "verify", dump: { root: "backups", path } })),
  ) as {
    id: string;
  };
  first.child.kill("SIGKILL");
  await first.ended;
  expect((await stat(socketPath)).isSocket()).toBe(true);
  const second = await started();
  expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
  expect(await textOf(await ask(`/v1/jobs/${id}/events`))).toContain('"state":"finished"');
  second.child.kill("SIGTERM");
  expect(await second.ended, second.said.stderr).toBe(0);
});

it("the page is there, with everything that it loads", async () => {
  const daemon = await started();
  const [missing, met] = [[] as string[], new Set<string>()];
  const load = async (path: string): Promise<void> => {
    if (met.has(path)) return;
    met.add(path);
    const answer = await ask(path);
    const text = await textOf(answer);
    if (answer.statusCode !== 200 || text === "") missing.push(path);
    const loaded = text.matchAll(/(?:src|href)="([^"#:]+)"|from "(\.[^"]+)"/gu);
    for (const [, link, module] of loaded) await load(new URL(link ?? module ?? "", `http://daemon${path}`).pathname);
  };
  await load("/");
  expect(missing).toEqual([]);
  expect([...met].join(" ")).toMatch(/\.css.*\.js|\.js.*\.css/u);
  expect(met.size).toBeGreaterThan(20);
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended, daemon.said.stderr).toBe(0);
});
