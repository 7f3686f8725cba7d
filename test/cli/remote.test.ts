/** The command line as a client of a daemon: over real sockets that break, and with real jobs in a daemon of its own. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Interruption } from "../../src/errors/interruption.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { HAS_OPENSSL, newAuthority } from "../support/certificates.js";
import { type CliProcess, type CliProcesses, cliProcesses } from "../support/cli-process.js";
import { temporaryDump } from "../support/dump-builder.js";
import { type HttpDaemon, startHttpDaemon, TOKENS } from "../support/http-daemon.js";
import { onlooker } from "../support/redis-restore.js";
import { type Meanwhile, runCli } from "../support/run-cli.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ek-remote-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A socket in front of another one, whose connections a test can break. */
async function wire(target: string) {
  const path = join(folder, "wire.sock");
  const open = new Set<Socket>();
  let losesNextAnswer = false;
  let asked = "";
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          open.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    client.on("data", (text: Buffer) => (asked += text.toString()));
    client.pipe(upstream);
    upstream.on("data", (text: Buffer) => {
      if (losesNextAnswer) client.destroy();
      else client.write(text);
      losesNextAnswer = false;
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    asked: () => asked,
    loseNextAnswer: () => {
      losesNextAnswer = true;
    },
    cut: () => {
      for (const socket of open) socket.destroy();
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("a daemon whose jobs a test moves", () => {
  let daemon: HttpDaemon;
  let relay: Awaited<ReturnType<typeof wire>>;
  beforeEach(async () => {
    daemon = await startHttpDaemon();
    relay = await wire(daemon.socketPath);
  });
  afterEach(async () => {
    await relay.stop();
    await daemon.stop();
  });

  const job = () => daemon.jobs.list({ limit: 1 }).jobs[0];
  const cli = async (argv: readonly string[], meanwhile: Meanwhile = {}) =>
    await runCli([...argv, "--server", relay.path], {}, meanwhile);
  const verify = ["verify", "backups/a"];
  const failed = { error: { code: "OUTAGE", message: "it is \u001b[2Jgone", hint: "Wait." } } as const;

  /** Runs it, and calls the next of `steps` whenever standard error holds its text. */
  async function stepping(
    argv: readonly string[],
    steps: readonly (readonly [string, () => void])[],
    more: Meanwhile = {},
  ) {
    const left = [...steps];
    let said = "";
    const onStderr = (text: string) => {
      said += text;
      const [next] = left;
      if (next === undefined || !said.includes(next[0])) return;
      left.shift();
      next[1]();
    };
    return await cli(argv, { ...more, onStderr });
  }

  it("is handed one job, also where its answer is lost", async () => {
    relay.loseNextAnswer();
    const end = () => daemon.jobs.move(job()?.id ?? "", "failed", failed);
    const { status, stderr } = await stepping(verify, [["is with the daemon", end]]);
    expect({ status, submissions: daemon.jobs.submissions.length }, stderr).toEqual({ status: 1, submissions: 1 });
    expect(relay.asked().match(/POST \/v1\/jobs /g)).toHaveLength(2);
  });

  it("tells a job's failure as its own process would, and steers no terminal with it", async () => {
    const end = () => daemon.jobs.move(job()?.id ?? "", "failed", failed);
    const { status, stdout, stderr } = await stepping(verify, [["is with the daemon", end]]);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("(verify): it is \\u{1b}[2Jgone\nWait.\n");
    expect(stderr).not.toContain("\u001b");
  });

  it("is watched no longer once its restore is held with an error, and says how to go on", async () => {
    const id = () => job()?.id ?? "";
    const apply = ["apply", "backups/a", "--target", "staging"];
    const { status, stderr } = await stepping(apply, [
      ["is with the daemon", () => daemon.jobs.move(id(), "held")],
      ["is held; to go on", () => daemon.jobs.move(id(), "held", failed)],
    ]);
    expect(status, stderr).toBe(1);
    expect(stderr).toContain(`\nTo go on where it was: elastickv-restore resume ${id()} --server `);
    expect(await cli(["watch", id()])).toMatchObject({ status: 1 });
    daemon.jobs.move(id(), "running", { error: undefined });
    const again = await stepping(["watch", id()], [[" runs", () => daemon.jobs.move(id(), "cancelled")]]);
    expect(again.stderr).toContain("was cancelled");
  });

  it("is followed over a connection that breaks, behind the last event", async () => {
    const id = () => job()?.id ?? "";
    const { status, stderr } = await stepping(verify, [
      ["is with the daemon", () => daemon.jobs.move(id(), "running")],
      [" runs", () => daemon.jobs.move(id(), "paused")],
      ["is paused", () => relay.cut()],
      ["trying again", () => daemon.jobs.move(id(), "running")],
      ["connected again", () => daemon.jobs.move(id(), "failed", failed)],
    ]);
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(
      / runs\n.* is paused; to go on: .*\n.* broke: .*; trying again\nconnected again to unix:.*\n.* runs\n/,
    );
    expect(stderr.match(/ is paused/g)).toHaveLength(1);
    expect(relay.asked().toLowerCase()).toMatch(/last-event-id: 2\r.*last-event-id: 3\r/s);
  });

  it("is watched from where the job is: nothing is told of what was before", async () => {
    await daemon.ask("/v1/jobs", { method: "POST", token: TOKENS.restore, body: request(0) });
    const id = job()?.id ?? "";
    for (const state of ["running", "paused", "running"] as const) daemon.jobs.move(id, state);
    const { stderr } = await stepping(["watch", id], [[" runs", () => daemon.jobs.move(id, "cancelled")]]);
    expect(stderr).toContain(`job ${id} (verify) runs`);
    expect(stderr).not.toContain("is paused");
    expect(relay.asked().toLowerCase()).toContain("last-event-id: 4");
  });

  it("goes on with the job when whoever watches is interrupted, and says how to find it", async () => {
    const interruption = new AbortController();
    const stop = () => interruption.abort(new Interruption(130));
    const { status, stderr } = await stepping(verify, [["is with the daemon", stop]], { signal: interruption.signal });
    expect([status, job()?.state]).toEqual([130, "queued"]);
    expect(stderr).toContain(`job ${job()?.id} goes on without this command`);
    expect(stderr).toContain(`elastickv-restore watch ${job()?.id} --server ${relay.path}`);
    expect(stderr).toContain(`elastickv-restore cancel ${job()?.id} --server ${relay.path}`);
  });

  it("lists jobs, and finds one by how its id begins", async () => {
    for (let i = 0; i < 3; i++)
      await daemon.ask("/v1/jobs", { method: "POST", token: TOKENS.restore, body: request(i) });
    const { stdout } = await cli(["jobs", "--limit", "2"]);
    expect(stdout.match(/verify +queued/g)).toHaveLength(2);
    expect(stdout).toContain("There are more");
    const list = JSON.parse(
      (await cli(["jobs", "--json", "--kind", "verify", "--state", "queued,held"])).stdout,
    ) as object[];
    expect(list).toHaveLength(3);
    expect((await cli(["jobs", "--kind", "plan"])).stdout).toContain("There are no such jobs");
    const several = await cli(["status", "000"]);
    expect([several.status, several.stderr]).toEqual([2, expect.stringContaining("several jobs begin with 000")]);
    expect(await cli(["status", "8"])).toMatchObject({ status: 2, stderr: expect.stringContaining("has no job 8") });
    const one = await cli(["status", "0000000000000002"]);
    expect([one.status, one.stdout]).toEqual([0, expect.stringContaining("Job      0000000000000002, verify, queued")]);
  });

  it("finds a job that stands on a later page", async () => {
    const by = { name: "t", role: "restore" } as const;
    for (let i = 0; i < 1001; i++) {
      await daemon.jobs.submit({ request: { kind: "drill", dump: { root: "backups", pick: "newest" } }, by });
    }
    const list = JSON.parse((await cli(["jobs", "--json", "--limit", "1001"])).stdout) as { id: string }[];
    expect([list.length, list.at(-1)?.id]).toEqual([1001, "0000000000000001"]);
    const { status, stdout } = await cli(["status", "0000000000000001"]);
    expect([status, stdout]).toEqual([0, expect.stringContaining("drill, queued")]);
    // 0x3e9 is 1001.
    expect((await cli(["status", "00000000000003e"])).stderr).toMatch(
      /several jobs begin with .*: 00000000000003e9, .*3e0\n/,
    );
  });

  const request = (i: number) => ({ kind: "verify", dump: { root: "backups", path: `d${i}` } });

  it("is told to pause, go on, keep to limits and let go of a job", async () => {
    await daemon.ask("/v1/jobs", { method: "POST", token: TOKENS.restore, body: request(0) });
    const id = job()?.id ?? "";
    daemon.jobs.move(id, "running");
    expect(await cli(["pause", id])).toMatchObject({ status: 0, stdout: `Job ${id} is paused.\n` });
    expect(await cli(["pause", id])).toMatchObject({ status: 1, stderr: `error: job ${id} is paused\n` });
    expect(await cli(["limits", id])).toMatchObject({ status: 2 });
    expect((await cli(["limits", id, "--rate-limit", "5ops/s"])).stdout).toBe(
      `Job ${id} keeps to: rate limit 5ops/s.\n`,
    );
    expect((await cli(["resume"])).stdout).toContain(`Job ${id} goes on.`);
    expect(await cli(["resume"])).toMatchObject({ status: 2, stderr: expect.stringContaining("no job at") });
    expect(await cli(["cancel", id, "--forget"])).toMatchObject({ status: 2 });
    expect(await cli(["cancel", id])).toMatchObject({ status: 0, stdout: `Job ${id} is cancelled.\n` });
    expect(job()?.state).toBe("cancelled");
  });

  it("is waited for until it has paused, also where the job was paused before", async () => {
    await daemon.ask("/v1/jobs", { method: "POST", token: TOKENS.restore, body: request(0) });
    const id = job()?.id ?? "";
    for (const state of ["running", "paused", "running"] as const) daemon.jobs.move(id, state);
    daemon.jobs.pause = async () => daemon.jobs.get(id);
    const pausing = cli(["pause", id, "--json"]);
    await expect.poll(() => relay.asked().match(/GET \/v1\/jobs\/[0-9a-f]+ /g)).toHaveLength(2);
    daemon.jobs.move(id, "paused", { attempts: 7 });
    const { status, stdout } = await pausing;
    expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ state: "paused", attempts: 7 })]);
  });

  it("is not waited for to pause any more once it is held with an error", async () => {
    await daemon.ask("/v1/jobs", { method: "POST", token: TOKENS.restore, body: request(0) });
    const id = job()?.id ?? "";
    daemon.jobs.move(id, "running");
    daemon.jobs.pause = async () => daemon.jobs.get(id);
    const pausing = cli(["pause", id]);
    await expect.poll(() => relay.asked()).toContain(`GET /v1/jobs/${id}/events`);
    daemon.jobs.move(id, "held", failed);
    expect(await pausing).toMatchObject({ status: 1, stdout: `Job ${id} is held.\n` });
  });

  it("over TCP wants a token that may do it", async () => {
    const asking = ["verify", "backups/a", "--server", daemon.url.origin];
    expect(await runCli(asking)).toMatchObject({ status: 2, stderr: expect.stringContaining("wants a token") });
    const wrong = await runCli(asking, { ELASTICKV_RESTORE_TOKEN: "none-of-them" });
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("--token-file")]);
    const reader = await runCli(asking, { ELASTICKV_RESTORE_TOKEN: TOKENS.read });
    expect([reader.status, reader.stderr]).toEqual([1, expect.stringContaining("may read")]);
    await writeFile(join(folder, "token"), `${TOKENS.read}\n`);
    const list = ["jobs", "--server", daemon.url.origin, "--token-file", join(folder, "token")];
    expect(await runCli(list)).toMatchObject({ status: 0 });
  });
});

