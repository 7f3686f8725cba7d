/**
 * The daemon as its own description has it, asked by a fuzzer that knows nothing else: schemathesis, from PyPI, installed
 * once in the cache of servers. Skipped, and said so, where there is no Python.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { installPeerOnce, run } from "../../testcontainers/cache.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { ENDS, Served } from "../support/served.js";

const VERSION = "4.32.5";
const HAS_PYTHON = spawnSync("python3", ["-c", "import ensurepip, venv"]).status === 0;
const MINUTES = 60_000;

/** Names that a generator of texts comes to early: more than a refusal is found behind them. */
const NAME = "0";
const DUMP = { root: NAME, path: NAME };
const TOKENS = { read: "a-token-that-may-read", destroy: "a-token-that-may-destroy" } as const;
type Role = keyof typeof TOKENS;

/** By name: what it is not asked, and why. */
const LEFT_OUT = {
  // Live events are streams that end with their job, if at all.
  paths: "/events$",
  checks: [
    // What is well-formed may name a dump, a job or a target that is not there.
    "positive_data_acceptance",
    // Whoever sends many wrong tokens is told to wait (429), and no longer that they are wrong.
    "ignored_auth",
    // A job is there at once; its plan and its report come later, or, by its kind, never.
    "ensure_resource_availability",
  ],
  // A body that is too large is refused before anything in it is looked at (413).
  rejections: "expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422]",
} as const;

/** Every case that it made up, and that is many. */
function expectClean(said: string): void {
  const [, made, passed] = /(\d+) generated, (\d+) passed(?:, \d+ skipped)?$/m.exec(said) ?? [];
  expect(passed, said).toBe(made);
  expect(Number(made), said).toBeGreaterThan(1_000);
}

describe.skipIf(!HAS_PYTHON)("schemathesis", () => {
  let python: string;
  let server: RunningServer;
  let served: Served;

  beforeAll(async () => {
    const place = await installPeerOnce("schemathesis", VERSION, async (folder) => {
      await run("python3", ["-m", "venv", folder]);
      await run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", `schemathesis==${VERSION}`]);
    });
    python = join(place, "bin", "python");
    server = await startRedis();
  }, 10 * MINUTES);

  afterAll(() => server?.stop());

  beforeEach(async () => {
    served = await Served.make({
      targets: { [NAME]: { redis: { url: server.endpoint } } },
      settings: {
        listen: { port: 0 },
        tokens: Object.keys(TOKENS).map((role) => ({ name: role, role, env: `TOKEN_${role}` })),
        // Full, it would answer 503, and rightly.
        jobs: { at_once: 1, queued: 100_000 },
        schedules: { [NAME]: { kind: "verify", cron: "0 0 1 1 *", root: NAME, overlap: "queue" } },
      },
      dumps: { [NAME]: { files: { "redis/db_0/strings/k.bin": "v" } } },
      env: Object.fromEntries(Object.entries(TOKENS).map(([role, token]) => [`TOKEN_${role}`, token])),
    });
    await served.start({ roots: { [NAME]: join(served.folder, "backups") } });
  }, 2 * MINUTES);

  afterEach(async () => {
    await served?.remove();
  }, 5 * MINUTES);

  /** Jobs that ended, each with all that can be asked for beside it. */
  async function endedJobs(): Promise<string[]> {
    const asked: JobRequest[] = [
      { kind: "plan", dump: DUMP, target: NAME, options: { mode: "replace" } },
      { kind: "apply", dump: DUMP, target: NAME, options: { mode: "skip-existing" } },
      { kind: "verify", dump: DUMP, options: { checksums: true } },
    ];
    const ids: string[] = [];
    for (const each of asked) ids.push(await served.submit(each));
    for (const id of ids) await served.until(id, ENDS);
    return ids;
  }

  async function fuzz(role: Role, parameters: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const folder = join(served.folder, "fuzzer");
    await mkdir(folder, { recursive: true });
    const settings = Object.entries(parameters).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    const text = ["[checks.negative_data_rejection]", LEFT_OUT.rejections, "[parameters]", ...settings].join("\n");
    await writeFile(join(folder, "schemathesis.toml"), text);
    const url = /http:\S+/.exec(served.said.stdout)?.[0] ?? "";
    const seed = process.env["ELASTICKV_RESTORE_TEST_SEED"] ?? "";
    const words = [
      ...["-m", "schemathesis.cli", "run", `${url}/openapi.json`],
      ...["--header", `Authorization: Bearer ${TOKENS[role]}`, "--exclude-path-regex", LEFT_OUT.paths],
      ...["--checks", "all", "--exclude-checks", LEFT_OUT.checks.join(",")],
      ...["--max-examples", "60", "--continue-on-failure", "--no-color", "--output-sanitize", "false"],
      ...(seed === "" ? [] : ["--seed", seed]),
    ];
    const options = { cwd: folder, maxBuffer: 2 ** 26 };
    const ended = await promisify(execFile)(python, words, options).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(served.said.stderr).not.toContain('"level":"error"');
    return ended.stdout;
  }

  it.each(["read", "destroy"] as const)(
    "finds nothing as a client that may %s: no fault of the daemon's, no answer that is not as it is described",
    async (role) => {
      expectClean(await fuzz(role));
    },
    30 * MINUTES,
  );

  it(
    "finds nothing when it asks for jobs that are there",
    async () => {
      for (const id of await endedJobs()) expectClean(await fuzz("destroy", { id, name: NAME }));
    },
    30 * MINUTES,
  );
});
