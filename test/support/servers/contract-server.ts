/**
 * A server that a contract is run on, with what it is known not to do. Each limit is itself tested: the tests that it
 * names have to fail, and in the way that it says. One that holds no longer, and one that names no test, are failures.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
// Deprecated in favour of `TestRunner`, whose `setTestFn` only reads in Vitest 4.1.12.
import { getFn, setFn } from "vitest/suite";

import type { Access } from "../../../testcontainers/recipe.js";
import type { RunningServer } from "../../../testcontainers/server.js";
import { failureOf } from "./failure.js";

/** What a server does otherwise than the contract says. */
export interface Limit {
  /** Finds the tests that it fails in their names, titles joined by ` > ` from the suite's first on. */
  readonly tests: RegExp;
  /** One sentence: why the server cannot. */
  readonly reason: string;
  /** Finds what happens instead in the failure of each of them: its message, and what it found. */
  readonly instead: RegExp;
  /** The name of the suite's function that holds them. Absent: every suite has such tests. */
  readonly suite?: string;
}

/** These limits, of tests in this suite alone. */
export function within(suite: string, limits: readonly Limit[]): Limit[] {
  return limits.map((limit) => ({ ...limit, suite }));
}

/** A server that can be used, and its end. */
export type Contracted = Access & Pick<RunningServer, "stop">;

export interface ContractServer {
  /** As the titles of tests say it. */
  readonly name: string;
  /** Why it is not there, when it is not: its tests are skipped. */
  readonly missing?: string;
  readonly limits: readonly Limit[];
  start(): Promise<Contracted>;
}

/** Runs the suite on every server: once started for all of it, with its limits checked. */
export function onEach<S extends ContractServer>(servers: readonly S[], suite: (server: S) => void): void {
  for (const server of servers) on(server, suite);
}

/** Runs the suite on one server. */
function on<S extends ContractServer>(server: S, suite: (server: S) => void): void {
  const title = `on ${server.name}${server.missing === undefined ? "" : ` (${server.missing})`}`;
  describe.skipIf(server.missing !== undefined)(title, () => {
    const limits = server.limits.filter((limit) => (limit.suite ?? suite.name) === suite.name);
    const met = new Set<Limit>();
    beforeEach(({ task }) => invert(task, title, limits, met));
    suite(server);
    it("fails a test for every limit that is declared of it", () => {
      expect(limits.filter((limit) => !met.has(limit)).map(({ tests }) => String(tests))).toEqual([]);
    });
  });
}

/** Starts a server before the suite's tests and stops it after them. What it returns throws until it is up. */
export function started(server: ContractServer): () => Contracted {
  let running: Contracted | undefined;
  beforeAll(async () => {
    running = await server.start();
  }, 300_000);
  afterAll(() => running?.stop());
  return () => {
    if (running === undefined) throw new Error("the server is not up yet");
    return running;
  };
}

type Task = TestContext["task"];

/** Turns a test that a limit names into its opposite. */
function invert(task: Task, title: string, limits: readonly Limit[], met: Set<Limit>): void {
  const name = nameBelow(title, task);
  const limit = limits.find(({ tests }) => tests.test(name));
  if (limit === undefined) return;
  met.add(limit);
  const run = getFn(task);
  setFn(task, async () => {
    const failure = await failureOf(run);
    expect(failure, `"${limit.reason}" is declared, but this is what happens`).toMatch(limit.instead);
  });
}

function nameBelow(title: string, task: Task): string {
  const names: string[] = [];
  for (let at: { name: string; suite?: Task["suite"] } | undefined = task; at !== undefined; at = at.suite) {
    if (at.name === title) break;
    names.unshift(at.name);
  }
  return names.join(" > ");
}