it("a daemon that is not there is named, with how one is begun", async () => {
  const { status, stderr } = await runCli(["watch", "8f", "--state-dir", folder]);
  expect(status).toBe(1);
  expect(stderr).toBe(
    `error: no daemon answers at unix:${folder}/daemon.sock\nStart one there with \`elastickv-restore serve\`, or name where one listens with --server.\n`,
  );
});

it("the environment turns no local command into one of a daemon, and options of one are refused there", async () => {
  const env = { ELASTICKV_RESTORE_SERVER: "/nowhere.sock", ELASTICKV_RESTORE_TOKEN: "t" };
  expect(await runCli(["status", "--state-dir", folder], env)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("There are no jobs in"),
  });
  expect((await runCli(["watch", "8f"], env)).stderr).toContain("unix:/nowhere.sock");
  expect(await runCli(["status", "--token-file", "t"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("--token-file is for a daemon"),
  });
});

it.skipIf(!HAS_OPENSSL)("a private authority is trusted where it is named, and nowhere else", async () => {
  const authority = await newAuthority();
  const { cert, key } = await authority.issue("IP:127.0.0.1");
  const daemon = await startHttpDaemon({}, { tls: { cert: await readFile(cert), key: await readFile(key) } });
  try {
    const argv = ["jobs", "--server", daemon.url.origin];
    const env = { ELASTICKV_RESTORE_TOKEN: TOKENS.read };
    expect(await runCli([...argv, "--server-ca", authority.ca], env)).toMatchObject({ status: 0 });
    const untrusted = await runCli(argv, env);
    expect([untrusted.status, untrusted.stderr]).toEqual([1, expect.stringContaining("no authority that is trusted")]);
    expect(untrusted.stderr).toContain("--server-ca FILE");
  } finally {
    await daemon.stop();
    await authority.remove();
  }
});

