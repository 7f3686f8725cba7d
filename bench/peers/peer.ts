/** What an operator would type instead. Each is a program of others, or a loop of a dozen lines around a library. */
import { join } from "node:path";

import type { RunningServer } from "../../testcontainers/server.js";
import type { Contestant } from "../contest.js";
import type { Command } from "../watched-process.js";

export interface Ground {
  /** The dump's root. */
  readonly dump: string;
  readonly server: RunningServer;
  /** What `install` answered. */
  readonly installed: string;
  /** An empty folder for settings and lists that the peer needs. */
  readonly scratch: string;
}

export interface Peer {
  /** As it stands in tables. */
  readonly name: string;
  /** What it is known to leave behind: what it wrote is not searched for it. */
  readonly loses?: "metadata";
  /** Makes it runnable, once on a machine. Answers where it is. Throws where it cannot be had. */
  install(): Promise<string>;
  /** What is no part of its run, before each, with the target empty. */
  prepare?(ground: Ground): Promise<void>;
  command(ground: Ground): Command;
}

/** Beside every loader: a restore that does not look at the digests is half of one. */
export const SHA256SUM = "sha256sum -c";

/** Checks a dump as its format promises that one can. */
export function sha256sum(dump: string): Contestant {
  return {
    name: SHA256SUM,
    command: () => ({ command: "sha256sum", args: ["-c", "--quiet", "CHECKSUMS"], cwd: dump }),
  };
}

/** A program by its path from this folder, run by the Node that measures. */
export function nodeScript(path: string, args: readonly string[]): Pick<Command, "args" | "command"> {
  return { command: process.execPath, args: [join(import.meta.dirname, path), ...args] };
}
