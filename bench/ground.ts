/** What a measurement stands on, for the time of it: a dump, a server, a folder. Each goes whatever happens. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "../testcontainers/cache.js";
import type { RunningServer } from "../testcontainers/server.js";
import { BigDump } from "./big-dump.js";
import type { Generated, Settings } from "./scenario.js";
import type { Shape } from "./shapes/shape.js";

/** What a check is measured on. */
export interface DumpReady {
  readonly settings: Settings;
  /** An empty folder. */
  readonly scratch: string;
  readonly dump: ReadyDump;
}

/** All that a restore is measured on. */
export interface Ready extends DumpReady {
  readonly target: Target;
}

export interface ReadyDump {
  readonly path: string;
  readonly bytes: number;
  readonly size: number;
  readonly generated: Generated;
}

interface Sized<S> {
  readonly shape: S;
  readonly size: number;
}

/** A dump of that size at the scale of the settings, and its target. */
export async function whenReady<T>(
  init: Sized<Shape>,
  settings: Settings,
  use: (ready: Ready) => Promise<T>,
): Promise<T> {
  return await whenDumpReady(
    init,
    settings,
    async (ready) => await withTarget(init.shape, (target) => use({ ...ready, target })),
  );
}

/** The dump alone. */
export async function whenDumpReady<T>(
  { shape, size }: Sized<Generating>,
  settings: Settings,
  use: (ready: DumpReady) => Promise<T>,
): Promise<T> {
  return await withScratch(
    async (scratch) => await withDump(shape, scaled(size, settings.scale), (dump) => use({ settings, scratch, dump })),
  );
}

type Generating = Pick<Shape, "generate">;

export async function withDump<T>(
  { generate }: Generating,
  size: number,
  use: (dump: ReadyDump) => Promise<T>,
): Promise<T> {
  const dump = await BigDump.create();
  try {
    const generated = await generate(dump, size);
    await dump.seal();
    // What the system has yet to write of it would be written during the first runs.
    await run("sync", ["-f", dump.path]);
    return await use({ path: dump.path, bytes: dump.bytes, size, generated });
  } finally {
    await dump.remove();
  }
}

async function withTarget<T>(shape: TargetShape, use: (target: Target) => Promise<T>): Promise<T> {
  const target = await Target.start(shape);
  try {
    return await use(target);
  } finally {
    await target.stop();
  }
}

export async function withScratch<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "elastickv-restore-bench-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type TargetShape = Pick<Shape, "empty" | "start">;

/** The server that a scenario's runs write to, empty before each of them. */
export class Target {
  readonly #shape: TargetShape;
  #server: RunningServer;
  #isFresh: boolean;

  private constructor(shape: TargetShape, server: RunningServer) {
    this.#shape = shape;
    this.#server = server;
    this.#isFresh = server.how !== "environment";
  }

  static async start(shape: TargetShape): Promise<Target> {
    return new Target(shape, await shape.start());
  }

  get server(): RunningServer {
    return this.#server;
  }

  get description(): string {
    return `${this.#server.name} ${this.#server.version ?? ""}`.trim();
  }

  /** Takes everything out of the server, or starts it anew where that is quicker. */
  async empty(): Promise<void> {
    const wasFresh = this.#isFresh;
    this.#isFresh = false;
    if (wasFresh) return;
    if (this.#shape.empty !== undefined) return await this.#shape.empty(this.#server);
    if (this.#server.how === "environment") {
      throw new Error(`the environment names ${this.#server.endpoint}, which cannot be started anew between runs`);
    }
    await this.#server.stop();
    this.#server = await this.#shape.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}

/** Of a scenario at a scale. */
export function scaled(size: number, scale: number): number {
  return Math.max(1, Math.round(size * scale));
}