describe("a daemon with real jobs", () => {
  let server: RunningServer;
  let redis: Redis;
  let dump: Awaited<ReturnType<typeof temporaryDump>>;
  let processes: CliProcesses;
  const KEYS = 300;
  beforeAll(async () => {
    server = await startRedis();
    redis = onlooker(server.endpoint);
    const files = Array.from({ length: KEYS }, (_, i) => [`redis/db_0/strings/k${i}.bin`, `v${i}`] as const);
    const broken = { "redis/db_0/hashes/broken.json": "{" };
    dump = await temporaryDump({ files: { ...Object.fromEntries(files), ...broken } });
    processes = await cliProcesses();
  }, 600_000);
  afterAll(async () => {
    redis?.disconnect();
    await Promise.all([server?.stop(), dump?.remove(), processes?.remove()]);
  });

  let daemon: CliProcess;
  beforeEach(async () => {
    await redis.flushall();
    await mkdir(join(folder, "state"), { mode: 0o700 });
    const settings = { roots: { backups: dirname(dump.path) } };
    const targets = { staging: { redis: { url: server.endpoint } } };
    await writeFile(join(folder, "config.yaml"), JSON.stringify({ targets, daemon: settings }));
    daemon = await started();
  });
  afterEach(async () => {
    daemon.child.kill("SIGTERM");
    await daemon.ended;
  });

  async function started(): Promise<CliProcess> {
    const state = join(folder, "state");
    const begun = processes.start(["serve", "--config", join(folder, "config.yaml"), "--state-dir", state]);
    await expect.poll(() => begun.said.stdout, { timeout: 30_000 }).toContain("listening on");
    return begun;
  }

  const apply = (...words: readonly string[]) => [
    ...["apply", `backups/${basename(dump.path)}`, "--target", "staging", ...words],
    ...["--server", "local", "--state-dir", join(folder, "state")],
  ];

  it("a restore is shown, reported and ended as one of this machine", async () => {
    const reports = ["a.json", "a.html"].map((name) => join(folder, name));
    const words = reports.flatMap((path) => ["--report", path]);
    const remote = await runCli(apply("--mode", "merge", ...words));
    expect(remote.status, remote.stderr).toBe(3);
    expect(remote.stderr).toMatch(
      /\(apply\) runs\nchecked 302 files, .*\nredis:db_0: 301 records, .*, 1 not restored, done\n$/,
    );
    expect(await redis.dbsize()).toBe(KEYS);
    const [json = "", html = ""] = reports;
    const report = JSON.parse(await readFile(json, "utf8")) as { rejectsFile: string; totals: object };
    expect(report.totals).toMatchObject({ restored: KEYS, rejected: 1 });
    expect(report.rejectsFile).toBe(join(folder, "a.rejects.jsonl"));
    expect(await readFile(report.rejectsFile, "utf8")).toMatch(/^\{.*"outcome":"rejected".*\}\n$/);
    expect(await readFile(html, "utf8")).toContain("<!doctype html>");
    expect((await stat(json)).mode & 0o777).toBe(0o600);
    await redis.flushall();
    const local = await runCli(["apply", dump.path, "--redis-url", server.endpoint, "--mode", "merge", ...words]);
    const steady = (text: string) => text.replaceAll(/ +[\d.,]+ (?:s|records\/s)/g, " N");
    expect(steady(remote.stdout)).toBe(steady(local.stdout));
    expect(local.status).toBe(remote.status);
  });

  describe("a restore that replaces", () => {
    beforeEach(async () => {
      await redis.set("stranger", "theirs");
    });

    async function answering(answer: string) {
      const stdin = new PassThrough();
      const onStderr = (text: string) => {
        if (text.includes('Type "replace" to go on')) stdin.write(`${answer}\n`);
      };
      return await runCli(apply("--mode", "replace", "--progress", "plain"), {}, { stdin, onStderr });
    }

    it("shows what it deletes, and goes on when the word is typed", async () => {
      const { status, stderr } = await answering("replace");
      expect(status, stderr).toBe(3);
      expect(stderr).toMatch(/To be deleted:\n +redis:db_0 +1 record\n/);
      expect(stderr).toContain("This deletes what redis:db_0 holds.");
      expect([await redis.exists("stranger"), await redis.dbsize()]).toEqual([0, KEYS]);
    });

    it("deletes nothing at another answer, and nothing where nobody can be asked", async () => {
      for (const { status, stderr } of [await answering("yes"), await runCli(apply("--mode", "replace"))]) {
        expect(status, stderr).toBe(5);
        expect(stderr).toMatch(/nobody confirmed it\n.*apply --plan [0-9a-f]{16} --yes --server local --state-dir/);
      }
      expect([await redis.get("stranger"), await redis.dbsize()]).toEqual(["theirs", 1]);
    });

    it("is carried out by its plan's id, once", async () => {
      const plan = ["plan", `backups/${basename(dump.path)}`, "--target", "staging", "--mode", "replace"];
      const where = ["--server", "local", "--state-dir", join(folder, "state")];
      const { stdout } = await runCli([...plan, ...where]);
      const id = /apply --plan ([0-9a-f]{16})/.exec(stdout)?.[1] ?? "";
      expect(await redis.get("stranger")).toBe("theirs");
      const carryOut = ["apply", "--plan", id.slice(0, 8), "--yes", "--progress", "none", ...where];
      const done = await runCli(carryOut);
      expect([done.status, await redis.dbsize()], done.stderr).toEqual([3, KEYS]);
      expect(await runCli(carryOut)).toMatchObject({ status: 5 });
    });
  });

  it("is followed to the job's end when it is killed and begun again meanwhile", async () => {
    let said = "";
    let begun: Promise<CliProcess> | undefined;
    const killed = daemon;
    const onStderr = (text: string) => {
      said += text;
      if (begun !== undefined || !said.includes("checked")) return;
      killed.child.kill("SIGKILL");
      begun = killed.ended.then(started);
    };
    const { status, stderr, stdout } = await runCli(
      apply("--mode", "merge", "--rate-limit", "100ops/s"),
      {},
      { onStderr },
    );
    daemon = (await begun) ?? daemon;
    expect(status, stderr).toBe(3);
    expect(stderr).toMatch(/trying again\nconnected again to unix:/);
    expect(stdout).toContain("301 records read, 300 restored, 1 rejected");
    expect(await redis.dbsize()).toBe(KEYS);
  });
});
